//! The Debian package that `make deb` built: what it holds, what its binary needs, whether it installs and goes again without a trace, and
//! whether the binary works, emulated where it is another machine's. `make test-package` and `make test-cross` build it first;
//! `VISAVIS_ARCH` says which (amd64).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod binary;
mod contents;
mod installation;
mod running;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// An architecture, in the words of those who ask.
struct Architecture {
    debian: &'static str,
    rust: &'static str,
    gnu: &'static str,
    /// The emulator, with the oldest processor that the package is for.
    emulator: &'static [&'static str],
}

const ARCHITECTURES: [Architecture; 3] = [
    Architecture {
        debian: "amd64",
        rust: "x86_64-unknown-linux-gnu",
        gnu: "x86_64-linux-gnu",
        emulator: &["qemu-x86_64-static", "-cpu", "qemu64"],
    },
    Architecture {
        debian: "arm64",
        rust: "aarch64-unknown-linux-gnu",
        gnu: "aarch64-linux-gnu",
        emulator: &["qemu-aarch64-static", "-cpu", "cortex-a53"],
    },
    Architecture {
        debian: "armhf",
        rust: "armv7-unknown-linux-gnueabihf",
        gnu: "arm-linux-gnueabihf",
        emulator: &["qemu-arm-static", "-cpu", "cortex-a7"],
    },
];

static ARCHITECTURE: LazyLock<&Architecture> = LazyLock::new(|| {
    let wanted = std::env::var("VISAVIS_ARCH").unwrap_or_else(|_| "amd64".to_owned());
    ARCHITECTURES.iter().find(|known| known.debian == wanted).expect("VISAVIS_ARCH is amd64, arm64 or armhf")
});

/// Whether this machine runs the binary by itself.
fn is_native() -> bool {
    ARCHITECTURE.debian == output("dpkg", &["--print-architecture"]).trim()
}

fn package() -> PathBuf {
    root().join(format!("target/debian/visavis_{}_{}.deb", version(), ARCHITECTURE.debian))
}

/// As Debian writes it: "1.0.0~rc.1" comes before "1.0.0".
fn version() -> String {
    env!("CARGO_PKG_VERSION").replacen('-', "~", 1)
}

fn binary() -> PathBuf {
    let target = if is_native() { "" } else { ARCHITECTURE.rust };
    root().join("target").join(target).join("release/visavis")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a command that must succeed writes.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|cause| panic!("{program}: {cause}"));
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {arguments:?}: {text}{errors}");
    text.into_owned()
}

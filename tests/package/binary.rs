//! What the binary asks of the system it lands on.

use std::collections::BTreeSet;

use crate::{ARCHITECTURE, binary, output};

/// glibc of Debian 12 is 2.36; the package promises 2.34 in its `Depends`.
const GLIBC_MAX: [u32; 2] = [2, 34];

#[test]
#[ignore = "make test-package and make test-cross build the package first"]
fn no_newer_glibc_is_needed_than_the_package_depends_on() {
    let symbols = dynamic_symbols();
    let versions = symbols.iter().filter_map(|symbol| symbol.version.strip_prefix("GLIBC_"));
    let newest: Vec<u32> = versions.map(|version| version.split('.').map(|part| part.parse().unwrap()).collect()).max().unwrap();
    assert!(newest.as_slice() <= GLIBC_MAX.as_slice(), "{newest:?}");
}

#[test]
#[ignore = "make test-package and make test-cross build the package first"]
fn only_libraries_of_libc_and_libgcc_are_needed() {
    let headers = output(&gnu("objdump"), &["-p", binary().to_str().unwrap()]);
    let needed: BTreeSet<_> = headers.lines().filter_map(|line| line.trim().strip_prefix("NEEDED")).map(str::trim).collect();
    let others: Vec<_> = needed
        .iter()
        .filter(|library| !["libc.so.", "libm.so.", "libgcc_s.so.", "ld-linux"].iter().any(|known| library.starts_with(known)))
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
#[ignore = "make test-package and make test-cross build the package first"]
fn sqlite_counts_time_in_64_bits() {
    if ARCHITECTURE.debian != "armhf" {
        return; // glibc of 64 bits knows nothing else.
    }
    let names: BTreeSet<_> = dynamic_symbols().into_iter().map(|symbol| symbol.name).collect();
    for name in ["__time64", "__localtime64_r", "__utimes64"] {
        assert!(names.contains(name), "{name} is not asked for: {names:?}");
    }
    for name in ["time", "localtime", "localtime_r", "gmtime", "gmtime_r", "mktime", "gettimeofday", "utime", "utimes", "stat"] {
        assert!(!names.contains(name), "{name} ends in 2038");
    }
}

#[test]
#[ignore = "make test-package and make test-cross build the package first"]
fn no_folder_of_the_machine_that_built_it_is_told() {
    let bytes = std::fs::read(binary()).unwrap();
    let home = std::env::var("CARGO_HOME").unwrap_or_else(|_| std::env::var("HOME").unwrap() + "/.cargo");
    for folder in [env!("CARGO_MANIFEST_DIR"), &home] {
        let told = bytes.windows(folder.len()).any(|window| window == folder.as_bytes());
        assert!(!told, "{folder} is in the binary");
    }
}

/// A symbol that the binary expects to find, and the version it must have.
struct Symbol {
    name: String,
    version: String,
}

/// Lines are like `00000000 DF *UND* 00000000 (GLIBC_2.34) __time64`, with tabs between; the version is bare on some machines.
fn dynamic_symbols() -> Vec<Symbol> {
    let table = output(&gnu("objdump"), &["-T", binary().to_str().unwrap()]);
    let undefined = table.lines().filter(|line| line.contains("*UND*"));
    let symbols = undefined.map(|line| {
        let mut words = line.split_whitespace().rev();
        let name = words.next().unwrap().to_owned();
        Symbol { name, version: words.next().unwrap_or_default().trim_matches(['(', ')']).to_owned() }
    });
    symbols.collect()
}

fn gnu(tool: &str) -> String {
    format!("{}-{tool}", ARCHITECTURE.gnu)
}

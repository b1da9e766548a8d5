"""What comes along with the compiler and with crates, and is no crate itself: Rust's standard library and SQLite."""
import re
import subprocess

from part import Part


def parts(crates: list[Part]) -> list[Part]:
    sources = next(crate for crate in crates if crate.name == "libsqlite3-sys").folder
    version = re.search(r'#define SQLITE_VERSION\s+"(.+)"', (sources / "sqlite3/sqlite3.h").read_text())[1]
    compiler = subprocess.run(["rustc", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[1]
    return [
        # MIT or this, as one likes: this needs no text of its own.
        Part("generic", "rust-std", compiler, "Apache-2.0", authors=("The Rust Project contributors",)),
        Part("generic", "sqlite", version, "blessing", authors=("D. Richard Hipp and others, who disclaim it",)),
    ]

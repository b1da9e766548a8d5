//! Embeds the web client anew when its build changed.

fn main() {
    println!("cargo::rerun-if-changed=web/dist");
    println!("cargo::rerun-if-changed=src/store/migrations");
}

//! Embeds the web client anew when its build changed, and the time of the build, before which no clock is right.

use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    println!("cargo::rerun-if-changed=web/dist");
    println!("cargo::rerun-if-changed=src/store/migrations");
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let built = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|time| time.parse().ok()).unwrap_or_else(now);
    println!("cargo::rustc-env=VISAVIS_BUILT={built}");
}

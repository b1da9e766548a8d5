//! `visavis check-config FILE`

use std::path::Path;

use anyhow::Result;

pub(super) fn run(path: &Path) -> Result<()> {
    super::load(path)?;
    println!("{} is sound", path.display());
    Ok(())
}

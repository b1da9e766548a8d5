//! The configuration: one TOML file, typed, every problem reported at once.
//!
//! [`file`] mirrors the text, [`checked`] proves it, [`error`] says what is wrong and how to mend it, `live` what may change without a restart. Read by `cli` and `app`,
//! which hand each part its own section; knows no other module.

pub mod checked;
mod defaults;
pub mod error;
pub mod file;
mod live;
pub mod shards;
mod tls;

use std::path::Path;

pub use checked::Config;
pub use error::{ConfigError, Problem};
pub use live::{Change, changes};
pub use shards::Shards;

/// Reads and proves the configuration in `path`.
///
/// # Errors
/// Every problem of the file at once, each with its key path, line and remedy; or that the file cannot be read.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|cause| ConfigError::unreadable(path, &cause))?;
    parse(&text).map_err(|problems| ConfigError::new(path, problems))
}

/// Proves the configuration in `text`; an empty text is the built-in defaults.
///
/// # Errors
/// Every problem at once, in the order of the text.
pub fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    let (file, lines, mut problems) = file::read(text);
    match checked::check(&file, &lines) {
        Ok(config) if problems.is_empty() => return Ok(config),
        Ok(_) => {}
        Err(found) => problems.extend(found),
    }
    problems.sort_by_key(|problem| problem.line.unwrap_or(usize::MAX));
    Err(problems)
}

#[cfg(test)]
mod tests;

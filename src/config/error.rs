//! What is wrong with a configuration, in the admin's words.

use std::fmt;
use std::path::{Path, PathBuf};

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Such as `turn.relay-ports`; empty if the text is not TOML at all.
    pub key: String,
    /// Counted from 1; `None` if the key is missing from the text.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

/// A configuration that was refused, with everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    path: PathBuf,
    problems: Vec<Problem>,
}

impl ConfigError {
    pub(super) fn new(path: &Path, problems: Vec<Problem>) -> Self {
        Self { path: path.to_owned(), problems }
    }

    pub(super) fn unreadable(path: &Path, cause: &std::io::Error) -> Self {
        let problem = Problem {
            key: String::new(),
            line: None,
            what: format!("cannot be read: {cause}"),
            remedy: "name an existing file with --config, readable by this user".to_owned(),
        };
        Self::new(path, vec![problem])
    }

    /// At least one, in the order of the text.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{}", self.path.display())?;
            if let Some(line) = problem.line {
                write!(f, ":{line}")?;
            }
            write!(f, ": ")?;
            if !problem.key.is_empty() {
                write!(f, "{}: ", problem.key)?;
            }
            write!(f, "{}\n    remedy: {}", problem.what, problem.remedy)?;
        }
        Ok(())
    }
}

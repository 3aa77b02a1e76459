//! What an examination finds.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::event::Warning;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Level {
    Ok,
    /// Cannot be told here; `title` says why.
    NotChecked,
    /// `lab up` goes on.
    Warning,
    /// `lab up` makes nothing.
    Error,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// Never changes its meaning.
    pub id: &'static str,
    pub level: Level,
    /// What was found, in a sentence.
    pub title: String,
    /// What there is, none where it cannot be told.
    pub measured: Option<String>,
    /// What this lab needs.
    pub needed: String,
    /// What would happen otherwise.
    pub why: &'static str,
    pub fix: Option<Fix>,
}

/// What mends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fix {
    /// To be typed as it stands, or in words where no command would do.
    pub command: String,
    /// True where `lab doctor --fix` does it.
    pub safe: bool,
}

impl Finding {
    /// True where `lab up` may go on.
    pub fn passes(&self) -> bool {
        self.level != Level::Error
    }
}

impl From<Finding> for Warning {
    fn from(finding: Finding) -> Self {
        Self { id: finding.id, what: finding.title, next: finding.fix.map(|fix| fix.command) }
    }
}

/// In one line: what was found, and what mends it.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)?;
        match &self.fix {
            Some(fix) => write!(f, ": {}", fix.command),
            None => Ok(()),
        }
    }
}

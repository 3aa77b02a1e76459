//! What is wrong with a configuration, and where.

use std::fmt;

/// A configuration has fewer fields; a file with more problems is some other file.
const MOST_SHOWN: usize = 50;

/// Every problem of one configuration, in the order of the file; prints one line for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    pub file: String,
    pub list: Vec<Problem>,
}

impl Problems {
    pub(super) fn new(file: &str, mut list: Vec<Problem>) -> Self {
        list.sort_by(|one, other| one.place.cmp(&other.place));
        Self { file: file.to_owned(), list }
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Problem { path, place, complaint }) in self.list.iter().take(MOST_SHOWN).enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            match place {
                Place::File => write!(f, "{}: ", self.file)?,
                Place::Flag(flag) => write!(f, "{flag}: ")?,
                Place::Variable(name) => write!(f, "{name}: ")?,
                Place::At(Position { line, column }) => write!(f, "{}:{line}:{column}: ", self.file)?,
            }
            // Flags and variables say by themselves which field they set.
            if !path.is_empty() && !matches!(place, Place::Flag(_) | Place::Variable(_)) {
                write!(f, "{path}: ")?;
            }
            write!(f, "{complaint}")?;
        }
        match self.list.len().saturating_sub(MOST_SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n{}: {more} more problems", self.file),
        }
    }
}

/// One thing to put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field, such as `spec.cluster.workers`; empty where the text as a whole is meant.
    pub path: String,
    pub place: Place,
    pub complaint: Complaint,
}

impl Problem {
    pub(super) fn of_file(message: impl Into<String>) -> Self {
        Self { path: String::new(), place: Place::File, complaint: Complaint::new(message) }
    }
}

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    File,
    Flag(&'static str),
    /// Of the environment.
    Variable(String),
    At(Position),
}

/// A character in the file; both count from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// What is wrong with a value and, where it is known, what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    pub message: String,
    pub hint: Option<String>,
}

impl Complaint {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl std::error::Error for Complaint {}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_kind_floods_no_terminal() {
        let problems = Problems::new("lab.yaml", vec![Problem::of_file("is wrong"); 60]);
        let text = problems.to_string();
        assert_eq!(text.lines().count(), MOST_SHOWN + 1);
        assert!(text.ends_with("\nlab.yaml: 10 more problems"));
    }
}

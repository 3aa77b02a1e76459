//! Where the text of a configuration comes from: a file, or one of those that travel inside the binary.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use super::problem::{Problem, Problems};
use super::tree;

/// Three control planes and three workers: what `lab up` makes when nothing else is said.
pub const FULL: &str = include_str!("../../lab-configs/full.yaml");
/// One control plane and one worker, for a small laptop.
pub const SMALL: &str = include_str!("../../lab-configs/small.yaml");
/// One control plane and three workers, for continuous integration.
pub const CI: &str = include_str!("../../lab-configs/ci.yaml");

/// The text of a configuration, under the name that problems are reported under.
#[derive(Debug)]
pub struct Source {
    pub file: String,
    pub text: String,
}

impl Source {
    /// The built-in configuration of this name, or the file.
    pub fn named(name: &str) -> Result<Self, Problems> {
        let text = match name {
            "full" => FULL,
            "small" => SMALL,
            "ci" => CI,
            path => return Self::read(Path::new(path)),
        };
        Ok(Self { file: format!("{name} (built in)"), text: text.to_owned() })
    }

    /// Reads a file, but not more of it than a configuration may have.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        let file = path.display().to_string();
        let unreadable = |message: String| Problems::new(&file, vec![Problem::of_file(message)]);
        let bytes = read_start(path).map_err(|error| {
            unreadable(match error.kind() {
                ErrorKind::NotFound => "no such file".to_owned(),
                ErrorKind::IsADirectory => "is a directory, not a file".to_owned(),
                _ => format!("cannot be read: {error}"),
            })
        })?;
        // The size first: a file cut off in the middle of a character is too large, not badly encoded.
        if bytes.len() > tree::MAX_BYTES {
            return Err(unreadable(tree::too_large()));
        }
        let text = String::from_utf8(bytes).map_err(|_| unreadable("is not UTF-8 text".to_owned()))?;
        Ok(Self { file, text })
    }
}

/// Reads one byte more than is allowed at most, so that `/dev/zero` ends as well.
fn read_start(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(tree::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(path: &str) -> String {
        Source::named(path).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_file_is_told_apart() {
        assert_eq!(error("no/such.yaml"), "no/such.yaml: no such file");
        assert_eq!(error("/"), "/: is a directory, not a file");
        #[cfg(unix)]
        assert_eq!(error("/dev/zero"), "/dev/zero: is larger than 256 KiB and can be no lab configuration");
    }

    #[test]
    fn a_large_file_is_too_large_wherever_it_is_cut() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "ü".repeat(tree::MAX_BYTES)).unwrap();
        let error = error(&file.path().display().to_string());
        assert!(error.contains("larger than 256 KiB"), "{error}");
    }
}

//! A folder of diagnostics: private, bounded, without secrets.

use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::mask::Mask;
use crate::exec::host;

/// How many folders are kept.
const KEPT: usize = 5;
/// The longest that a file may be; of what is longer the end is kept.
const LONGEST: usize = 1 << 20;

/// Where a lab's diagnostics are.
pub fn home(state: &Path) -> PathBuf {
    state.join("diagnostics")
}

pub struct Folder {
    pub path: PathBuf,
}

impl Folder {
    /// Makes a folder that is named by the time, and removes the oldest ones.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(state: &Path) -> Result<Self> {
        let home = home(state);
        make_private(&home)?;
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H-%M-%SZ").to_string();
        let newest = folders(&home)?.pop().unwrap_or_default();
        // Two within a second keep their order.
        let name = match newest.file_name().unwrap_or_default().to_string_lossy().strip_prefix(&now) {
            Some(number) => format!("{now}-{:02}", number.trim_start_matches('-').parse().unwrap_or(1) + 1),
            None => now,
        };
        let path = home.join(name);
        make_private(&path)?;
        for old in folders(&home)?.iter().rev().skip(KEPT) {
            fs_err::remove_dir_all(old)?;
        }
        Ok(Self { path })
    }

    /// Writes a file, which may lie in a folder of this one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, text: &str, mask: &Mask) -> Result<()> {
        let path = self.path.join(name);
        if let Some(parent) = path.parent() {
            make_private(parent)?;
        }
        let mut file = host::open_private(&path)?;
        file.set_len(0)?;
        // The whole text is masked and then cut: a secret on the edge would not be known by its half.
        file.write_all(last(&mask.text(text)).as_bytes())?;
        Ok(())
    }
}

/// The folders that there are, the oldest first.
fn folders(home: &Path) -> Result<Vec<PathBuf>> {
    let mut all: Vec<PathBuf> = fs_err::read_dir(home)?.flatten().map(|entry| entry.path()).collect();
    all.sort();
    Ok(all)
}

fn make_private(path: &Path) -> Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    Ok(())
}

/// The end of a text that is too long, from the beginning of a line where there is one.
fn last(text: &str) -> &str {
    let Some(mut from) = text.len().checked_sub(LONGEST).filter(|from| *from > 0) else { return text };
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let text = &text[from..];
    text.split_once('\n').map_or(text, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_last_five_are_kept() {
        let state = tempfile::tempdir().unwrap();
        let made: Vec<PathBuf> = (0..7).map(|_| Folder::make(state.path()).unwrap().path).collect();
        let there: Vec<bool> = made.iter().map(|path| path.exists()).collect();
        assert_eq!(there, [false, false, true, true, true, true, true]);
    }

    #[test]
    fn only_their_owner_may_read_them() {
        let state = tempfile::tempdir().unwrap();
        let folder = Folder::make(state.path()).unwrap();
        folder.write("logs/pod.log", "text", &Mask::default()).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.path), 0o700);
        assert_eq!(mode(&folder.path.join("logs")), 0o700);
        assert_eq!(mode(&folder.path.join("logs/pod.log")), 0o600);
    }

    #[test]
    fn a_long_text_keeps_its_end_and_a_secret_on_the_edge_is_masked_whole() {
        let state = tempfile::tempdir().unwrap();
        let folder = Folder::make(state.path()).unwrap();
        let secret = "0123456789abcdef";
        let mut mask = Mask::default();
        mask.add(secret.as_bytes());
        // The limit falls into the middle of the secret, with its masked neighbours counted.
        for distance in 0..20 {
            let end = "x".repeat(LONGEST - distance);
            folder.write("a.log", &format!("first\n{secret}{end}"), &mask).unwrap();
            let text = fs_err::read_to_string(folder.path.join("a.log")).unwrap();
            assert!(text.len() <= LONGEST && text.ends_with('x'));
            assert!(!text.contains("abcdef"), "{distance}");
        }
    }
}

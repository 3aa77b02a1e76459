//! Puts a new text into the place of a file, all of it or nothing.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use tempfile::NamedTempFile;

use crate::fault::{Fault, Kind};

/// # Errors
/// [`Kind::Host`]; the file is as it was then.
pub fn replace(path: &Path, text: &str) -> Result<()> {
    let written = || -> Result<()> {
        // The file that a link leads to, not the link.
        let path = fs_err::canonicalize(path)?;
        let mut new = NamedTempFile::new_in(path.parent().unwrap_or(Path::new("/")))?;
        new.write_all(text.as_bytes())?;
        new.as_file().set_permissions(fs_err::metadata(&path)?.permissions())?;
        new.as_file().sync_all()?;
        new.persist(&path)?;
        Ok(())
    };
    written().with_context(|| Fault::new(Kind::Host, format!("cannot replace {}", path.display())))
}

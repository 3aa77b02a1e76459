//! Reports that are written to files, whole or not at all.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use tempfile::NamedTempFile;

use crate::fault::{Fault, Kind};

/// Looks whether a file could be written at the end: better now than then.
///
/// # Errors
/// [`Kind::Usage`] when it could not.
pub fn can_be_written(flag: &str, path: &Path) -> Result<()> {
    let unusable = || {
        let what = format!("{flag}: {} cannot be written", path.display());
        Fault::new(Kind::Usage, what).next("name a file in a folder that you may write")
    };
    if path.is_dir() || path.file_name().is_none() {
        return Err(anyhow::anyhow!("it is a folder").context(unusable()));
    }
    // Made, and removed at once.
    beside(path).map(drop).with_context(unusable)
}

/// # Errors
/// [`Kind::Host`] when that fails after all.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let failed = || Fault::new(Kind::Host, format!("{} cannot be written", path.display()));
    let mut file = beside(path).with_context(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).with_context(failed)?;
    file.persist(path).map(drop).with_context(failed)
}

/// A new file in the same folder, readable as the umask says: others read reports.
fn beside(path: &Path) -> std::io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    tempfile::Builder::new().prefix(".lab-report-").permissions(permissions).tempfile_in(folder)
}

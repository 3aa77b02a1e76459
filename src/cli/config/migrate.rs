//! `lab config migrate`

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args as ClapArgs;

use super::replace::replace;
use crate::cli::session::refused;
use crate::config::{self, Migration, Source};
use crate::fault::{Fault, Kind};
use crate::report;

#[derive(ClapArgs)]
pub struct MigrateArgs {
    /// The file to migrate
    pub file: PathBuf,
    /// Replace the file, and keep what it was as FILE.bak
    #[arg(long)]
    pub write: bool,
}

pub fn migrate(args: &MigrateArgs) -> Result<()> {
    let refused = |problems| refused("the configuration cannot be migrated", problems);
    let source = Source::read(&args.file).map_err(refused)?;
    let text = match config::migrate(&source).map_err(refused)? {
        Migration::Current => {
            report::talk(&format!("{} is written in {} already", source.file, config::VERSION));
            if !args.write {
                report::data(&source.text);
            }
            return Ok(());
        }
        Migration::Moved(text) => text,
        Migration::Anew(text) => {
            let what = "its lines could not be moved, so it is written anew: comments are lost";
            report::talk(&format!("warning: {}: {what}", source.file));
            text
        }
    };
    if !args.write {
        report::data(&text);
        return Ok(());
    }
    let kept = keep(&args.file, &source.text)?;
    replace(&args.file, &text)?;
    report::talk(&format!("{} is written in {} now; what it was is in {kept}", source.file, config::VERSION));
    Ok(())
}

/// Writes the old text beside the file, over nothing that is there.
fn keep(path: &Path, text: &str) -> Result<String> {
    let kept = format!("{}.bak", path.display());
    let mut options = fs_err::OpenOptions::new();
    let file = options.write(true).create_new(true).open(&kept);
    match file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all())) {
        Ok(()) => Ok(kept),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let fault = Fault::new(Kind::Host, format!("{kept} is there already, and would be lost"));
            Err(fault.next(format!("move {kept} away")).error())
        }
        Err(error) => Err(error).with_context(|| Fault::new(Kind::Host, format!("cannot write {kept}"))),
    }
}

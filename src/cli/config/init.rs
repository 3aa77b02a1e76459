//! `lab config init`

use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args as ClapArgs, ValueEnum};

use super::replace::replace;
use crate::cli::args::quoted;
use crate::config;
use crate::fault::{Fault, Kind};
use crate::report;

#[derive(ClapArgs)]
pub struct InitArgs {
    /// The file to write
    #[arg(default_value = "lab.yaml")]
    pub file: PathBuf,
    /// The configuration to start from
    #[arg(long, value_enum, default_value_t = From::Full)]
    pub from: From,
    /// Replace the file if there is one
    #[arg(long)]
    pub force: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum From {
    /// Three control planes and three workers; every field is there
    Full,
    /// One control plane and one worker
    Small,
    /// One control plane and three workers
    Ci,
}

pub fn init(args: &InitArgs) -> Result<()> {
    let text = match args.from {
        From::Full => config::FULL,
        From::Small => config::SMALL,
        From::Ci => config::CI,
    };
    let file = args.file.display().to_string();
    let mut options = fs_err::OpenOptions::new();
    match options.write(true).create_new(true).open(&args.file) {
        Ok(mut new) => new.write_all(text.as_bytes()).with_context(|| Fault::new(Kind::Host, "cannot write")),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && args.force => replace(&args.file, text),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let next = format!("another name, or lab config init {} --force", quoted(&file));
            return Err(Fault::new(Kind::Usage, format!("{file} is there already")).next(next).error());
        }
        Err(error) => Err(error).with_context(|| Fault::new(Kind::Host, format!("cannot write {file}"))),
    }?;
    report::talk(&format!("wrote {file}\n  lab config validate {0}\n  lab up --config {0}", quoted(&file)));
    Ok(())
}

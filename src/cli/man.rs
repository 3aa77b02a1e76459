//! `lab man`

use anyhow::Result;
use clap::CommandFactory as _;
use clap::{Args as ClapArgs, ValueHint};

use super::args::Args;
use crate::report;

#[derive(ClapArgs)]
pub struct ManArgs {
    /// Write a page for lab and one for each command into this folder
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub dir: Option<std::path::PathBuf>,
}

pub fn man(_args: &ManArgs) -> Result<()> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Args::command()).render(&mut page)?;
    report::data(&String::from_utf8(page)?);
    Ok(())
}

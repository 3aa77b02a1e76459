//! `lab man`

use anyhow::Result;
use clap::CommandFactory as _;

use super::args::Args;
use crate::report;

pub fn man() -> Result<()> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Args::command()).render(&mut page)?;
    report::data(&String::from_utf8(page)?);
    Ok(())
}

//! `lab open`

use anyhow::{Result, bail};
use clap::Args as ClapArgs;

use super::args::LabArgs;

#[derive(ClapArgs)]
pub struct OpenArgs {
    #[command(flatten)]
    pub lab: LabArgs,
}

pub async fn open(_args: OpenArgs) -> Result<()> {
    bail!("not there yet")
}

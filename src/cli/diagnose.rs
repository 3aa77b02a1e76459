//! `lab diagnose`

use anyhow::{Result, bail};
use clap::Args as ClapArgs;

use super::args::LabArgs;

#[derive(ClapArgs)]
pub struct DiagnoseArgs {
    #[command(flatten)]
    pub lab: LabArgs,
}

pub async fn diagnose(_args: DiagnoseArgs) -> Result<()> {
    bail!("not there yet")
}

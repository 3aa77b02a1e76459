//! `lab logs`

use anyhow::{Result, bail};
use clap::Args as ClapArgs;

use super::args::LabArgs;

#[derive(ClapArgs)]
pub struct LogsArgs {
    #[command(flatten)]
    pub lab: LabArgs,
}

pub async fn logs(_args: LogsArgs) -> Result<()> {
    bail!("not there yet")
}

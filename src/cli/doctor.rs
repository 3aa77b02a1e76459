//! `lab doctor`

use anyhow::{Result, bail};
use clap::Args as ClapArgs;

use super::args::{LabArgs, OutputArgs};

#[derive(ClapArgs)]
pub struct DoctorArgs {
    #[command(flatten)]
    pub lab: LabArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub async fn doctor(_args: DoctorArgs) -> Result<()> {
    bail!("not there yet")
}

//! `lab credentials`

use anyhow::{Result, bail};
use clap::Args as ClapArgs;

use super::args::{LabArgs, OutputArgs};

#[derive(ClapArgs)]
pub struct CredentialsArgs {
    #[command(flatten)]
    pub lab: LabArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub async fn credentials(_args: CredentialsArgs) -> Result<()> {
    bail!("not there yet")
}

//! `lab kubeconfig`

use anyhow::{Result, bail};
use clap::Args as ClapArgs;

use super::args::LabArgs;

#[derive(ClapArgs)]
pub struct KubeconfigArgs {
    #[command(flatten)]
    pub lab: LabArgs,
}

pub async fn kubeconfig(_args: KubeconfigArgs) -> Result<()> {
    bail!("not there yet")
}

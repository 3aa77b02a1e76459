//! `lab config`

use anyhow::{Result, bail};
use clap::Subcommand;

#[derive(Subcommand)]
pub enum ConfigVerb {
    /// Print the JSON Schema of configuration files
    Schema,
}

pub fn config(_verb: &ConfigVerb) -> Result<()> {
    bail!("not there yet")
}

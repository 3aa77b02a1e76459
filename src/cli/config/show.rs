//! `lab config show`

use anyhow::Result;
use clap::Args as ClapArgs;

use crate::cli::args::{LabArgs, OutputArgs};
use crate::cli::session::resolved;
use crate::report::{self, Format, Reporter, SettingList};

#[derive(ClapArgs)]
pub struct ShowArgs {
    #[command(flatten)]
    pub lab: LabArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Say of each field where its value comes from
    #[arg(long)]
    pub origin: bool,
}

pub fn show(args: &ShowArgs, reporter: &Reporter) -> Result<()> {
    let resolved = resolved(&args.lab, reporter)?;
    report::data(&match (args.output.output, args.origin) {
        (Format::Text, origin) => resolved.yaml(origin),
        (Format::Json, false) => report::bare_json(&resolved.json())?,
        (Format::Json, true) => report::json(&SettingList { settings: resolved.settings() })?,
    });
    Ok(())
}

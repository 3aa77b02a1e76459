//! `lab plan`

use anyhow::Result;
use clap::Args as ClapArgs;

use super::args::{LabArgs, OutputArgs};
use super::session::resolve;
use crate::components::Site;
use crate::images::Catalogue;
use crate::report::Format;
use crate::{plan, report};

#[derive(ClapArgs)]
pub struct PlanArgs {
    #[command(flatten)]
    pub lab: LabArgs,
    /// JSON shows every object
    #[command(flatten)]
    pub output: OutputArgs,
}

pub fn plan(args: &PlanArgs) -> Result<()> {
    let lab = resolve(&args.lab)?;
    let plan = plan::up(&Site { lab: &lab, catalogue: &Catalogue::load()? })?;
    match args.output.output {
        Format::Json => report::data(&report::json(&plan)?),
        Format::Text => report::data(&report::plan(&plan)),
    }
    Ok(())
}

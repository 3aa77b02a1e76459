//! `lab plan`

use anyhow::Result;
use clap::Args as ClapArgs;

use super::args::{LabArgs, OutputArgs};
use super::session::{Session, resolve};
use crate::components::Site;
use crate::images::Catalogue;
use crate::report::{Format, Reporter};
use crate::{plan, report, run};

#[derive(ClapArgs)]
pub struct PlanArgs {
    #[command(flatten)]
    pub lab: LabArgs,
    /// Compare what stands with what the configuration says, and change nothing; exit code 9 where they differ
    #[arg(long)]
    pub diff: bool,
    /// JSON shows every object
    #[command(flatten)]
    pub output: OutputArgs,
}

pub async fn plan(args: &PlanArgs, reporter: &Reporter) -> Result<()> {
    if args.diff {
        return diff(args, reporter).await;
    }
    let lab = resolve(&args.lab, reporter)?;
    let plan = plan::up(&Site { lab: &lab, catalogue: &Catalogue::load()? })?;
    match args.output.output {
        Format::Json => report::data(&report::json(&plan)?),
        Format::Text => report::data(&report::plan(&plan)),
    }
    Ok(())
}

async fn diff(args: &PlanArgs, reporter: &Reporter) -> Result<()> {
    let session = Session::open(&args.lab, reporter).await?;
    let plan = plan::up(&Site { lab: &session.lab, catalogue: &session.catalogue })?;
    let diff = run::diff(&session.run(reporter), &plan).await?;
    match args.output.output {
        Format::Json => report::data(&report::json(&diff)?),
        Format::Text => report::data(&report::diff(&diff)),
    }
    diff.check(&session.flags)
}

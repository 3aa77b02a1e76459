//! `lab status`

use anyhow::Result;
use clap::Args as ClapArgs;

use super::args::{LabArgs, OutputArgs};
use super::session::Session;
use crate::fault::{Fault, Kind};
use crate::report::{Format, Reporter};
use crate::{report, run};

#[derive(ClapArgs)]
pub struct StatusArgs {
    #[command(flatten)]
    pub lab: LabArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub async fn status(args: StatusArgs, reporter: &Reporter) -> Result<()> {
    let session = Session::open(&args.lab, reporter).await?;
    let status = run::status::status(&session.run(reporter)).await?;
    match args.output.output {
        Format::Json => report::data(&report::json(&status)?),
        Format::Text => report::data(&report::status(&status)),
    }
    if status.healthy {
        return Ok(());
    }
    let what = format!("lab {} is not up", session.lab.name);
    Err(Fault::new(Kind::Step, what).next(format!("lab up{}", session.flags)).error())
}

//! `lab down`

use anyhow::Result;
use clap::Args as ClapArgs;

use super::args::{LabArgs, OutputArgs};
use super::session::Session;
use crate::report::Format;
use crate::run::down::{Thing, ThingKind};
use crate::{report, run};

#[derive(ClapArgs)]
pub struct DownArgs {
    #[command(flatten)]
    pub lab: LabArgs,
    /// Remove the registry, its images, the network and all state as well
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub async fn down(args: DownArgs) -> Result<()> {
    let session = Session::open(&args.lab).await?;
    let _lock = session.lock()?;
    let sink = report::sink(true);
    let mut down = run::down::down(&session.run(&*sink), args.all).await?;
    if args.all && down.left.is_empty() && session.remove_state()? {
        down.removed.push(Thing::new(ThingKind::State, session.state.display().to_string()));
    }
    match args.output.output {
        Format::Json => report::data(&report::json(&down)?),
        Format::Text => report::talk(&report::down(&down)),
    }
    down.check(args.all, &session.flags)
}

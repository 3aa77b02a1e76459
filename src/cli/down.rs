//! `lab down`

use anyhow::Result;
use clap::Args as ClapArgs;

use super::args::{LabArgs, OutputArgs};
use super::session::Session;
use crate::report::{Format, Reporter};
use crate::run::Journal;
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

pub async fn down(args: DownArgs, reporter: &Reporter) -> Result<()> {
    let session = Session::open(&args.lab, reporter).await?;
    session.lock("lab down", reporter).await?;
    let journal = Journal::open(&session.state, "lab down", reporter);
    journal.started();
    let mut down = run::down::down(&session.run(&journal), args.all).await?;
    if args.all && down.left.is_empty() && session.remove_state()? {
        down.removed.push(Thing::new(ThingKind::State, session.state.display().to_string()));
    }
    if down.left.is_empty() {
        journal.done();
    }
    match args.output.output {
        Format::Json => report::data(&report::json(&down)?),
        Format::Text => report::down(&down).iter().for_each(|line| report::talk(line)),
    }
    down.check(args.all, &session.flags)
}

//! `lab down`

use anyhow::Result;
use clap::Args as ClapArgs;

use super::args::LabArgs;
use super::session::Session;
use crate::report::Format;
use crate::{report, run};

#[derive(ClapArgs)]
pub struct DownArgs {
    #[command(flatten)]
    pub lab: LabArgs,
    /// Remove the registry, its images, the network and all state as well
    #[arg(long)]
    pub all: bool,
}

pub async fn down(args: DownArgs) -> Result<()> {
    let session = Session::open(&args.lab).await?;
    let _lock = session.lock()?;
    let sink = report::sink(Format::Text, true);
    let run = session.run(&*sink);
    let mut removed = run::down::down(&run, args.all).await?;
    if args.all && session.remove_state()? {
        removed.push(format!("state in {}", session.state.display()));
    }
    for what in &removed {
        report::talk(&format!("removed {what}"));
    }
    if removed.is_empty() {
        report::talk(&format!("lab {}: nothing to remove", session.lab.name));
    }
    if !args.all {
        let kept = run::down::kept(&run);
        report::talk(&format!("kept {kept}, for a quick next `lab up`; `lab down --all` removes them"));
    }
    Ok(())
}

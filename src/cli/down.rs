//! `lab down`

use anyhow::Result;

use super::args::DownArgs;
use super::session::Session;
use crate::{report, run};

pub async fn down(args: DownArgs) -> Result<()> {
    let session = Session::open(&args.lab).await?;
    let _lock = session.lock()?;
    let sink = report::sink(true);
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

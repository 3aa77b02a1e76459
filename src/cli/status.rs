//! `lab status`

use anyhow::Result;

use super::args::StatusArgs;
use super::session::Session;
use crate::fault::{Fault, Kind};
use crate::{report, run};

pub async fn status(args: StatusArgs) -> Result<()> {
    let session = Session::open(&args.lab).await?;
    let sink = report::sink(true);
    let status = run::status::status(&session.run(&*sink)).await?;
    if args.json {
        report::data(&format!("{}\n", serde_json::to_string_pretty(&status)?));
    } else {
        report::data(&report::status(&status));
    }
    if status.healthy() {
        return Ok(());
    }
    let what = format!("lab {} is not up", session.lab.name);
    Err(Fault::new(Kind::Step, what).next(format!("lab up{}", session.flags)).error())
}

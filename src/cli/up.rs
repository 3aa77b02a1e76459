//! `lab up`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;

use super::args::{LabArgs, ReportArgs};
use super::session::Session;
use crate::components::Site;
use crate::exec::host::Machine;
use crate::report::{Format, Reporter};
use crate::run::Journal;
use crate::{exec, plan, report, run};

#[derive(ClapArgs)]
pub struct UpArgs {
    #[command(flatten)]
    pub lab: LabArgs,
    #[command(flatten)]
    pub report: ReportArgs,
    /// Run the smoke job although its last verdict still holds
    #[arg(long)]
    pub smoke: bool,
    /// Write a JUnit report of all steps and of the smoke job's checks, however the run ends
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Merge the lab's context into this kubeconfig file as well
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub merge_kubeconfig: Option<PathBuf>,
}

pub async fn up(args: UpArgs, reporter: &Reporter) -> Result<()> {
    let session = Session::open(&args.lab, reporter).await?;
    session.lock("lab up", reporter).await?;
    let journal = Journal::open(&session.state, "lab up", reporter);
    let mut run = session.run(&journal);
    run.force_smoke = args.smoke;
    run::check_host(&run, &Machine).await?;
    let plan = plan::up(&Site { lab: &session.lab, catalogue: &session.catalogue })?;
    run.up(&plan).await?;
    run::verify::foreign::warn(&run, &plan).await?;
    if let Some(path) = &args.merge_kubeconfig {
        exec::kind::merge(&session.lab.name, path).await?;
    }
    if args.report.data.output == Format::Text {
        report::talk(&format!(
            "  kubectl --kubeconfig {} get nodes\n  lab run pi{1}\n  lab status{1}",
            run.kubeconfig().display(),
            session.flags
        ));
    }
    Ok(())
}

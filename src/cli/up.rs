//! `lab up`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;

use super::args::{LabArgs, OutputArgs};
use super::session::Session;
use crate::components::Site;
use crate::exec::host::Machine;
use crate::{exec, plan, report, run};

#[derive(ClapArgs)]
pub struct UpArgs {
    #[command(flatten)]
    pub lab: LabArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Plain lines, no colour, no live display
    #[arg(long)]
    pub ci: bool,
    /// Run the smoke job although its last verdict still holds
    #[arg(long)]
    pub smoke: bool,
    /// Merge the lab's context into this kubeconfig file as well
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub merge_kubeconfig: Option<PathBuf>,
}

pub async fn up(args: UpArgs) -> Result<()> {
    let session = Session::open(&args.lab).await?;
    let _lock = session.lock()?;
    let sink = report::sink(args.output.output, args.ci);
    let mut run = session.run(&*sink);
    run.force_smoke = args.smoke;
    run::check_host(&run, &Machine).await?;
    let plan = plan::up(&Site { lab: &session.lab, catalogue: &session.catalogue })?;
    run.up(&plan).await?;
    if let Some(path) = &args.merge_kubeconfig {
        exec::kind::merge(&session.lab.name, path).await?;
    }
    report::talk(&format!(
        "  kubectl --kubeconfig {} get nodes\n  lab run pi{1}\n  lab status{1}",
        run.kubeconfig().display(),
        session.flags
    ));
    Ok(())
}

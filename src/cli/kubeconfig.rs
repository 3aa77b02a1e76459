//! `lab kubeconfig`

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args as ClapArgs, ValueHint};

use super::args::{LabArgs, OutputArgs};
use super::session::Session;
use crate::report::{Format, Kubeconfig, Reporter};
use crate::{exec, report, run};

const AFTER: &str = "Use it in this shell: export KUBECONFIG=$(lab kubeconfig --path)
Who has it is administrator of the lab. Where the file was lost, kind makes it again.";

#[derive(ClapArgs)]
#[command(after_help = AFTER)]
pub struct KubeconfigArgs {
    /// Print where the file is, not what is in it
    #[arg(long, conflicts_with = "merge")]
    pub path: bool,
    /// Merge the lab's context into this kubeconfig file, and make it the current one there
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub merge: Option<PathBuf>,
    #[command(flatten)]
    pub lab: LabArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub async fn kubeconfig(args: KubeconfigArgs, reporter: &Reporter) -> Result<()> {
    let session = Session::open(&args.lab, reporter).await?;
    let run = session.run(reporter);
    run::reach(&run).await?;
    let path = run.kubeconfig();
    if let Some(file) = &args.merge {
        exec::kind::merge(&session.lab.name, file).await?;
    }
    let context = format!("kind-{}", session.lab.name);
    if args.output.output == Format::Json {
        let path = args.merge.unwrap_or(path).display().to_string();
        report::data(&report::json(&Kubeconfig { path, context })?);
    } else if let Some(file) = &args.merge {
        let file = file.display();
        report::talk(&format!("{file} has the context {context}: kubectl --kubeconfig {file} get nodes"));
    } else if args.path {
        report::data(&format!("{}\n", path.display()));
    } else {
        report::data(&fs_err::read_to_string(path)?);
        report::talk(&format!("use it in this shell: export KUBECONFIG=$(lab kubeconfig --path{})", session.flags));
    }
    Ok(())
}

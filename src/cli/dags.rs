//! `lab dags`

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args as ClapArgs, Subcommand, ValueHint};
use serde_json::{Map, Value};

use super::args::{LabArgs, OutputArgs, ReportArgs, quoted};
use super::session::Session;
use crate::dags::{Folder, Order, files};
use crate::fault::{Fault, Kind};
use crate::plan::Plan;
use crate::report::{Format, Reporter};
use crate::run::dags::Wanted;
use crate::run::logs::LogLine;
use crate::step::{Action, Step};
use crate::{report, run};

/// How long Airflow may take to load files, and to see them in their bucket.
const PUSH: Duration = Duration::from_mins(5);

#[derive(Subcommand)]
pub enum DagsVerb {
    /// Put a folder's files into the bucket of DAGs, if Airflow can load them all
    Push(PushArgs),
    /// List DAGs, their last runs, and the files that could not be loaded
    List(ListArgs),
    /// Begin a run of a DAG
    Run(RunArgs),
    /// Show the logs of a run's tasks
    Logs(LogsArgs),
}

#[derive(ClapArgs)]
pub struct PushArgs {
    /// The folder; what is hidden in it stays behind
    #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
    /// Remove what the bucket has and the folder has not
    #[arg(long)]
    pub delete: bool,
    #[command(flatten)]
    pub lab: LabArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(ClapArgs)]
pub struct ListArgs {
    #[command(flatten)]
    pub lab: LabArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(ClapArgs)]
pub struct RunArgs {
    /// The DAG's id
    pub dag: String,
    /// Values for the DAG's params: a JSON object, or @FILE with one
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub conf: String,
    /// Follow the run to its end; exit code 5 where it fails
    #[arg(long)]
    pub wait: bool,
    /// Seconds the run may take
    #[arg(long, default_value_t = 1800, value_name = "SECONDS", requires = "wait")]
    pub timeout: u64,
    #[command(flatten)]
    pub lab: LabArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(ClapArgs)]
pub struct LogsArgs {
    /// The DAG's id
    pub dag: String,
    /// The run (default: the newest)
    pub run: Option<String>,
    /// Only this task
    #[arg(long)]
    pub task: Option<String>,
    /// This try of the tasks (default: the last)
    #[arg(long = "try", value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub attempt: Option<u32>,
    #[command(flatten)]
    pub lab: LabArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub async fn dags(verb: DagsVerb, reporter: &Reporter) -> Result<()> {
    match verb {
        DagsVerb::Push(args) => push(args, reporter).await,
        DagsVerb::List(args) => list(args, reporter).await,
        DagsVerb::Run(args) => run_dag(args, reporter).await,
        DagsVerb::Logs(args) => logs(args, reporter).await,
    }
}

async fn push(args: PushArgs, reporter: &Reporter) -> Result<()> {
    let shown = args.folder.display().to_string();
    let folder = Folder::read(&args.folder).with_context(|| {
        let next = format!("mend these; lab dags push {}{}", quoted(&shown), args.lab.typed());
        Fault::new(Kind::Config, format!("{shown} cannot be a folder of DAGs")).next(next)
    })?;
    let title = format!("{} of {shown}", files(folder.files.len()));
    let action = Action::PushDags { folder, delete: args.delete };
    act(&args.lab, Step { id: "dags", title, needs: vec![], deadline: PUSH, action }, reporter).await
}

async fn run_dag(args: RunArgs, reporter: &Reporter) -> Result<()> {
    let conf = Value::Object(conf(&args.conf)?);
    let order = Order { dag: args.dag, run: run::dag_run::unique_name(), conf };
    let title = format!("run {} of DAG {}", order.run, order.dag);
    let deadline = Duration::from_secs(args.timeout);
    let action = Action::RunDag { order, wait: args.wait };
    act(&args.lab, Step { id: "dag", title, needs: vec![], deadline, action }, reporter).await
}

/// Takes the one step that a verb consists of.
async fn act(lab: &LabArgs, step: Step, reporter: &Reporter) -> Result<()> {
    let session = Session::open(lab, reporter).await?;
    let run = session.run(reporter);
    run::reach(&run).await?;
    run.up(&Plan { lab: session.lab.name.clone(), steps: vec![step] }).await
}

async fn list(args: ListArgs, reporter: &Reporter) -> Result<()> {
    let session = Session::open(&args.lab, reporter).await?;
    let run = session.run(reporter);
    run::reach(&run).await?;
    let listing = run::dags::list(&run).await?;
    report::data(&match args.output.output {
        Format::Json => report::json(&listing)?,
        Format::Text => report::dags(&listing),
    });
    Ok(())
}

async fn logs(args: LogsArgs, reporter: &Reporter) -> Result<()> {
    let session = Session::open(&args.lab, reporter).await?;
    let run = session.run(reporter);
    run::reach(&run).await?;
    let wanted = Wanted { dag: &args.dag, run: args.run.as_deref(), task: args.task.as_deref(), attempt: args.attempt };
    let json = args.output.output == Format::Json;
    run::dags::logs(&run, &wanted, &|task, line| {
        if json {
            report::document_line(&LogLine { source: task, line })
        } else {
            report::data_line(&format!("[{task}] {line}"))
        }
    })
    .await
}

/// Values for a run: an object in JSON, here or in a file.
fn conf(text: &str) -> Result<Map<String, Value>> {
    let wrong = |what: String| Fault::new(Kind::Usage, what).next(r#"--conf '{"name": "value"}', or --conf @FILE"#);
    let (place, text) = match text.strip_prefix('@') {
        Some(path) => {
            let text =
                fs_err::read_to_string(path).with_context(|| wrong(format!("--conf: no file {path} to read")))?;
            (path, text)
        }
        None => ("--conf", text.to_owned()),
    };
    serde_json::from_str(&text).with_context(|| wrong(format!("{place} is no object in JSON")))
}

#[cfg(test)]
mod tests {
    use super::conf;
    use crate::fault;

    #[test]
    fn values_are_an_object() {
        assert_eq!(conf(r#"{"executors": 1}"#).unwrap()["executors"], 1);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("conf.json");
        fs_err::write(&path, r#"{"executors": 2}"#).unwrap();
        assert_eq!(conf(&format!("@{}", path.display())).unwrap()["executors"], 2);
        for wrong in ["", "[]", "1", "{executors: 1}", "{\"a\": 1", "@/nowhere/conf.json"] {
            let error = conf(wrong).unwrap_err();
            assert_eq!(fault::kind(&error).exit_code(), 2, "{wrong}: {error:#}");
            assert!(format!("{error:#}").contains("conf"), "{wrong}: {error:#}");
        }
    }
}

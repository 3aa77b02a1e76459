//! `lab run`

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args as ClapArgs;

use super::args::{LabArgs, ReportArgs};
use super::session::Session;
use super::suggest;
use crate::fault::{Fault, Kind};
use crate::jobs::Job;
use crate::plan::Plan;
use crate::report::Reporter;
use crate::run;
use crate::step::{Action, Step};

#[derive(ClapArgs)]
pub struct RunArgs {
    /// Name of a sample job, or a folder
    #[arg(value_parser = suggest::JOBS, hide_possible_values = true)]
    pub job: String,
    #[command(flatten)]
    pub lab: LabArgs,
    #[command(flatten)]
    pub report: ReportArgs,
    /// Seconds the job may take
    #[arg(long, default_value_t = 1800, value_name = "SECONDS")]
    pub timeout: u64,
}

pub async fn run(args: RunArgs, reporter: &Reporter) -> Result<()> {
    let job = find(&args.job)?;
    let session = Session::open(&args.lab, reporter).await?;
    let run = session.run(reporter);
    run::reach(&run).await?;
    let step = Step {
        id: "job",
        title: format!("job {}", job.name),
        needs: vec![],
        deadline: Duration::from_secs(args.timeout),
        action: Action::Job(job),
    };
    run.up(&Plan { lab: session.lab.name.clone(), steps: vec![step] }).await
}

fn find(name: &str) -> Result<Job> {
    if let Some(job) = Job::sample(name) {
        return job;
    }
    let path = Path::new(name);
    if path.is_dir() {
        return Job::folder(path).with_context(|| Fault::new(Kind::Config, format!("{name} is no job")));
    }
    let samples = Job::samples();
    let nearest = samples.iter().max_by(|a, b| strsim::jaro(a, name).total_cmp(&strsim::jaro(b, name)));
    let fault = Fault::new(
        Kind::Usage,
        format!("no sample job and no folder is called {name}; samples: {}", samples.join(", ")),
    );
    Err(match nearest {
        Some(nearest) => fault.next(format!("lab run {nearest}")),
        None => fault,
    }
    .error())
}

//! Runs a DAG: triggers it, follows its tasks, and says how it ended.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::Context;
use super::airflow::runs::{self, Task};
use super::airflow::{Airflow, Refusal, segment};
use super::wait::{Look, until};
use crate::fault::{Fault, Kind};
use crate::ports::Ports;

/// A run that is to be.
pub struct Order<'a> {
    pub dag: &'a str,
    /// Its name, which no other run of this DAG has.
    pub run: &'a str,
    /// Values for the DAG's params, as a JSON object.
    pub conf: &'a Value,
}

/// A run of a DAG, and how far it is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DagRun {
    pub dag: String,
    pub run: String,
    /// In Airflow's words: `queued`, `running`, `success` or `failed`.
    pub state: String,
    /// From its begin to its end; none before.
    pub seconds: Option<f64>,
    /// Its page, on the address that `lab open airflow` prints.
    pub page: String,
    /// In the order in which they began.
    pub tasks: Vec<TaskRun>,
}

/// A task of a run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskRun {
    /// With its number where several were made of one: `load[2]`.
    pub task: String,
    /// In Airflow's words; none before the scheduler has looked at it.
    pub state: Option<String>,
    /// Which try that is, from 1; 0 where it has not been tried.
    pub try_number: u32,
    pub seconds: Option<f64>,
    /// Why it failed, as far as its log says it.
    pub reason: Option<String>,
}

impl DagRun {
    fn new(dag: &str, run: &runs::Run, tasks: Vec<TaskRun>) -> Self {
        let page = page(dag, &run.id);
        Self { dag: dag.to_owned(), run: run.id.clone(), state: run.state.clone(), seconds: run.duration, page, tasks }
    }

    pub fn succeeded(&self) -> bool {
        self.state == "success"
    }

    /// What is to be said where it failed: the tasks that did, and why.
    pub fn failure(&self, flags: &str) -> anyhow::Error {
        let what = format!("run {} of DAG {} failed", self.run, self.dag);
        let next = format!("lab dags logs {} {}{flags}", self.dag, self.run);
        let fault = Fault::new(Kind::Step, what).next(next);
        let failed = self.tasks.iter().filter(|task| task.state.as_deref() == Some("failed"));
        let told = failed.map(|task| {
            let reason = task.reason.as_deref().unwrap_or("its log says no reason");
            format!("task {} failed in try {}: {reason}", task.task, task.try_number)
        });
        let told: Vec<String> = told.collect();
        if told.is_empty() { fault.error() } else { anyhow::Error::msg(told.join("\n")).context(fault) }
    }
}

/// A run's page below the address of Airflow's.
pub fn page(dag: &str, run: &str) -> String {
    format!("/dags/{}/runs/{}", segment(dag), segment(run))
}

/// Makes up a name that no earlier run has, and that says when it began.
pub fn unique_name() -> String {
    use rand::RngExt as _;
    let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H-%M-%SZ");
    format!("lab-{at}-{:04x}", rand::rng().random::<u16>())
}

/// Runs a DAG to its end.
///
/// # Errors
/// [`Kind::Step`] when it fails, with the tasks that did and why.
pub async fn run<P: Ports>(context: &Context<'_, P>, airflow: &Airflow<'_, P>, order: &Order<'_>) -> Result<DagRun> {
    begin(context, airflow, order).await?;
    let run = follow(context, airflow, order.dag, order.run).await?;
    if run.succeeded() { Ok(run) } else { Err(run.failure(&context.run.flags)) }
}

/// Triggers a run. An answer that is lost is no failure: Airflow makes no two runs of one name.
///
/// # Errors
/// [`Kind::Step`] where there is no such DAG, where it is paused, and where Airflow does not take the values.
pub async fn begin<P: Ports>(context: &Context<'_, P>, airflow: &Airflow<'_, P>, order: &Order<'_>) -> Result<DagRun> {
    let (dag, flags) = (order.dag, &context.run.flags);
    let known = airflow.dag(dag).await?.with_context(|| {
        Fault::new(Kind::Step, format!("Airflow has no DAG {dag}")).next(format!("lab dags list{flags}"))
    })?;
    if known.paused {
        let next = format!("lab open airflow{flags}   (the switch beside its name on /dags/{})", segment(dag));
        return Err(Fault::new(Kind::Step, format!("DAG {dag} is paused: its runs would wait")).next(next).error());
    }
    let mut asked = false;
    let run = until(context, async || {
        let answer = airflow.trigger(dag, order.run, order.conf).await;
        let again = std::mem::replace(&mut asked, true);
        match answer {
            Ok(run) => Ok(Look::Done(run)),
            Err(error) if status(&error) == Some(StatusCode::CONFLICT) && again => {
                airflow.run_of(dag, order.run).await?.map(Look::Done).context("a run that Airflow knows and has not")
            }
            Err(error) => pending(error),
        }
    })
    .await?;
    Ok(DagRun::new(dag, &run, Vec::new()))
}

/// Follows a run to its end, saying what its tasks do.
///
/// # Errors
/// [`Kind::Step`] where there is no such run. A run that fails is none.
pub async fn follow<P: Ports>(
    context: &Context<'_, P>,
    airflow: &Airflow<'_, P>,
    dag: &str,
    run: &str,
) -> Result<DagRun> {
    let (mut seen, mut last) = (BTreeMap::new(), String::new());
    let (ended, tasks) = until(context, async || {
        let (now, tasks) = match look(airflow, dag, run).await {
            Ok((Some(now), tasks)) => (now, tasks),
            Ok((None, _)) => {
                let what = format!("there is no run {run} of DAG {dag}");
                let next = format!("lab dags logs {dag}{}   (the newest run)", context.run.flags);
                return Err(Fault::new(Kind::Step, what).next(next).error());
            }
            Err(error) => return pending(error),
        };
        if last.is_empty() {
            last = format!("run {run}: {}", now.state);
        }
        for task in &tasks {
            if let Some(news) = news(task).filter(|news| seen.get(&task.name()) != Some(news)) {
                seen.insert(task.name(), news.clone());
                context.note(&news);
                last = news;
            }
        }
        Ok(if now.ended() { Look::Done((now, tasks)) } else { Look::Pending(last.clone()) })
    })
    .await?;
    let mut told = Vec::new();
    for task in &tasks {
        let failed = task.state.as_deref() == Some("failed");
        // A log that cannot be read fails no run, nor hides that it failed.
        let reason = if failed { airflow.reason((dag, run), task).await.unwrap_or_default() } else { None };
        let (name, state) = (task.name(), task.state.clone());
        told.push(TaskRun { task: name, state, try_number: task.try_number, seconds: task.duration, reason });
    }
    Ok(DagRun::new(dag, &ended, told))
}

async fn look<P: Ports>(airflow: &Airflow<'_, P>, dag: &str, run: &str) -> Result<(Option<runs::Run>, Vec<Task>)> {
    // In this order: the tasks of a run that has ended have ended.
    let Some(now) = airflow.run_of(dag, run).await? else { return Ok((None, Vec::new())) };
    Ok((Some(now), airflow.tasks(dag, run).await?))
}

/// What a task does now, where that is worth saying.
fn news(task: &Task) -> Option<String> {
    let state = task.state.as_deref()?;
    let again = if task.try_number > 1 { format!(", try {}", task.try_number) } else { String::new() };
    Some(format!("{}: {state}{again}", task.name()))
}

/// What may pass is waited for.
fn pending<T>(error: anyhow::Error) -> Result<Look<T>> {
    if Refusal::may_pass(&error) { Ok(Look::Pending(format!("{error:#}"))) } else { Err(error) }
}

fn status(error: &anyhow::Error) -> Option<StatusCode> {
    Refusal::of(error).map(|refusal| refusal.status)
}

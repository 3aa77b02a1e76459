//! Runs a DAG: triggers it, follows its tasks, and says how it ended.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use hyper::StatusCode;

use super::Context;
use super::airflow::runs::{self, Task};
use super::airflow::{Airflow, Refusal, pending, segment};
use super::wait::{Look, until};
use crate::dags::{DagRun, Order, TaskRun};
use crate::event::{Event, Outcome};
use crate::fault::{Fault, Kind};
use crate::ports::Ports;

/// What is to be said of a run that failed: the tasks that did, and why.
pub fn failure(run: &DagRun, flags: &str) -> anyhow::Error {
    let what = format!("run {} of DAG {} failed", run.run, run.dag);
    let fault = Fault::new(Kind::Step, what).next(format!("lab dags logs {} {}{flags}", run.dag, run.run));
    let failed = run.tasks.iter().filter(|task| task.state.as_deref() == Some("failed"));
    let told = failed.map(|task| {
        let reason = task.reason.as_deref().unwrap_or("its log says no reason");
        format!("task {} failed in try {}: {reason}", task.task, task.try_number)
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() { fault.error() } else { anyhow::Error::msg(told.join("\n")).context(fault) }
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

/// What `lab dags run` does: begins a run, and follows it where somebody waits for it.
///
/// # Errors
/// As [`begin`] and [`run`].
pub async fn have<P: Ports>(context: &Context<'_, P>, order: &Order, wait: bool) -> Result<Outcome> {
    let airflow = Airflow::login(context.run).await?;
    let run = if wait { run(context, &airflow, order).await? } else { begin(context, &airflow, order).await? };
    if !wait {
        context.run.sink.emit(Event::DagRun { run: run.clone() });
    }
    Ok(Outcome::Changed(format!("run {} of {}: {}", run.run, run.dag, run.state)))
}

/// Runs a DAG to its end, and says so.
///
/// # Errors
/// [`Kind::Step`] when it fails, with the tasks that did and why.
pub async fn run<P: Ports>(context: &Context<'_, P>, airflow: &Airflow<'_, P>, order: &Order) -> Result<DagRun> {
    begin(context, airflow, order).await?;
    let run = follow(context, airflow, &order.dag, &order.run).await?;
    context.run.sink.emit(Event::DagRun { run: run.clone() });
    if run.succeeded() { Ok(run) } else { Err(failure(&run, &context.run.flags)) }
}

/// Triggers a run. An answer that is lost is no failure: Airflow makes no two runs of one name.
///
/// # Errors
/// [`Kind::Usage`] where there is no such DAG, [`Kind::Step`] where it is paused, and where Airflow does not take the
/// values.
pub async fn begin<P: Ports>(context: &Context<'_, P>, airflow: &Airflow<'_, P>, order: &Order) -> Result<DagRun> {
    let (dag, flags) = (order.dag.as_str(), &context.run.flags);
    let Some(known) = airflow.dag(dag).await? else { return Err(unknown(airflow, dag, flags).await?.error()) };
    if known.paused {
        let next = format!("lab open airflow{flags}   (the switch beside its name on /dags/{})", segment(dag));
        return Err(Fault::new(Kind::Step, format!("DAG {dag} is paused: its runs would wait")).next(next).error());
    }
    let mut asked = false;
    let run = until(context, async || {
        let answer = airflow.trigger(dag, &order.run, &order.conf).await;
        let again = std::mem::replace(&mut asked, true);
        match answer {
            Ok(run) => Ok(Look::Done(run)),
            Err(error) if status(&error) == Some(StatusCode::CONFLICT) && again => {
                airflow.run_of(dag, &order.run).await?.map(Look::Done).context("a run that Airflow knows and has not")
            }
            Err(error) => pending(error),
        }
    })
    .await?;
    Ok(told(dag, &run, Vec::new()))
}

/// What is said of a DAG that is not there: the nearest, and where files could not be loaded, that.
pub async fn unknown<P: Ports>(airflow: &Airflow<'_, P>, dag: &str, flags: &str) -> Result<Fault> {
    let dags: Vec<String> = airflow.dags().await?.into_iter().map(|dag| dag.id).collect();
    let broken = airflow.import_errors().await?.len();
    let nearest = dags.iter().max_by(|a, b| strsim::jaro(a, dag).total_cmp(&strsim::jaro(b, dag)));
    let there = if dags.is_empty() { "none".to_owned() } else { dags.join(", ") };
    let lost = if broken > 0 { format!("; {broken} files could not be loaded") } else { String::new() };
    let fault = Fault::new(Kind::Usage, format!("Airflow has no DAG {dag}; there are {there}{lost}"));
    Ok(match nearest.filter(|_| broken == 0) {
        Some(nearest) => fault.next(format!("lab dags run {nearest}{flags}")),
        None => fault.next(format!("lab dags list{flags}")),
    })
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
    let mut all = Vec::new();
    for task in &tasks {
        // What cannot be read fails no run, nor hides that it failed.
        let (result, reason) = match task.state.as_deref() {
            Some("success") => (airflow.result((dag, run), task).await.unwrap_or_default(), None),
            Some("failed") => (None, airflow.reason((dag, run), task).await.unwrap_or_default()),
            _ => (None, None),
        };
        let (name, state) = (task.name(), task.state.clone());
        all.push(TaskRun { task: name, state, try_number: task.try_number, seconds: task.duration, result, reason });
    }
    Ok(told(dag, &ended, all))
}

fn told(dag: &str, run: &runs::Run, tasks: Vec<TaskRun>) -> DagRun {
    let page = page(dag, &run.id);
    DagRun { dag: dag.to_owned(), run: run.id.clone(), state: run.state.clone(), seconds: run.duration, page, tasks }
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

fn status(error: &anyhow::Error) -> Option<StatusCode> {
    Refusal::of(error).map(|refusal| refusal.status)
}

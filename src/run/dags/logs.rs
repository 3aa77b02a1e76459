//! The logs of a run's tasks, wherever their pods are by now.

use std::ops::ControlFlow;

use anyhow::{Result, anyhow};

use crate::fault::{Fault, Kind};
use crate::ports::Ports;
use crate::run::airflow::task_log::Message;
use crate::run::airflow::{Airflow, runs};
use crate::run::{Run, dag_run};

/// Whose log: a run's, or that of one of its tasks, or of one of its tries.
pub struct Wanted<'a> {
    pub dag: &'a str,
    /// The newest where none is named.
    pub run: Option<&'a str>,
    /// All where none is named.
    pub task: Option<&'a str>,
    /// The last where none is named.
    pub attempt: Option<u32>,
}

/// Hands over every line with the task it is of, until nobody takes lines any more.
///
/// # Errors
/// [`Kind::Usage`] where there is no such DAG, run, task or try.
pub async fn logs<P: Ports>(
    run: &Run<'_, P>,
    wanted: &Wanted<'_>,
    take: &dyn Fn(&str, &str) -> ControlFlow<()>,
) -> Result<()> {
    let airflow = Airflow::login(run).await?;
    let (dag, flags) = (wanted.dag, &run.flags);
    if airflow.dag(dag).await?.is_none() {
        return Err(dag_run::unknown(&airflow, dag, flags).await?.error());
    }
    let nothing = |what: String, next: String| Err(Fault::new(Kind::Usage, what).next(next).error());
    let found = match wanted.run {
        Some(run) => airflow.run_of(dag, run).await?,
        None => airflow.newest_run(dag).await?,
    };
    let Some(found) = found else {
        return match wanted.run {
            Some(run) => nothing(
                format!("there is no run {run} of DAG {dag}"),
                format!("lab dags logs {dag}{flags}   (the newest run)"),
            ),
            None => nothing(format!("DAG {dag} has not run yet"), format!("lab dags run {dag}{flags}")),
        };
    };
    let tasks = airflow.tasks(dag, &found.id).await?;
    let is_wanted = |task: &&runs::Task| {
        wanted.task.is_none_or(|name| task.task_id == name || task.name() == name)
            && wanted.attempt.map_or(task.try_number > 0, |attempt| (1..=task.try_number).contains(&attempt))
    };
    let chosen: Vec<&runs::Task> = tasks.iter().filter(is_wanted).collect();
    if chosen.is_empty() {
        let tried = |task: &runs::Task| format!("{} ({} tries)", task.name(), task.try_number);
        let there = tasks.iter().map(tried).collect::<Vec<_>>().join(", ");
        let what = format!("run {} of DAG {dag} has no such log; its tasks are {there}", found.id);
        return nothing(what, format!("lab dags logs {dag} {}{flags}", found.id));
    }
    for task in chosen {
        let (name, attempt) = (task.name(), wanted.attempt.unwrap_or(task.try_number));
        let mut left = false;
        let mut say = |message: Message| {
            left = message.lines().iter().any(|line| take(&name, line).is_break());
            if left { Err(anyhow!("nobody reads")) } else { Ok(()) }
        };
        let read = airflow.task_log((dag, &found.id), task, attempt, &mut say).await;
        if left {
            return Ok(());
        }
        read?;
    }
    Ok(())
}

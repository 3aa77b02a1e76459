//! DAGs and their runs as people read them.

use std::time::Duration;

use super::duration;
use crate::dags::DagRun;
use crate::run::dags::Listing;

/// What `lab dags list` prints.
pub fn dags(listing: &Listing) -> String {
    let width = listing.dags.iter().map(|dag| dag.dag.len()).max().unwrap_or(0).max(3);
    let mut text = format!("{:<width$}  {:<12} {:<9} {}\n", "DAG", "source", "last run", "at");
    for dag in &listing.dags {
        let (state, at) = match &dag.last_run {
            Some(run) => (run.state.as_str(), run.at.as_str()),
            None => ("-", ""),
        };
        let paused = if dag.paused { "  paused" } else { "" };
        let source = dag.source.as_deref().unwrap_or("-");
        let line = format!("{:<width$}  {source:<12} {state:<9} {at}{paused}", dag.dag);
        text.push_str(&format!("{}\n", line.trim_end()));
    }
    for file in &listing.broken {
        let source = file.source.as_deref().map(|source| format!("{source}/")).unwrap_or_default();
        text.push_str(&format!("cannot be loaded: {source}{}: {}\n", file.file, file.message));
    }
    text
}

/// A run with its tasks, a line each.
pub fn dag_run(run: &DagRun) -> String {
    let time = |seconds: Option<f64>| {
        seconds.and_then(|it| Duration::try_from_secs_f64(it).ok()).map(duration).unwrap_or_default()
    };
    let took = run.seconds.map(|_| format!(" ({})", time(run.seconds))).unwrap_or_default();
    let mut text = format!("run {} of DAG {}: {}{took}", run.run, run.dag, run.state);
    let width = run.tasks.iter().map(|task| task.task.len()).max().unwrap_or(0);
    for task in &run.tasks {
        let state = task.state.as_deref().unwrap_or("not begun");
        let result = task.result.as_ref().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let said = task.reason.clone().or(result).unwrap_or_default();
        let line = format!("  {:<width$}  {state:<10} {:<8} {said}", task.task, time(task.seconds));
        text.push_str(&format!("\n{}", line.trim_end()));
    }
    text.push_str(&format!("\n  page {} of lab open airflow", run.page));
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::dag_run;
    use crate::dags::{DagRun, TaskRun};

    #[test]
    fn a_run_is_told_with_what_its_tasks_returned() {
        let task = |task: &str, state: &str, result, reason: Option<&str>| TaskRun {
            task: task.to_owned(),
            state: Some(state.to_owned()),
            try_number: 1,
            seconds: Some(2.25),
            result,
            reason: reason.map(str::to_owned),
        };
        let run = DagRun {
            dag: "orders".to_owned(),
            run: "run-1".to_owned(),
            state: "failed".to_owned(),
            seconds: Some(62.0),
            page: "/dags/orders/runs/run-1".to_owned(),
            tasks: vec![
                task("extract", "success", Some(json!("3 rows")), None),
                task("load", "failed", None, Some("no such table")),
            ],
        };
        assert_eq!(
            dag_run(&run),
            "run run-1 of DAG orders: failed (1 min 2 s)\n  extract  success    2.2 s    3 rows\n  \
             load     failed     2.2 s    no such table\n  page /dags/orders/runs/run-1 of lab open airflow"
        );
    }
}

//! A run of a DAG, from its trigger to its end.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::airflow::{asked, bench, script};
use super::world::airflow::{Reply, RunEnd};
use super::{Bench, next, told};
use crate::dags::{DagRun, Order};
use crate::run::airflow::Airflow;
use crate::run::dag_run::{self, unique_name};

/// A lab with a DAG whose runs end like this.
fn ending(end: RunEnd) -> Bench {
    let bench = bench();
    let airflow = bench.world.state().airflow.clone();
    let mut airflow = airflow.lock().unwrap();
    airflow.add_dag("orders", "dags", "2026-11-21T10:00:00Z");
    airflow.end = end;
    airflow.logs.insert(("load".to_owned(), 2), failed_log());
    bench
}

fn failed_log() -> Vec<Value> {
    vec![
        json!({ "event": "::group::Log message source details", "sources": ["s3://airflow-logs/x"] }),
        json!({ "timestamp": "2026-11-21T10:00:02Z", "level": "info", "event": "[spark-kubernetes-driver] ValueError: no such table" }),
        json!({ "event": "Task failed with exception", "level": "error", "error_detail": [
            { "exc_type": "AirflowException", "exc_value": "Pod orders-driver returned a failure.\nremote_pod: …", "frames": [] },
        ] }),
    ]
}

async fn ran(bench: &Bench, conf: Value) -> Result<DagRun> {
    let run = bench.run();
    let airflow = Airflow::login(&run).await.unwrap();
    let order = Order { dag: "orders".to_owned(), run: "run-1".to_owned(), conf };
    run.within("test", Duration::from_mins(2), async |context| dag_run::run(context, &airflow, &order).await).await
}

#[tokio::test(start_paused = true)]
async fn a_run_is_followed_to_its_end() {
    let bench = ending(RunEnd::Success);
    let run = ran(&bench, json!({ "day": 1 })).await.unwrap();
    assert_eq!(
        (run.state.as_str(), run.seconds, run.page.as_str()),
        ("success", Some(12.5), "/dags/orders/runs/run-1")
    );
    let tasks: Vec<_> =
        run.tasks.iter().map(|task| (task.task.as_str(), task.state.as_deref(), task.try_number)).collect();
    assert_eq!(tasks, [("extract", Some("success"), 1), ("load", Some("success"), 2)]);
    assert_eq!(
        bench.said.notes(),
        ["run run-1: queued", "extract: running", "extract: success", "load: up_for_retry", "load: success, try 2"]
    );
    let state = bench.world.state();
    let given = state.airflow.lock().unwrap().runs[&("orders".to_owned(), "run-1".to_owned())].1.clone();
    assert_eq!(given, json!({ "day": 1 }));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_names_the_task_and_the_reason() {
    let bench = ending(RunEnd::Failure);
    let error = ran(&bench, json!({})).await.unwrap_err();
    let (code, text) = told(&error);
    assert_eq!(code, 5);
    assert_eq!(
        text,
        "run run-1 of DAG orders failed: task load failed in try 2: \
         AirflowException: Pod orders-driver returned a failure.; ValueError: no such table"
    );
    assert_eq!(next(&error), "lab dags logs orders run-1 --name lab");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_read_does_not_hide_the_failure() {
    let bench = ending(RunEnd::Failure);
    script(&bench, "GET /api/v2/dags/orders/dagRuns/run-1/taskInstances/load/logs", 1, Reply::Status(500, Value::Null));
    let (code, text) = told(&ran(&bench, json!({})).await.unwrap_err());
    assert!(code == 5 && text.ends_with("task load failed in try 2: its log says no reason"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn lost_answers_fail_no_run() {
    let bench = ending(RunEnd::Success);
    for reply in [Reply::Lost, Reply::Hang, Reply::Status(500, Value::Null), Reply::Text("<html>"), Reply::BreaksOff] {
        script(&bench, "GET /api/v2/dags/orders/dagRuns/run-1", 1, reply);
    }
    ran(&bench, json!({})).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_trigger_whose_answer_was_lost_makes_no_second_run() {
    let bench = ending(RunEnd::Success);
    script(&bench, "POST /api/v2/dags/orders/dagRuns", 1, Reply::Lost);
    ran(&bench, json!({})).await.unwrap();
    assert_eq!(asked(&bench).iter().filter(|question| *question == "POST /api/v2/dags/orders/dagRuns").count(), 2);
    assert_eq!(bench.world.state().airflow.lock().unwrap().runs.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_is_refused() {
    let bench = ending(RunEnd::Success);
    ran(&bench, json!({})).await.unwrap();
    let (code, text) = told(&ran(&bench, json!({})).await.unwrap_err());
    assert!(code == 5 && text.ends_with("409 Conflict: Unique constraint violation"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn values_that_airflow_does_not_take_are_quoted() {
    let bench = ending(RunEnd::Success);
    let detail = "Invalid input for param executors: 99 is greater than the maximum of 9";
    script(&bench, "POST /api/v2/dags/orders/dagRuns", 1, Reply::Status(400, json!({ "detail": detail })));
    let (code, text) = told(&ran(&bench, json!({ "executors": 99 })).await.unwrap_err());
    assert!(code == 5 && text.ends_with(&format!("400 Bad Request: {detail}")), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_never_ends_meets_its_deadline() {
    for (end, seen) in
        [(RunEnd::Runs, "last seen: load: running, try 2"), (RunEnd::Queued, "last seen: run run-1: queued")]
    {
        let (_, text) = told(&ran(&ending(end), json!({})).await.unwrap_err());
        assert!(text.starts_with("not done within 120 s; ") && text.ends_with(seen), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_somebody_deletes_is_missed() {
    let bench = ending(RunEnd::Success);
    let missing = Reply::Status(404, json!({ "detail": "The DagRun was not found" }));
    script(&bench, "GET /api/v2/dags/orders/dagRuns/run-1", 1, missing);
    let (code, text) = told(&ran(&bench, json!({})).await.unwrap_err());
    assert_eq!((code, text.as_str()), (5, "there is no run run-1 of DAG orders"));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_run_is_not_triggered() {
    let bench = ending(RunEnd::Success);
    bench.world.state().airflow.lock().unwrap().dags[0]["is_paused"] = json!(true);
    let error = ran(&bench, json!({})).await.unwrap_err();
    assert_eq!(told(&error), (5, "DAG orders is paused: its runs would wait".to_owned()));
    assert!(next(&error).starts_with("lab open airflow --name lab"), "{}", next(&error));
    bench.world.state().airflow.lock().unwrap().dags.clear();
    let error = ran(&bench, json!({})).await.unwrap_err();
    assert_eq!(
        (told(&error), next(&error)),
        ((2, "Airflow has no DAG orders; there are none".to_owned()), "lab dags list --name lab".to_owned())
    );
    let airflow = bench.world.state().airflow.clone();
    airflow.lock().unwrap().add_dag("order", "dags", "2026-11-21T10:00:00Z");
    let error = ran(&bench, json!({})).await.unwrap_err();
    assert_eq!(next(&error), "lab dags run order --name lab");
    assert!(bench.world.state().airflow.lock().unwrap().runs.is_empty());
}

#[test]
fn names_of_runs_differ_and_are_what_airflow_allows() {
    let (one, other) = (unique_name(), unique_name());
    assert_ne!(one, other);
    assert!(one.chars().all(|letter| letter.is_ascii_alphanumeric() || "_.~:+-".contains(letter)), "{one}");
}

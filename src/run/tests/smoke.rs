//! The smoke job: its verdict, what makes it run again, and what a failure says.

use super::world::{JobEnd, Say};
use super::{Bench, next, told};
use crate::components::{RECORD, SYSTEM_NAMESPACE};
use crate::images::path_and_tag;
use crate::run::Record;
use crate::step::Action;

/// Runs the smoke step of a lab that stands; how often a job was submitted.
async fn submitted(bench: &Bench) -> usize {
    bench.world.heal();
    bench.act(Action::Smoke).await.unwrap();
    bench.world.count("apply SparkApplication")
}

/// How many objects a smoke job has left.
fn data(bench: &Bench) -> usize {
    bench.world.state().store.keys().filter(|path| path.starts_with("lab/jobs/")).count()
}

async fn record(bench: &Bench) -> Option<Record> {
    Record::read(&bench.world).await.unwrap()
}

/// A lab whose smoke job ends like this: exit code, text and next command. The small one has no Airflow.
async fn ending(end: JobEnd) -> (Bench, u8, String, String) {
    ending_of(Bench::small(), end).await
}

async fn ending_of(bench: Bench, end: JobEnd) -> (Bench, u8, String, String) {
    bench.world.state().jobs.end = end;
    let error = bench.up().await.unwrap_err();
    let (code, text) = told(&error);
    (bench, code, text, next(&error))
}

#[tokio::test(start_paused = true)]
async fn the_verdict_is_recorded_and_the_data_removed() {
    let bench = Bench::full().made().await;
    let record = record(&bench).await.unwrap();
    assert!(record.verdict.passed);
    assert_eq!((record.verdict.executors.len(), record.verdict.pages), (3, 2000));
    assert!(record.at.parse::<jiff::Timestamp>().is_ok(), "{}", record.at);
    assert_eq!(data(&bench), 0);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_rank_fails_the_verification() {
    let (bench, code, text, next) = ending(JobEnd::WrongRank).await;
    assert_eq!(code, 6);
    assert!(text.contains("gave a wrong result") && text.contains("1 of 2000 ranks are wrong"), "{text}");
    assert!(next.starts_with("lab up --smoke --name lab"), "{next}");
    let record = record(&bench).await.unwrap();
    assert!(!record.verdict.passed);
    // Whoever looks for the reason finds input and output.
    assert_eq!(data(&bench), 3);
}

#[tokio::test(start_paused = true)]
async fn two_executors_fail_the_verification() {
    let (_, code, text, _) = ending(JobEnd::TwoExecutors).await;
    assert!(code == 6 && text.contains("2 executor pods ran, not 3"), "{code} {text}");
}

#[tokio::test(start_paused = true)]
async fn a_crashed_job_is_a_failed_step_with_the_drivers_last_lines() {
    let (bench, code, text, next) = ending(JobEnd::Crash).await;
    assert_eq!(code, 5);
    assert!(text.contains("FAILED driver container failed with ExitCode: 1"), "{text}");
    assert!(text.contains("the driver's last lines:") && text.ends_with("ValueError: no such table"), "{text}");
    assert!(next.contains("describe sparkapplication smoke-"), "{next}");
    assert_eq!(record(&bench).await, None);
}

#[tokio::test(start_paused = true)]
async fn airflow_runs_it_where_there_is_one() {
    let bench = Bench::full().made().await;
    let verdict = record(&bench).await.unwrap().verdict;
    assert_eq!(bench.world.count("apply SparkApplication"), 0, "the task makes it");
    assert!(verdict.page.unwrap().starts_with("/dags/spark_pagerank/runs/smoke-"));
    assert!(verdict.durations.contains_key("run of the DAG"), "{:?}", verdict.durations);
    assert!(Bench::small().made().await.world.state().airflow.lock().unwrap().runs.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_crash_below_airflow_names_the_task_and_the_drivers_error() {
    let (bench, code, text, next) = ending_of(Bench::full(), JobEnd::Crash).await;
    assert!(
        code == 5 && text.contains("task load failed in try 2: ") && text.contains("ValueError: no such table"),
        "{text}"
    );
    assert!(next.starts_with("lab dags logs spark_pagerank smoke-"), "{next}");
    assert_eq!(record(&bench).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_rank_below_airflow_fails_the_verification() {
    let (_, code, text, _) = ending_of(Bench::full(), JobEnd::WrongRank).await;
    assert!(code == 6 && text.contains("1 of 2000 ranks are wrong"), "{code} {text}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_nobody_saw_the_end_of_is_ended_before_the_next() {
    let bench = Bench::full();
    bench.world.state().jobs.end = JobEnd::Runs;
    let (code, text) = told(&bench.up().await.unwrap_err());
    assert!(code == 5 && text.contains("not done within 600 s"), "{code} {text}");
    let applications = |bench: &Bench| {
        let state = bench.world.state();
        let names = state.objects.keys().filter(|key| key[0] == "SparkApplication").map(|key| key[2].clone());
        names.collect::<Vec<_>>()
    };
    let left = applications(&bench);
    bench.act(Action::Smoke).await.unwrap_err();
    let stopped = bench.world.state().airflow.lock().unwrap().stopped.clone();
    assert_eq!(stopped.iter().map(|run| format!("smoke-of-{run}")).collect::<Vec<_>>(), left);
    assert!(applications(&bench).iter().all(|name| !left.contains(name)), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn a_verdict_that_holds_is_not_asked_for_again() {
    let bench = Bench::small().made().await;
    assert_eq!(submitted(&bench).await, 0);
}

#[tokio::test(start_paused = true)]
async fn on_wish_it_is_asked_for_again() {
    let mut bench = Bench::small().made().await;
    bench.force_smoke = true;
    let first = record(&bench).await.unwrap().verdict.seed;
    assert_eq!(submitted(&bench).await, 1);
    assert_ne!(record(&bench).await.unwrap().verdict.seed, first, "every execution asks another question");
}

#[tokio::test(start_paused = true)]
async fn other_sizes_or_images_ask_again() {
    let mut bench = Bench::small().made().await;
    bench.lab.smoke.executor.memory = "600m".parse().unwrap();
    assert_eq!(submitted(&bench).await, 1);
    assert_eq!(submitted(&bench).await, 0);
    let (path, tag) = path_and_tag(bench.catalogue.reference("spark").unwrap());
    bench.world.state().registry.insert(format!("{path}:{tag}"), "sha256:new".to_owned());
    assert_eq!(submitted(&bench).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_verdict_asks_again() {
    let (bench, ..) = ending(JobEnd::WrongRank).await;
    bench.world.state().jobs.end = JobEnd::Right;
    assert_eq!(submitted(&bench).await, 1);
    assert!(record(&bench).await.unwrap().verdict.passed);
}

#[tokio::test(start_paused = true)]
async fn a_record_of_another_version_asks_again() {
    let bench = Bench::small().made().await;
    let key = ["ConfigMap", SYSTEM_NAMESPACE, RECORD].map(str::to_owned);
    bench.world.state().objects.get_mut(&key).unwrap()["data"]["smoke.json"] = "{}".into();
    assert_eq!(submitted(&bench).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_cannot_be_read_is_no_pass() {
    let bench = Bench::small();
    bench.world.script("exec minio-0 mc --no-color --quiet cat", Say::Fail("connection reset"));
    let (code, text) = told(&bench.up().await.unwrap_err());
    assert!(code == 5 && text.contains("connection reset"), "{code} {text}");
    assert_eq!(record(&bench).await, None);
}

//! DAG files of the world in memory, as far as Airflow's own processes have to do with them: they are parsed as soon
//! as they are in a bucket, checked on wish, and the sample DAG runs its Spark job.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use super::airflow::{self, RunEnd};
use super::{State, spark};
use lab::components::{DAGS_BUCKET, JOBS_NAMESPACE, SAMPLE_DAGS_BUCKET};
use lab::ports::Output;

/// The sample DAG that runs a Spark job here.
const SPARK: &str = "spark_pagerank";
/// A file with this word in a line cannot be loaded.
const BROKEN: &str = "broken:";

/// Ids of the DAGs in a file.
fn ids(text: &str) -> Vec<String> {
    let calls = text.split("DAG(").skip(1);
    let id = |rest: &str| rest.trim_start().strip_prefix('"')?.split('"').next().map(str::to_owned);
    calls.filter_map(id).collect()
}

fn is_python(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "py")
}

/// What `check.py` says of the files in a tar.
pub fn check(tar: &[u8]) -> Result<Output> {
    let (mut dags, mut errors) = (BTreeMap::new(), Vec::new());
    for entry in tar::Archive::new(tar).entries()? {
        let mut entry = entry?;
        let file = entry.path()?.to_string_lossy().into_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text)?;
        let broken = text.lines().zip(1..).find(|(line, _)| line.contains(BROKEN));
        if let Some((line, number)) = broken.filter(|_| is_python(&file)) {
            errors.push(json!({ "file": file, "line": number, "message": line }));
            continue;
        }
        for id in ids(&text).into_iter().filter(|_| is_python(&file)) {
            if let Some(other) = dags.insert(id.clone(), file.clone()) {
                let message = format!("AirflowDagDuplicatedIdException: {id} is in {other} as well");
                errors.push(json!({ "file": file, "line": null, "message": message }));
            }
        }
    }
    let dags: Vec<Value> = dags.into_iter().map(|(id, file)| json!({ "id": id, "file": file })).collect();
    let stdout = serde_json::to_vec(&json!({ "dags": dags, "errors": errors }))?;
    Ok(Output { stdout, ..Output::default() })
}

/// What the DAG processor and the scheduler do meanwhile.
pub fn work(state: &mut State) {
    if !state.dags_are_late {
        parse(state);
    }
    run_spark(state);
}

/// Takes over what the buckets have.
fn parse(state: &mut State) {
    let airflow = state.airflow.clone();
    let mut airflow = airflow::lock(&airflow);
    for (path, content) in &state.store {
        let Some((bucket, file)) = path.split_once('/') else { continue };
        if ![DAGS_BUCKET, SAMPLE_DAGS_BUCKET].contains(&bucket) || !is_python(file) {
            continue;
        }
        let text = String::from_utf8_lossy(content);
        for id in ids(&text) {
            if airflow.sources.get(&id).is_none_or(|old| *old != text) {
                airflow.sources.insert(id.clone(), text.clone().into_owned());
                let parsed = jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(state.numbers.cast_signed());
                state.numbers += 1;
                airflow.add_dag(&id, bucket, &parsed.to_string());
            }
        }
    }
}

/// Runs of the sample DAG have a Spark application each, and end as it does.
fn run_spark(state: &mut State) {
    let airflow = state.airflow.clone();
    let runs = airflow::lock(&airflow).runs.clone();
    for ((dag, run), (_, conf)) in runs.into_iter().filter(|((dag, _), _)| dag == SPARK) {
        let name = format!("smoke-of-{run}");
        let key = ["SparkApplication", JOBS_NAMESPACE, &name].map(str::to_owned);
        if airflow::lock(&airflow).stopped.contains(&run) {
            // The operator takes away what its task has begun.
            state.objects.remove(&key);
            spark::forget(state, &name);
            continue;
        }
        if airflow::lock(&airflow).submitted.insert(run.clone()) {
            let arguments = json!([conf["input"], conf["output"], conf["iterations"].to_string(), "3"]);
            let labels = json!({ "dag_id": dag, "run_id": run });
            let application = json!({
                "apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication",
                "metadata": { "namespace": JOBS_NAMESPACE, "name": name, "creationTimestamp": "now" },
                "spec": { "arguments": arguments, "driver": { "labels": labels }, "executor": { "labels": labels } },
            });
            spark::submit(state, &application);
            state.objects.insert(key.clone(), application);
        }
        spark::advance(state, &name);
        let Some(application) = state.objects.get(&key) else { continue };
        let end = match application.pointer("/status/applicationState/state").and_then(Value::as_str) {
            Some("COMPLETED") => RunEnd::Success,
            Some("FAILED" | "SUBMISSION_FAILED") => RunEnd::Failure,
            _ => RunEnd::Runs,
        };
        let mut airflow = airflow::lock(&airflow);
        airflow.end = end;
        let line = "[spark-kubernetes-driver] ValueError: no such table";
        airflow.logs.insert(("load".to_owned(), 2), vec![json!({ "event": line, "level": "info" })]);
    }
}

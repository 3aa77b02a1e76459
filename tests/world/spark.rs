//! Spark Operator and Spark of the world in memory: a job moves on each time somebody looks at it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::State;
use lab::components::JOBS_NAMESPACE;
use lab::smoke::{graph, rank};

/// How jobs end.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum JobEnd {
    #[default]
    Right,
    /// One rank is off by a millionth.
    WrongRank,
    TwoExecutors,
    /// The driver ends with an error.
    Crash,
    /// The operator cannot submit it.
    Refused,
    /// The driver never gets a node.
    Waits,
    /// The driver never ends.
    Runs,
}

#[derive(Default)]
pub struct Jobs {
    pub end: JobEnd,
    /// Application → how often it was looked at.
    looks: BTreeMap<String, u32>,
    /// Application → bucket and folder of its input and output.
    places: BTreeMap<String, String>,
    iterations: u32,
}

pub fn submit(state: &mut State, application: &Value) {
    let name = application["metadata"]["name"].as_str().unwrap_or_default();
    state.jobs.looks.insert(name.to_owned(), 0);
    let argument = |index: usize| application["spec"]["arguments"][index].as_str().unwrap_or_default();
    let place = argument(0).trim_start_matches("s3a://").trim_end_matches("/input");
    state.jobs.places.insert(name.to_owned(), place.to_owned());
    state.jobs.iterations = argument(2).parse().unwrap_or_default();
    state.logs.insert(format!("{name}-driver"), "reading the input\nTraceback\nValueError: no such table\n".to_owned());
}

/// What belongs to an application goes with it.
pub fn forget(state: &mut State, name: &str) {
    state.jobs.looks.remove(name);
    let owned = |object: &Value| {
        object["metadata"]["ownerReferences"][0]["name"] == name
            || object["metadata"]["labels"]["sparkoperator.k8s.io/app-name"] == name
    };
    state.objects.retain(|_, object| !owned(object));
}

/// Submitted, pending, running twice, and then the end.
pub fn advance(state: &mut State, name: &str) {
    let Some(looks) = state.jobs.looks.get_mut(name) else { return };
    *looks += 1;
    let looks = *looks;
    let driver = format!("{name}-driver");
    match (looks, state.jobs.end) {
        (1, _) => {}
        (2.., JobEnd::Refused) => finish(state, name, "SUBMISSION_FAILED", "webhook denied the driver"),
        (2, _) | (_, JobEnd::Waits) => pod(state, &driver, name, "driver", &pending()),
        (3 | 4, _) | (_, JobEnd::Runs) => {
            pod(state, &driver, name, "driver", &json!({ "phase": "Running" }));
            set_state(state, name, "RUNNING", "");
        }
        (_, JobEnd::Crash) => {
            pod(state, &driver, name, "driver", &ended("Failed", 1));
            finish(state, name, "FAILED", "driver container failed with ExitCode: 1, Reason: Error");
        }
        (_, end) => {
            compute(state, name, end);
            pod(state, &driver, name, "driver", &ended("Succeeded", 0));
            finish(state, name, "COMPLETED", "");
        }
    }
}

fn pending() -> Value {
    json!({
        "phase": "Pending",
        "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "Insufficient cpu",
        }],
    })
}

fn ended(phase: &str, code: u8) -> Value {
    let reason = if code == 0 { "Completed" } else { "Error" };
    let state = json!({ "terminated": { "exitCode": code, "reason": reason } });
    json!({ "phase": phase, "containerStatuses": [{ "state": state }] })
}

/// On the first worker, unless it still waits for one.
fn pod(state: &mut State, pod: &str, application: &str, role: &str, status: &Value) {
    let node = workers(state).into_iter().next().filter(|_| status["phase"] != "Pending");
    let key = ["SparkApplication", JOBS_NAMESPACE, application].map(str::to_owned);
    let own = state.objects.get(&key).and_then(|object| object["spec"][role]["labels"].as_object().cloned());
    let mut labels = own.unwrap_or_default();
    labels.insert("spark-role".to_owned(), role.into());
    labels.insert("sparkoperator.k8s.io/app-name".to_owned(), application.into());
    let object = json!({
        "kind": "Pod", "status": status, "spec": { "nodeName": node },
        "metadata": { "namespace": JOBS_NAMESPACE, "name": pod, "labels": labels },
    });
    state.objects.insert(["Pod".to_owned(), JOBS_NAMESPACE.to_owned(), pod.to_owned()], object);
}

fn workers(state: &State) -> Vec<String> {
    state.container_names().iter().filter(|name| name.contains("-worker")).map(|&name| name.to_owned()).collect()
}

fn finish(state: &mut State, name: &str, end: &str, message: &str) {
    set_state(state, name, end, message);
    state.jobs.looks.remove(name);
}

fn set_state(state: &mut State, name: &str, now: &str, message: &str) {
    let key = ["SparkApplication", JOBS_NAMESPACE, name].map(str::to_owned);
    if let Some(object) = state.objects.get_mut(&key) {
        let mut state = json!({ "state": now });
        if !message.is_empty() {
            state["errorMessage"] = message.into();
        }
        object["status"] = json!({ "applicationState": state });
    }
}

/// Executors on the workers, and the answer where the job has a question.
fn compute(state: &mut State, name: &str, end: JobEnd) {
    let workers = workers(state);
    let count = if end == JobEnd::TwoExecutors { 2 } else { 3 };
    let executors: Vec<String> = (1..=count).map(|number| format!("{name}-exec-{number}")).collect();
    for (executor, worker) in executors.iter().zip(workers.iter().cycle()) {
        pod(state, executor, name, "executor", &ended("Succeeded", 0));
        let key = ["Pod", JOBS_NAMESPACE, executor].map(str::to_owned);
        state.objects.entry(key).and_modify(|pod| pod["spec"]["nodeName"] = worker.as_str().into());
    }
    let base = state.jobs.places[name].clone();
    let Some(input) = state.store.get(&format!("{base}/input/edges.tsv")) else { return };
    let graph = graph::parse(input).expect("a graph");
    let iterations = state.jobs.iterations;
    let mut ranks = rank::page_ranks(&graph, iterations);
    if end == JobEnd::WrongRank {
        ranks[0] += 1e-6;
    }
    let ranks: Vec<String> = graph.pages.iter().zip(&ranks).map(|(page, rank)| format!("{page}\t{rank}\n")).collect();
    let records = graph.pages.len() * usize::try_from(iterations).expect("a number") / executors.len() + 1;
    let work = |(number, pod): (usize, &String)| json!({ "executor": number.to_string(), "pod": pod, "tasks": 10, "records": records, "seconds": 0.5 });
    let work: Vec<String> = executors.iter().enumerate().map(|one| format!("{}\n", work(one))).collect();
    state.store.insert(format!("{base}/output/ranks/part-00000"), ranks.concat().into_bytes());
    state.store.insert(format!("{base}/output/executors/part-00000"), work.concat().into_bytes());
}

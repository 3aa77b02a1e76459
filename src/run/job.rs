//! Runs a Spark job: submits it, follows its driver's log, and says how it ended.

use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures::future::{Either, select};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::wait::{Look, until};
use super::{Context, diagnose, store};
use crate::components::{DRIVER_ACCOUNT, JOBS_NAMESPACE, JOBS_SECRET, STORE_ENDPOINT};
use crate::config::Size;
use crate::event::{Event, Warning};
use crate::fault::{Fault, Kind};
use crate::jobs::Job;
use crate::ports::{self, Kube as _, LogQuery, Ports};
use crate::smoke::placement::{EXECUTORS, Pod};
use crate::{render, run::Run};

/// How many of a failed driver's last lines are searched for the reason.
const READ_LINES: i64 = 400;
/// How long the last lines of a log may be on their way after the job's end.
const LAST_LINES: Duration = Duration::from_secs(5);
/// The states in which an application stays.
pub const STATES: [&str; 3] = ["COMPLETED", "FAILED", "SUBMISSION_FAILED"];

/// How a job that completed ran.
pub struct Finished {
    pub application: String,
    pub pods: Vec<Pod>,
    /// From submission to the driver's start.
    pub waited: Duration,
    /// From the driver's start to the end.
    pub ran: Duration,
}

/// Makes up a name that no earlier run has.
pub fn unique_name(job: &str) -> String {
    use rand::RngExt as _;
    // The operator derives pod and Service names of at most 63 characters from it.
    format!("{job:.30}-{:06x}", rand::rng().random::<u32>() & 0x00ff_ffff)
}

/// Bucket and folder of a run's input and output.
pub fn folder<P: Ports>(run: &Run<'_, P>, application: &str) -> String {
    format!("{}/jobs/{application}", run.lab.object_store.bucket)
}

/// The values that a job's template may use; sample-jobs/README.md lists them for people.
pub fn values<P: Ports>(run: &Run<'_, P>, application: &str) -> Result<Value> {
    let (lab, smoke) = (run.lab, &run.lab.smoke);
    let size = |size: &Size| json!({ "cpu_request": size.cpu_request, "memory": size.memory });
    let base = format!("s3a://{}", folder(run, application));
    Ok(json!({
        "name": application,
        "namespace": JOBS_NAMESPACE,
        "image": run.catalogue.reference("spark")?,
        "config_map": application,
        "service_account": DRIVER_ACCOUNT,
        "executors": EXECUTORS,
        "nodes": EXECUTORS.min(usize::from(lab.cluster.workers)),
        "driver": size(&smoke.driver),
        "executor": size(&smoke.executor),
        "object_store": { "endpoint": STORE_ENDPOINT, "secret": JOBS_SECRET, "bucket": lab.object_store.bucket },
        "keep_finished_seconds": lab.spark_operator.keep_finished_seconds,
        "input": format!("{base}/input"),
        "output": format!("{base}/output"),
        "iterations": smoke.iterations,
    }))
}

/// Runs a job to its end.
///
/// # Errors
/// [`Kind::Step`] when the job fails, with the driver's last lines and the reason.
pub async fn run<P: Ports>(context: &Context<'_, P>, job: &Job, application: &str) -> Result<Finished> {
    let kube = context.run.ports.kube();
    let submitted = Instant::now();
    submit(context, job, application).await?;

    let driver = format!("{application}-driver");
    let early = until(context, async || waiting_for_driver(context, application, &driver).await).await?;
    let waited = submitted.elapsed();
    let state = if let Some(state) = early {
        state
    } else {
        context.note(format!("driver {driver} runs"));
        let mut line = |text: String| context.run.sink.emit(Event::JobLog { line: text });
        let all = LogQuery::following();
        let follow = pin!(kube.read_log(JOBS_NAMESPACE, &driver, &all, &mut line));
        let end = pin!(until(context, async || ended(context, application).await));
        let (followed, state) = match select(follow, end).await {
            Either::Left((followed, end)) => (followed, end.await),
            // A stream that hangs does not hold up a job that has ended.
            Either::Right((state, follow)) => (timeout(LAST_LINES, follow).await.unwrap_or(Ok(())), state),
        };
        if let Err(error) = followed {
            let what = format!("the driver's log broke off: {error:#}");
            context.run.sink.warn(Warning::new("job-log", what));
        }
        state?
    };
    if state.0 != "COMPLETED" {
        return Err(explain(context, application, &driver, &state).await);
    }
    let pods = executors(context, application).await?;
    Ok(Finished { application: application.to_owned(), pods, waited, ran: submitted.elapsed().saturating_sub(waited) })
}

/// Makes a job's application, its files and its input.
///
/// # Errors
/// [`Kind::Config`] when its template cannot be used.
pub async fn submit<P: Ports>(context: &Context<'_, P>, job: &Job, application: &str) -> Result<()> {
    let kube = context.run.ports.kube();
    let mut objects = render::objects(&job.template, &values(context.run, application)?)
        .with_context(|| Fault::new(Kind::Config, format!("job {}: application.yaml cannot be used", job.name)))?;
    for (name, content) in &job.input {
        context.note(format!("{application}: putting input {name}"));
        store::put(kube, &format!("{}/input/{name}", folder(context.run, application)), content).await?;
    }
    let mut files = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": job.files,
        "metadata": {
            "namespace": JOBS_NAMESPACE, "name": application,
            "labels": { "app.kubernetes.io/managed-by": "lab" },
        },
    });
    kube.apply(&files).await?;
    let mut owner = Value::Null;
    for object in &mut objects {
        let live = until(context, async || admitted(kube.apply(object).await)).await?;
        if live["kind"] == "SparkApplication" {
            owner = json!([{
                "apiVersion": live["apiVersion"], "kind": "SparkApplication",
                "name": application, "uid": live["metadata"]["uid"],
            }]);
        }
    }
    // The files vanish with the application.
    files["metadata"]["ownerReferences"] = owner;
    kube.apply(&files).await?;
    Ok(())
}

/// Waits where the API server has not heard yet of the operator's webhook or of its certificate.
fn admitted(applied: Result<Value>) -> Result<Look<Value>> {
    match applied {
        Ok(live) => Ok(Look::Done(live)),
        Err(error) if format!("{error:#}").contains("failed calling webhook") => {
            Ok(Look::Pending(format!("{error:#}")))
        }
        Err(error) => Err(error),
    }
}

type State = (String, String);

async fn state<P: Ports>(context: &Context<'_, P>, application: &str) -> Result<State> {
    let id = json!({
        "apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication",
        "metadata": { "namespace": JOBS_NAMESPACE, "name": application },
    });
    let live = match context.run.ports.kube().get(&id).await {
        Ok(live) => live.with_context(|| format!("SparkApplication {application} was deleted while it ran"))?,
        // One lost answer is no verdict; the deadline ends it.
        Err(error) => return Ok((String::new(), format!("{error:#}"))),
    };
    let text = |key: &str| {
        live.pointer(&format!("/status/applicationState/{key}")).and_then(Value::as_str).unwrap_or("").to_owned()
    };
    Ok((text("state"), text("errorMessage")))
}

/// Done when the driver has started (none) or the job ended before that (its state).
async fn waiting_for_driver<P: Ports>(
    context: &Context<'_, P>,
    application: &str,
    driver: &str,
) -> Result<Look<Option<State>>> {
    let state = state(context, application).await?;
    if STATES.contains(&state.0.as_str()) {
        return Ok(Look::Done(Some(state)));
    }
    let id = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "namespace": JOBS_NAMESPACE, "name": driver },
    });
    let pod = context.run.ports.kube().get(&id).await.unwrap_or_default();
    let phase = pod.as_ref().and_then(|pod| pod.pointer("/status/phase")?.as_str());
    Ok(match (phase, &pod) {
        (None, _) => {
            Look::Pending(format!("{application}: submitted, no driver yet {}", state.1).trim_end().to_owned())
        }
        (Some("Pending"), Some(pod)) => {
            Look::Pending(format!("{driver}: {}", diagnose::reason(pod).unwrap_or_else(|| "starting".to_owned())))
        }
        _ => Look::Done(None),
    })
}

async fn ended<P: Ports>(context: &Context<'_, P>, application: &str) -> Result<Look<State>> {
    let state = state(context, application).await?;
    Ok(if STATES.contains(&state.0.as_str()) {
        Look::Done(state)
    } else {
        Look::Pending(format!("{application}: {}{}", state.0, state.1))
    })
}

/// The newest application that a run of a DAG has a driver of, none before it has one.
pub async fn application_of<P: Ports>(context: &Context<'_, P>, dag: &str, run: &str) -> Result<Option<String>> {
    let labels = format!("spark-role=driver,dag_id={dag},run_id={run}");
    let pods = context.run.ports.kube().list(&ports::Kind::POD, Some(JOBS_NAMESPACE), &labels).await?;
    let newest = pods.iter().max_by_key(|pod| pod["metadata"]["creationTimestamp"].as_str().map(str::to_owned));
    let name = newest.and_then(|pod| pod["metadata"]["labels"]["sparkoperator.k8s.io/app-name"].as_str());
    Ok(name.map(str::to_owned))
}

/// The executor pods of an application, in the order of their names.
pub async fn executors<P: Ports>(context: &Context<'_, P>, application: &str) -> Result<Vec<Pod>> {
    let labels = format!("spark-role=executor,sparkoperator.k8s.io/app-name={application}");
    let pods = context.run.ports.kube().list(&ports::Kind::POD, Some(JOBS_NAMESPACE), &labels).await?;
    let text = |pod: &Value, pointer: &str| pod.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let mut pods: Vec<Pod> = pods
        .iter()
        .map(|pod| Pod { name: text(pod, "/metadata/name").unwrap_or_default(), node: text(pod, "/spec/nodeName") })
        .collect();
    pods.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(pods)
}

/// Why a job failed: its state, its driver's last lines, and a pod in trouble.
async fn explain<P: Ports>(context: &Context<'_, P>, application: &str, driver: &str, state: &State) -> anyhow::Error {
    let kube = context.run.ports.kube();
    let log = kube.logs(JOBS_NAMESPACE, driver, None, READ_LINES).await.unwrap_or_default();
    let (reason, last) = diagnose::quote(&log);
    let labels = format!("sparkoperator.k8s.io/app-name={application}");
    let pods = kube.list(&ports::Kind::POD, Some(JOBS_NAMESPACE), &labels).await.unwrap_or_default();
    let mut text = format!("{} {}", state.0, state.1);
    for pod in &pods {
        if let Some(reason) = diagnose::reason(pod) {
            let name = pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("?");
            text.push_str(&format!("\nPod {JOBS_NAMESPACE}/{name}: {reason}"));
        }
    }
    if let Some(reason) = reason {
        text.push_str(&format!("\nthe driver's last error: {reason}"));
    }
    if !last.is_empty() {
        text.push_str(&format!("\nthe driver's last lines:\n{}", last.join("\n")));
    }
    let next =
        format!("kubectl -n {JOBS_NAMESPACE} describe sparkapplication {application}   (with the lab's kubeconfig)");
    anyhow::anyhow!(text).context(Fault::new(Kind::Step, format!("job {application} failed")).next(next))
}

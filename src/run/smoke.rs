//! The smoke job: a question made up on the spot, three executors, and a check of their answer.

mod dag;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use rand::RngExt as _;
use serde_json::{Value, json};

use super::{Context, Record, Run, dags, job, store};
use crate::components::{JOBS_NAMESPACE, SYSTEM_NAMESPACE};
use crate::config::Lab;
use crate::event::{Event, Outcome};
use crate::fault::{Fault, Kind};
use crate::fingerprint::Fingerprint;
use crate::images::path_and_tag;
use crate::jobs::Job;
use crate::ports::{Kube as _, Ports, Registry as _};
use crate::smoke::graph;
use crate::smoke::placement::Pod;
use crate::smoke::verdict::{Evidence, Question, Verdict, judge};

/// The sample job that the smoke test runs.
const JOB: &str = "pagerank";
/// The name of its input.
const INPUT: &str = "edges.tsv";

pub async fn have<P: Ports>(context: &Context<'_, P>) -> Result<Outcome> {
    let run = context.run;
    let kube = run.ports.kube();
    let mut job = smoke_job()?;
    let fingerprint = fingerprint(run, &job).await?;
    if let Some(record) = Record::read(kube).await?
        && record.fingerprint == fingerprint
        && record.verdict.passed
        && !run.force_smoke
    {
        let detail = format!("{}, at {}", summary(&record.verdict), record.at);
        run.sink.emit(Event::SmokeJudged { verdict: record.verdict });
        return Ok(Outcome::Unchanged(detail));
    }

    let question = Question {
        application: job::unique_name("smoke"),
        // 53 bits: as many as every reader of JSON keeps.
        seed: rand::rng().random::<u64>() >> 11,
        pages: run.lab.smoke.pages,
        iterations: run.lab.smoke.iterations,
        workers: usize::from(run.lab.cluster.workers),
    };
    let base = job::folder(run, &question.application);
    remove_last(context).await?;
    announce(context, &question.application).await?;
    job.input = [(INPUT.to_owned(), graph::generate(question.seed, question.pages))].into();
    let finished = if through_airflow(run.lab) {
        dag::run(context, &job, &question.application, &base).await?
    } else {
        directly(context, &job, &question.application).await?
    };
    context.note("comparing the answer");
    let verdict = verdict(context, &question, finished, &base).await?;
    let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let record = Record { fingerprint, at, verdict: verdict.clone() };
    run.sink.emit(Event::SmokeJudged { verdict: verdict.clone() });
    if !verdict.passed {
        record.write(kube).await?;
        let what = format!("smoke job {} gave a wrong result", question.application);
        let next = format!("lab up --smoke{}   (once more); its data stays in {base} until then", run.flags);
        return Err(
            anyhow::anyhow!(verdict.problems().join("\n")).context(Fault::new(Kind::Verification, what).next(next))
        );
    }
    // In this order: the next run does not look again once there is a record.
    store::remove(kube, &base).await?;
    record.write(kube).await?;
    Ok(Outcome::Changed(summary(&verdict)))
}

/// How the job ran.
struct Finished {
    application: String,
    /// Its executors.
    pods: Vec<Pod>,
    /// The page of the DAG's run, where Airflow ran it.
    page: Option<String>,
    /// Seconds by part.
    durations: BTreeMap<String, f64>,
}

/// Submits the job as `lab run` does.
async fn directly<P: Ports>(context: &Context<'_, P>, job: &Job, application: &str) -> Result<Finished> {
    let finished = job::run(context, job, application).await?;
    let durations = [("until the driver started", finished.waited), ("driver", finished.ran)];
    Ok(Finished {
        application: finished.application,
        pods: finished.pods,
        page: None,
        durations: durations.map(|(part, took)| (part.to_owned(), took.as_secs_f64())).into(),
    })
}

/// True where Airflow runs the job: it has the sample DAG.
fn through_airflow(lab: &Lab) -> bool {
    lab.airflow.enabled && lab.airflow.dags.samples
}

fn smoke_job() -> Result<Job> {
    Job::sample(JOB).context("the smoke job is part of the binary")?
}

/// Why the smoke job would run now, none where the last verdict still holds.
pub async fn outdated<P: Ports>(run: &Run<'_, P>) -> Result<Option<String>> {
    let Some(record) = Record::read(run.ports.kube()).await? else { return Ok(Some("not run yet".to_owned())) };
    if !record.verdict.passed {
        return Ok(Some(format!("gave a wrong result at {}", record.at)));
    }
    let holds = record.fingerprint == fingerprint(run, &smoke_job()?).await?;
    Ok((!holds).then(|| format!("passed at {} with other code, images or sizes", record.at)))
}

/// Where the name of a smoke job stands from before it begins.
fn last() -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "namespace": SYSTEM_NAMESPACE, "name": "last-smoke-job",
            "labels": { "app.kubernetes.io/managed-by": "lab" },
        },
    })
}

async fn announce<P: Ports>(context: &Context<'_, P>, application: &str) -> Result<()> {
    let mut object = last();
    object["data"] = json!({ "application": application });
    context.run.ports.kube().apply(&object).await.map(drop)
}

/// Removes the smoke job before this one: one that was cut short still holds memory and disk.
async fn remove_last<P: Ports>(context: &Context<'_, P>) -> Result<()> {
    let kube = context.run.ports.kube();
    let live = kube.get(&last()).await?;
    let application = live.as_ref().and_then(|live| live.pointer("/data/application")?.as_str());
    let Some(application) = application else { return Ok(()) };
    if through_airflow(context.run.lab) {
        dag::cancel(context, application).await?;
    }
    for (version, kind) in [("sparkoperator.k8s.io/v1beta2", "SparkApplication"), ("v1", "ConfigMap")] {
        let metadata = json!({ "namespace": JOBS_NAMESPACE, "name": application });
        kube.delete(&json!({ "apiVersion": version, "kind": kind, "metadata": metadata })).await?;
    }
    store::remove(kube, &job::folder(context.run, application)).await
}

async fn verdict<P: Ports>(
    context: &Context<'_, P>,
    question: &Question,
    finished: Finished,
    base: &str,
) -> Result<Verdict> {
    let kube = context.run.ports.kube();
    let input = store::get(kube, &format!("{base}/input/{INPUT}")).await?;
    let ranks = store::get(kube, &format!("{base}/output/ranks/part-00000")).await?;
    let executors = store::get(kube, &format!("{base}/output/executors/part-00000")).await?;
    let evidence = Evidence { input: &input, ranks: &ranks, executors: &executors, pods: &finished.pods };
    let mut verdict = judge(question, &evidence, finished.durations);
    (verdict.application, verdict.page) = (finished.application, finished.page);
    Ok(verdict)
}

/// One line for people: `3 executors on 3 nodes, 2000 ranks compared`.
pub fn summary(verdict: &Verdict) -> String {
    let nodes: std::collections::BTreeSet<_> =
        verdict.executors.iter().filter_map(|executor| executor.node.as_ref()).collect();
    let nodes = nodes.len();
    let through = if verdict.page.is_some() { ", through Airflow" } else { "" };
    format!("{} executors on {nodes} nodes, {} ranks compared{through}", verdict.executors.len(), verdict.pages)
}

/// Changes with the job's code, template, image and sizes, with the number of workers, and with what runs it.
async fn fingerprint<P: Ports>(run: &Run<'_, P>, job: &Job) -> Result<String> {
    let mut print = Fingerprint::default();
    print.add(job.hash());
    print.add(serde_json::to_string(&run.lab.smoke)?);
    print.add(run.lab.cluster.workers.to_le_bytes());
    let mut images = vec!["spark", "spark-operator", "minio"];
    if through_airflow(run.lab) {
        images.push("airflow");
        print.add(dags::samples_hash());
    }
    for name in images {
        let (path, tag) = path_and_tag(run.catalogue.reference(name)?);
        let digest = run.ports.registry().digest(run.lab.registry.port, path, tag).await?;
        print.add(digest.unwrap_or_default());
    }
    Ok(print.hex())
}

//! The smoke job: a question made up on the spot, three executors, and a check of their answer.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use rand::RngExt as _;

use super::job::{self, Finished};
use super::{Context, Record, Run, store};
use crate::event::{Event, Outcome};
use crate::fault::{Fault, Kind};
use crate::fingerprint::Fingerprint;
use crate::images::path_and_tag;
use crate::jobs::Job;
use crate::ports::{Ports, Registry as _};
use crate::smoke::graph;
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
        seed: rand::rng().random(),
        pages: run.lab.smoke.pages,
        iterations: run.lab.smoke.iterations,
        workers: usize::from(run.lab.cluster.workers),
    };
    let base = job::folder(run, &question.application);
    job.input = [(INPUT.to_owned(), graph::generate(question.seed, question.pages))].into();
    let finished = job::run(context, &job, &question.application).await?;
    context.note("comparing the answer");
    let verdict = verdict(context, &question, &finished, &base).await?;
    let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Record { fingerprint, at, verdict: verdict.clone() }.write(kube).await?;
    run.sink.emit(Event::SmokeJudged { verdict: verdict.clone() });
    if !verdict.passed {
        let what = format!("smoke job {} gave a wrong result", question.application);
        let next = format!("lab up --smoke{}   (once more); its data stays in {base}", run.flags);
        return Err(
            anyhow::anyhow!(verdict.problems().join("\n")).context(Fault::new(Kind::Verification, what).next(next))
        );
    }
    store::remove(kube, &base).await?;
    Ok(Outcome::Changed(summary(&verdict)))
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

async fn verdict<P: Ports>(
    context: &Context<'_, P>,
    question: &Question,
    finished: &Finished,
    base: &str,
) -> Result<Verdict> {
    let kube = context.run.ports.kube();
    let input = store::get(kube, &format!("{base}/input/{INPUT}")).await?;
    let ranks = store::get(kube, &format!("{base}/output/ranks/part-00000")).await?;
    let executors = store::get(kube, &format!("{base}/output/executors/part-00000")).await?;
    let evidence = Evidence { input: &input, ranks: &ranks, executors: &executors, pods: &finished.pods };
    let durations = BTreeMap::from([
        ("until the driver started".to_owned(), finished.waited.as_secs_f64()),
        ("driver".to_owned(), finished.ran.as_secs_f64()),
    ]);
    Ok(judge(question, &evidence, durations))
}

/// One line for people: `3 executors on 3 nodes, 2000 ranks compared`.
pub fn summary(verdict: &Verdict) -> String {
    let nodes: std::collections::BTreeSet<_> =
        verdict.executors.iter().filter_map(|executor| executor.node.as_ref()).collect();
    let nodes = nodes.len();
    format!("{} executors on {nodes} nodes, {} ranks compared", verdict.executors.len(), verdict.pages)
}

/// Changes with the job's code, template, image and sizes, and with the number of workers.
async fn fingerprint<P: Ports>(run: &Run<'_, P>, job: &Job) -> Result<String> {
    let mut print = Fingerprint::default();
    print.add(job.hash());
    print.add(serde_json::to_string(&run.lab.smoke)?);
    print.add(run.lab.cluster.workers.to_le_bytes());
    for name in ["spark", "spark-operator", "minio"] {
        let (path, tag) = path_and_tag(run.catalogue.reference(name)?);
        let digest = run.ports.registry().digest(run.lab.registry.port, path, tag).await?;
        print.add(digest.unwrap_or_default());
    }
    Ok(print.hex())
}

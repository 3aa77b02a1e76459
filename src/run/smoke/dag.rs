//! The smoke job as a task of a DAG: from Airflow's API to the object store.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::Finished;
use crate::components::JOBS_NAMESPACE;
use crate::dags::Order;
use crate::jobs::Job;
use crate::ports::{Kube as _, Ports};
use crate::run::airflow::{Airflow, pending};
use crate::run::wait::{Look, until};
use crate::run::{Context, dag_run, job, store};
use crate::smoke::placement::EXECUTORS;

/// The sample DAG that runs the job.
const DAG: &str = "spark_pagerank";

/// Puts the job's input there, and has Airflow run the DAG on it. The run's name is `name`.
pub async fn run<P: Ports>(context: &Context<'_, P>, job: &Job, name: &str, base: &str) -> Result<Finished> {
    let (kube, smoke) = (context.run.ports.kube(), &context.run.lab.smoke);
    for (file, content) in &job.input {
        store::put(kube, &format!("{base}/input/{file}"), content).await?;
    }
    // A pod that was restarted can count as ready for a while before it answers again; a DAG is there a while
    // after its file is.
    let airflow = until(context, async || {
        let airflow = match Airflow::login(context.run).await {
            Ok(airflow) => airflow,
            Err(error) => return pending(error),
        };
        match airflow.dag(DAG).await {
            Ok(Some(_)) => Ok(Look::Done(airflow)),
            Ok(None) => Ok(Look::Pending(format!("Airflow has not seen DAG {DAG} yet"))),
            Err(error) => pending(error),
        }
    })
    .await?;
    let conf = json!({
        "name": "smoke",
        "input": format!("s3a://{base}/input"),
        "output": format!("s3a://{base}/output"),
        "iterations": smoke.iterations,
        "executors": EXECUTORS,
        "driver_memory": smoke.driver.memory.to_string(),
        "executor_memory": smoke.executor.memory.to_string(),
        "cpu_request": smoke.executor.cpu_request.to_string(),
    });
    let order = Order { dag: DAG.to_owned(), run: name.to_owned(), conf };
    let run = dag_run::run(context, &airflow, &order).await?;
    let application = job::application_of(context, DAG, name).await?;
    let application = application.with_context(|| format!("run {name} of DAG {DAG} succeeded, and left no driver"))?;
    let pods = job::executors(context, &application).await?;
    let mut durations: BTreeMap<_, _> =
        run.tasks.iter().filter_map(|task| Some((format!("task {}", task.task), task.seconds?))).collect();
    durations.extend(run.seconds.map(|seconds| ("run of the DAG".to_owned(), seconds)));
    Ok(Finished { application, pods, page: Some(run.page), durations })
}

/// Ends a run that an earlier `up` did not see the end of, and removes its application.
pub async fn cancel<P: Ports>(context: &Context<'_, P>, name: &str) -> Result<()> {
    until(context, async || {
        let stop = async || {
            let airflow = Airflow::login(context.run).await?;
            match airflow.run_of(DAG, name).await? {
                Some(run) if !run.ended() => airflow.stop(DAG, name).await,
                _ => Ok(()),
            }
        };
        match stop().await {
            Ok(()) => Ok(Look::Done(())),
            Err(error) => pending(error),
        }
    })
    .await?;
    if let Some(application) = job::application_of(context, DAG, name).await? {
        let metadata = json!({ "namespace": JOBS_NAMESPACE, "name": application });
        let object = json!({
            "apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication", "metadata": metadata,
        });
        context.run.ports.kube().delete(&object).await?;
    }
    Ok(())
}

//! Who is there for the proof alone: canaries, a bystander, a task, a Spark application, a machine outside.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::canary;
use crate::components::{JOBS_NAMESPACE, LABEL, SYSTEM_NAMESPACE, policies};
use crate::jobs::Job;
use crate::ports::{ContainerSpec, Docker as _, Kind, Kube as _, Ports};
use crate::render;
use crate::run::wait::{Look, until};
use crate::run::{Context, Run, applications, cluster, images, job};
use crate::smoke::placement::EXECUTORS;

/// The job that holds driver and executors.
const JOB: &str = "verify";
/// Pods that no application of Spark makes.
const ALONE: [&str; 2] = ["bystander", "task"];

/// What is there now, and the application among it.
pub struct Cast {
    pub outside: Ipv4Addr,
    application: Option<String>,
}

/// Name of the container that is no node.
pub fn outside<P: Ports>(run: &Run<'_, P>) -> String {
    format!("{}-outside", run.lab.name)
}

impl Cast {
    /// Has everybody there, after [`leave`].
    pub async fn enter<P: Ports>(context: &Context<'_, P>) -> Result<Self> {
        let run = context.run;
        until(context, async || gone(run).await).await?;
        // The registry has the highest.
        let hosts = run.lab.cluster.subnet.hosts();
        let outside = run.lab.cluster.subnet.host(hosts - 1).context("the subnet has hosts")?;
        let mut cast = Self { outside, application: None };
        if run.lab.spark_operator.enabled {
            cast.application = Some(submit(context).await?);
        }
        let container = ContainerSpec {
            name: self::outside(run),
            image: images::engine_reference(run, "node").await?,
            network: run.lab.name.clone(),
            address: outside,
            labels: BTreeMap::from([(LABEL.to_owned(), run.lab.name.clone())]),
            aliases: vec![],
            volume: None,
            port: None,
            command: ["sleep", "600"].map(str::to_owned).to_vec(),
            // It learns where the pods of each node are.
            capabilities: vec!["NET_ADMIN".to_owned()],
        };
        run.ports.docker().run_container(&container).await?;
        let kube = run.ports.kube();
        for object in objects(run, outside)? {
            kube.apply(&object).await?;
        }
        Ok(cast)
    }

    /// The label of driver and executors.
    pub fn label(&self) -> Option<(String, String)> {
        self.application.as_ref().map(|name| ("sparkoperator.k8s.io/app-name".to_owned(), name.clone()))
    }

    /// Waits until all pods of the cast run.
    pub async fn ready<P: Ports>(&self, context: &Context<'_, P>) -> Result<()> {
        let run = context.run;
        until(context, async || {
            for pod in objects(run, self.outside)?.iter().filter(|object| object["kind"] == "Pod") {
                let live = run.ports.kube().get(pod).await?;
                if !live.is_some_and(|live| runs(&live)) {
                    return Ok(Look::Pending(format!("pod {} starts", pod["metadata"]["name"])));
                }
            }
            Ok(Look::Done(()))
        })
        .await?;
        let Some((key, application)) = self.label() else { return Ok(()) };
        let labels = format!("{key}={application}");
        until(context, async || {
            let pods = run.ports.kube().list(&Kind::POD, Some(JOBS_NAMESPACE), &labels).await?;
            let running = pods.iter().filter(|pod| runs(pod)).count();
            Ok(match running {
                // The driver and its executors.
                count if count > EXECUTORS => Look::Done(()),
                count => Look::Pending(format!("{application}: {count} of {} pods run", EXECUTORS + 1)),
            })
        })
        .await
    }
}

/// Looks whether the pods of an earlier run are gone.
async fn gone<P: Ports>(run: &Run<'_, P>) -> Result<Look<()>> {
    for object in objects(run, Ipv4Addr::UNSPECIFIED)? {
        if run.ports.kube().get(&object).await?.is_some() {
            return Ok(Look::Pending(format!("{} of an earlier run goes", object["metadata"]["name"])));
        }
    }
    Ok(Look::Done(()))
}

/// Removes everybody, and what an earlier run left.
pub async fn leave<P: Ports>(run: &Run<'_, P>) -> Result<()> {
    let kube = run.ports.kube();
    run.ports.docker().remove_container(&outside(run)).await?;
    for object in objects(run, Ipv4Addr::UNSPECIFIED)? {
        kube.delete(&object).await?;
    }
    if !run.lab.spark_operator.enabled {
        return Ok(());
    }
    for application in applications::all(kube).await?.into_iter().filter(|application| application.job == JOB) {
        for (version, kind) in [("sparkoperator.k8s.io/v1beta2", "SparkApplication"), ("v1", "ConfigMap")] {
            let metadata = json!({ "namespace": JOBS_NAMESPACE, "name": application.name });
            kube.delete(&json!({ "apiVersion": version, "kind": kind, "metadata": metadata })).await?;
        }
    }
    Ok(())
}

pub fn runs(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    let ready =
        |conditions: &Vec<Value>| conditions.iter().any(|one| one["type"] == "Ready" && one["status"] == "True");
    pod.pointer("/metadata/deletionTimestamp").is_none() && conditions.is_some_and(ready)
}

/// The pods that are alone, a canary for each node, and the canaries' policy.
fn objects<P: Ports>(run: &Run<'_, P>, outside: Ipv4Addr) -> Result<Vec<Value>> {
    let managed = |labels: &BTreeMap<String, String>| {
        let mut labels = labels.clone();
        labels.insert("app.kubernetes.io/managed-by".to_owned(), "lab".to_owned());
        labels
    };
    let mut pods = Vec::new();
    for (name, pod) in policies::guests(run.lab).iter().filter(|(name, _)| ALONE.contains(&name.as_str())) {
        let labels = json!(managed(&pod.labels)).to_string();
        pods.push(
            json!({ "name": format!("verify-{name}"), "namespace": pod.namespace, "node": null, "labels": labels }),
        );
    }
    let labels = json!(managed(&BTreeMap::from([(canary::LABEL.to_owned(), "canary".to_owned())]))).to_string();
    for node in nodes(run) {
        let name = canary::name(&node);
        pods.push(json!({ "name": name, "namespace": SYSTEM_NAMESPACE, "node": node, "labels": labels }));
    }
    let values = json!({
        "canaries": SYSTEM_NAMESPACE, "open": canary::OPEN, "outside": outside, "pods": pods,
        "image": run.catalogue.reference("pause")?,
    });
    render::objects(include_str!("pods.yaml"), &values)
}

/// Names of all nodes.
pub fn nodes<P: Ports>(run: &Run<'_, P>) -> Vec<String> {
    let cluster = &run.lab.cluster;
    let mut nodes = cluster::nodes(run, "control-plane", cluster.control_planes);
    nodes.extend(cluster::nodes(run, "worker", cluster.workers));
    nodes
}

/// Submits the application; its name.
async fn submit<P: Ports>(context: &Context<'_, P>) -> Result<String> {
    // The form of the smoke job, whose executors are spread over the workers.
    let mut job = Job::sample("pagerank").context("there is a job pagerank")??;
    job.files = BTreeMap::from([("job.py".to_owned(), include_str!("job.py").to_owned())]);
    job.input.clear();
    let name = job::unique_name(JOB);
    job::submit(context, &job, &name).await?;
    Ok(name)
}

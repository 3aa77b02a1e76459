//! From a word to logs, and what words there are.

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::places::{self, Place};
use super::{INTERVAL, Notes, Source};
use crate::components::JOBS_NAMESPACE;
use crate::fault::{Fault, Kind};
use crate::jobs::Job;
use crate::ports::{self, Kube as _, Ports};
use crate::run::applications::{self, Application, job_of};
use crate::run::{Run, cluster};

/// What has a log.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Listing {
    pub components: Vec<String>,
    /// Their log is the kubelet's.
    pub nodes: Vec<String>,
    pub jobs: Vec<Application>,
}

/// Looks what there is.
///
/// # Errors
/// When the Kubernetes API does not say which jobs there are.
pub async fn listing<P: Ports>(run: &Run<'_, P>) -> Result<Listing> {
    let components = places::components(run.lab).into_iter().map(|(name, _)| name.to_owned()).collect();
    Ok(Listing { components, nodes: nodes(run), jobs: applications::all(run.ports.kube()).await? })
}

fn nodes(run: &Run<'_, impl Ports>) -> Vec<String> {
    let cluster = &run.lab.cluster;
    let mut names = cluster::nodes(run, "control-plane", cluster.control_planes);
    names.extend(cluster::nodes(run, "worker", cluster.workers));
    names
}

/// The logs that a word means: a component, a node, a pod as errors name it, an application, or a job's newest run.
/// Waits for the pods of a job that has just begun, where its log is to be followed.
///
/// # Errors
/// [`Kind::Usage`] for a word that means nothing here, [`Kind::Step`] where the log is not there.
pub async fn find<P: Ports>(run: &Run<'_, P>, word: &str, executors: bool, follow: bool) -> Result<Vec<Source>> {
    let kube = run.ports.kube();
    if executors && places::NAMES.contains(&word) {
        return Err(Fault::new(Kind::Usage, format!("--executors is for jobs, and {word} is none")).error());
    }
    match places::components(run.lab).into_iter().find(|(name, _)| *name == word) {
        Some((_, Place::Container(name))) => return Ok(vec![Source::Container(name)]),
        Some((_, Place::Audit)) => {
            let names = cluster::nodes(run, "control-plane", run.lab.cluster.control_planes);
            return Ok(names.into_iter().map(Source::Audit).collect());
        }
        Some((_, Place::Pods { namespace, labels })) => {
            let sources = pods(&kube.list(&ports::Kind::POD, Some(namespace), labels).await?);
            if sources.is_empty() {
                let fault = Fault::new(Kind::Step, format!("{word} has no pods in {namespace}"));
                return Err(fault.next(format!("lab up{}", run.flags)).error());
            }
            return Ok(sources);
        }
        None => {}
    }
    let node = word.strip_prefix("node/").unwrap_or(word);
    if nodes(run).iter().any(|name| name == node) {
        return Ok(vec![Source::Node(node.to_owned())]);
    }
    if let Some((namespace, name)) = word.split_once('/').filter(|(namespace, _)| *namespace != "node") {
        return Ok(vec![Source::Pod { namespace: namespace.to_owned(), name: name.to_owned() }]);
    }
    let notes = Notes::new(run);
    loop {
        let applications = applications::all(kube).await?;
        let Some(found) = applications::find(&applications, word) else {
            return Err(unknown(run, word, &applications));
        };
        let role = if executors { "executor" } else { "driver" };
        let labels = format!("spark-role={role},sparkoperator.k8s.io/app-name={}", found.name);
        let sources = pods(&kube.list(&ports::Kind::POD, Some(JOBS_NAMESPACE), &labels).await?);
        if !sources.is_empty() {
            return Ok(sources);
        }
        let what = format!("{} has no {role} {}", found.name, if found.ended() { "any more" } else { "yet" });
        if !follow || found.ended() {
            let why = match (found.ended(), executors) {
                (false, _) => String::new(),
                (true, false) => format!("; {}", deleted(run)),
                (true, true) => format!("; {EXECUTORS_GO}"),
            };
            let fault = Fault::new(Kind::Step, format!("{what}: {}{why}", found.state));
            return Err(fault.next(format!("lab logs{}   (what there is)", run.flags)).error());
        }
        notes.say(what);
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Executors end before their job is deleted.
const EXECUTORS_GO: &str = "Spark removes executors when the driver ends, \
    unless spark.kubernetes.executor.deleteOnTermination is \"false\" in the job's sparkConf";

/// How long a job's pods are there.
fn deleted(run: &Run<'_, impl Ports>) -> String {
    let minutes = run.lab.spark_operator.keep_finished_seconds / 60;
    format!("finished jobs are deleted after {minutes} minutes (spec.sparkOperator.keepFinished)")
}

/// The pods as sources, in the order of their names.
fn pods(pods: &[Value]) -> Vec<Source> {
    let text = |pod: &Value, key: &str| pod["metadata"][key].as_str().unwrap_or_default().to_owned();
    let mut names: Vec<_> = pods.iter().map(|pod| (text(pod, "namespace"), text(pod, "name"))).collect();
    names.sort();
    names.into_iter().map(|(namespace, name)| Source::Pod { namespace, name }).collect()
}

fn unknown(run: &Run<'_, impl Ports>, word: &str, applications: &[Application]) -> anyhow::Error {
    let (flags, job) = (&run.flags, job_of(word));
    let again = match job {
        "smoke" => Some(format!("lab up --smoke{flags}")),
        _ if Job::samples().iter().any(|sample| sample == job) => Some(format!("lab run {job}{flags}")),
        _ if job != word => Some(format!("lab logs{flags}   (what there is)")),
        _ => None,
    };
    if let Some(again) = again {
        return Fault::new(Kind::Step, format!("no run of {word} is there; {}", deleted(run))).next(again).error();
    }
    let mut words: Vec<String> = places::components(run.lab).into_iter().map(|(name, _)| name.to_owned()).collect();
    words.extend(nodes(run));
    for application in applications.iter().map(|application| &application.job) {
        if !words.contains(application) {
            words.push(application.clone());
        }
    }
    if places::NAMES.contains(&word) {
        let what = format!("lab {} has no {word}: its configuration does not ask for it", run.lab.name);
        return Fault::new(Kind::Usage, what).next(format!("lab logs{flags}   (what there is)")).error();
    }
    let likeness = |known: &String| strsim::jaro(known, word);
    let nearest = words.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let next = nearest.map_or_else(|| format!("lab logs{flags}"), |nearest| format!("lab logs {nearest}{flags}"));
    let what = format!("nothing with a log is called {word}; there are {}", words.join(", "));
    Fault::new(Kind::Usage, what).next(next).error()
}

//! What stands against what the configuration wants: the observing half of every step. Changes nothing.

use std::time::Duration;

use anyhow::{Result, anyhow};
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::fits::{Field, differences};
use super::images::{ImageState, needed, state};
use super::{Run, apply, bucket, cluster, credentials, nodes, prefetch, push, registry, remains, smoke};
use crate::components::LABEL;
use crate::fault::{Fault, Kind};
use crate::plan::Plan;
use crate::ports::{self, Docker as _, Kube as _, Ports};
use crate::step::{Action, SecretSpec, Step, Workload};

/// How long one step's part of the cluster is looked at.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a lab lacks or has otherwise.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Diff {
    pub lab: String,
    /// True where `lab up` would change something, or cannot be foreseen.
    pub differs: bool,
    pub differences: Vec<Difference>,
}

/// One thing that is not as it is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Difference {
    /// The step of `lab up` that settles it.
    pub step: String,
    /// What differs: `container lab-worker2`, `DaemonSet kube-system/kube-router`.
    pub subject: String,
    pub state: State,
    /// More about it, in words.
    pub detail: Option<String>,
    /// The fields of an object that are not as they are wanted; values of Secrets are hidden.
    pub fields: Vec<Field>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum State {
    Missing,
    Stopped,
    /// There, with other content.
    Different,
    /// As wanted, but not at work.
    NotReady,
    /// There, and not wanted.
    Unwanted,
    /// It cannot be seen.
    Unknown,
}

impl Diff {
    /// # Errors
    /// [`Kind::Drift`] where something differs.
    pub fn check(&self, flags: &str) -> Result<()> {
        let count = match self.differences.len() {
            0 => return Ok(()),
            1 => "1 difference".to_owned(),
            more => format!("{more} differences"),
        };
        let what = format!("lab {} is not what the configuration says: {count}", self.lab);
        Err(Fault::new(Kind::Drift, what).next(format!("lab up{flags}   (brings it back)")).error())
    }
}

impl Difference {
    fn new(subject: impl Into<String>, state: State) -> Self {
        Self { step: String::new(), subject: subject.into(), state, detail: None, fields: Vec::new() }
    }

    fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// Compares; what is inside a cluster that is not there is not listed one by one.
///
/// # Errors
/// When the Docker engine fails.
pub async fn diff<P: Ports>(run: &Run<'_, P>, plan: &Plan) -> Result<Diff> {
    let mut differences = Vec::new();
    let mut answers = false;
    for step in &plan.steps {
        let mut found = match &step.action {
            Action::Cluster { .. } => {
                let found = the_cluster(run).await?;
                answers = found.is_empty();
                found
            }
            action if in_cluster(action) && !answers => Vec::new(),
            action if in_cluster(action) => {
                let seen = timeout(PATIENCE, inside(run, action)).await;
                let seen = seen.unwrap_or_else(|_| Err(anyhow!("no answer within {} s", PATIENCE.as_secs())));
                seen.unwrap_or_else(|error| vec![unknown(step, &error)])
            }
            action => around(run, action).await?,
        };
        found.iter_mut().for_each(|difference| step.id.clone_into(&mut difference.step));
        differences.extend(found);
    }
    Ok(Diff { lab: plan.lab.clone(), differs: !differences.is_empty(), differences })
}

fn unknown(step: &Step, error: &anyhow::Error) -> Difference {
    Difference::new(&step.title, State::Unknown).because(format!("{error:#}"))
}

fn in_cluster(action: &Action) -> bool {
    matches!(
        action,
        Action::Prefetch { .. }
            | Action::NodesReady
            | Action::Credentials { .. }
            | Action::Apply { .. }
            | Action::Bucket { .. }
            | Action::Smoke
    )
}

/// What Docker has.
async fn around<P: Ports>(run: &Run<'_, P>, action: &Action) -> Result<Vec<Difference>> {
    match action {
        Action::Images { names } => images(run, names).await,
        Action::Network => network(run).await,
        Action::Registry => the_registry(run).await,
        Action::Push { names } => pushed(run, names).await,
        Action::Remains => containers(run).await,
        Action::Addresses => addresses(run).await,
        _ => Ok(Vec::new()),
    }
}

/// What the Kubernetes API has.
async fn inside<P: Ports>(run: &Run<'_, P>, action: &Action) -> Result<Vec<Difference>> {
    match action {
        Action::Prefetch { references } => prefetched(run, references).await,
        Action::NodesReady => not_ready(run).await,
        Action::Credentials { secrets } => keys(run, secrets).await,
        Action::Apply { objects, ready } => {
            let mut found = applied(run, objects).await?;
            found.extend(workloads(run, ready).await?);
            Ok(found)
        }
        Action::Bucket { bucket, secret } => {
            let lacking = bucket::lacking(run.ports.kube(), bucket, secret).await?;
            Ok(lacking.into_iter().map(|what| Difference::new(what, State::Missing)).collect())
        }
        Action::Smoke => {
            let why = smoke::outdated(run).await?;
            Ok(why.map(|why| Difference::new("smoke verdict", State::Missing).because(why)).into_iter().collect())
        }
        _ => Ok(Vec::new()),
    }
}

async fn images<P: Ports>(run: &Run<'_, P>, names: &[String]) -> Result<Vec<Difference>> {
    let mut found = Vec::new();
    for name in needed(run, names).await? {
        if state(run.ports.docker(), run.catalogue, &name, run.source).await? == ImageState::Missing {
            found.push(Difference::new(format!("image {name}"), State::Missing));
        }
    }
    Ok(found)
}

async fn network<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Difference>> {
    let (name, wanted) = (&run.lab.name, run.lab.cluster.subnet.to_string());
    let networks = run.ports.docker().networks().await?;
    let subject = format!("network {name}");
    Ok(match networks.into_iter().find(|network| network.name == *name) {
        None => vec![Difference::new(subject, State::Missing)],
        Some(network) if network.labels.get(LABEL) != Some(name) => {
            vec![Difference::new(subject, State::Different).because("it is not of this lab")]
        }
        Some(network) if network.subnet != wanted => {
            let field = Field { path: "subnet".to_owned(), wanted: json!(wanted), live: json!(network.subnet) };
            vec![Difference { fields: vec![field], ..Difference::new(subject, State::Different) }]
        }
        Some(_) => Vec::new(),
    })
}

/// The registry's container, none where there is none.
async fn registry_runs<P: Ports>(run: &Run<'_, P>) -> Result<Option<bool>> {
    let own = run.ports.docker().containers(&format!("{LABEL}={}", run.lab.name)).await?;
    let name = registry::name(run.lab);
    Ok(own.iter().find(|container| container.name == name).map(|container| container.running))
}

async fn the_registry<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Difference>> {
    let subject = format!("container {}", registry::name(run.lab));
    Ok(match registry_runs(run).await? {
        None => vec![Difference::new(subject, State::Missing)],
        Some(false) => vec![Difference::new(subject, State::Stopped)],
        Some(true) => Vec::new(),
    })
}

/// Images that the registry lacks, or has in another form; a registry that is not there was named already.
async fn pushed<P: Ports>(run: &Run<'_, P>, names: &[String]) -> Result<Vec<Difference>> {
    if registry_runs(run).await? != Some(true) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for name in needed(run, names).await? {
        if state(run.ports.docker(), run.catalogue, &name, run.source).await? == ImageState::Missing {
            continue;
        }
        match push::stale(run, &name).await {
            Ok(stale) => found.extend(
                stale
                    .into_iter()
                    .map(|image| Difference::new(format!("image {} in the registry", image.reference), State::Missing)),
            ),
            Err(error) => {
                let unseen = Difference::new(registry::name(run.lab), State::Unknown);
                return Ok(vec![unseen.because(format!("{error:#}"))]);
            }
        }
    }
    Ok(found)
}

/// Containers of a cluster that was made: those that are missing, stopped, or too many.
async fn containers<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Difference>> {
    let existing = cluster::containers(run).await?;
    if existing.is_empty() {
        return Ok(Vec::new());
    }
    if !remains::finished(run.ports.docker(), &existing).await? {
        let half = Difference::new(format!("cluster {}", run.lab.name), State::Different);
        return Ok(vec![half.because("its making never came to the end")]);
    }
    let expected = cluster::expected(run);
    let mut found: Vec<Difference> = expected
        .iter()
        .filter(|name| existing.iter().all(|container| container.name != **name))
        .map(|name| Difference::new(format!("container {name}"), State::Missing))
        .collect();
    for container in &existing {
        let subject = format!("container {}", container.name);
        if !expected.contains(&container.name) {
            found.push(Difference::new(subject, State::Unwanted));
        } else if !container.running {
            found.push(Difference::new(subject, State::Stopped));
        }
    }
    Ok(found)
}

/// Empty where there is a cluster whose API answers.
async fn the_cluster<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Difference>> {
    let existing = cluster::containers(run).await?;
    let subject = format!("cluster {}", run.lab.name);
    if existing.is_empty() {
        return Ok(vec![Difference::new(subject, State::Missing)]);
    }
    if !run.kubeconfig().is_file() {
        return Ok(vec![Difference::new("kubeconfig", State::Missing)]);
    }
    let unreachable = |why: String| vec![Difference::new("Kubernetes API", State::NotReady).because(why)];
    Ok(match timeout(PATIENCE, run.ports.kube().list(&ports::Kind::NODE, None, "")).await {
        Ok(Ok(_)) => Vec::new(),
        Ok(Err(error)) => unreachable(format!("{error:#}")),
        Err(_) => unreachable(format!("no answer within {} s", PATIENCE.as_secs())),
    })
}

async fn addresses<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Difference>> {
    let expected = cluster::expected(run);
    let unpinned = |container: &&ports::Container| {
        if !container.running || !expected.contains(&container.name) {
            return false;
        }
        let address = container.addresses.get(&run.lab.name);
        address.is_some_and(|address| address.pinned.is_none() || address.pinned != address.current)
    };
    let named = |container: &ports::Container| {
        let subject = format!("container {}", container.name);
        Difference::new(subject, State::Different).because("its address is not pinned")
    };
    Ok(cluster::containers(run).await?.iter().filter(unpinned).map(named).collect())
}

async fn prefetched<P: Ports>(run: &Run<'_, P>, references: &[String]) -> Result<Vec<Difference>> {
    let mut found = Vec::new();
    let running = cluster::containers(run).await?.into_iter().filter(|container| container.running);
    let running: Vec<String> = running.map(|container| container.name).collect();
    for worker in cluster::nodes(run, "worker", run.lab.cluster.workers) {
        if !running.contains(&worker) {
            continue;
        }
        let there = prefetch::list(run, &worker).await?;
        for reference in references.iter().filter(|reference| !there.contains(reference)) {
            found.push(Difference::new(format!("image {reference} on {worker}"), State::Missing));
        }
    }
    Ok(found)
}

async fn not_ready<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Difference>> {
    let live = run.ports.kube().list(&ports::Kind::NODE, None, "").await?;
    let expected = cluster::expected(run).into_iter().filter(|name| !name.ends_with("external-load-balancer"));
    let mut found = Vec::new();
    for name in expected {
        let subject = format!("node {name}");
        match live.iter().find(|node| node["metadata"]["name"] == name.as_str()) {
            None => found.push(Difference::new(subject, State::Missing)),
            Some(node) => found
                .extend(nodes::why_not_ready(node).map(|why| Difference::new(subject, State::NotReady).because(why))),
        }
    }
    Ok(found)
}

/// Keys that are missing; what the others hold is nobody's business.
async fn keys<P: Ports>(run: &Run<'_, P>, secrets: &[SecretSpec]) -> Result<Vec<Difference>> {
    let mut found = Vec::new();
    for secret in secrets {
        let name = &secret.object;
        let id = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "namespace": name.namespace, "name": name.name },
        });
        let subject = format!("Secret {}/{}", name.namespace, name.name);
        let Some(live) = run.ports.kube().get(&id).await? else {
            found.push(Difference::new(subject, State::Missing));
            continue;
        };
        let missing = credentials::missing(&live, secret);
        if !missing.is_empty() {
            let lacks = Difference::new(subject, State::Different);
            found.push(lacks.because(format!("it lacks {}", missing.join(", "))));
        }
    }
    Ok(found)
}

async fn applied<P: Ports>(run: &Run<'_, P>, objects: &[Value]) -> Result<Vec<Difference>> {
    let kube = run.ports.kube();
    let live = try_join_all(objects.iter().map(|object| kube.get(object))).await?;
    let compared = objects.iter().zip(live).filter_map(|(object, live)| {
        let Some(live) = live else { return Some(Difference::new(name(object), State::Missing)) };
        let mut fields = differences(object, &live);
        if object["kind"] == "Secret" {
            fields.iter_mut().for_each(hide);
        }
        (!fields.is_empty()).then(|| Difference { fields, ..Difference::new(name(object), State::Different) })
    });
    Ok(compared.collect())
}

fn hide(field: &mut Field) {
    for value in [&mut field.wanted, &mut field.live] {
        *value = json!("(hidden)");
    }
}

async fn workloads<P: Ports>(run: &Run<'_, P>, workloads: &[Workload]) -> Result<Vec<Difference>> {
    let mut found = Vec::new();
    for workload in workloads {
        let id = apply::id(workload);
        // One that is missing is an object that is missing.
        if let Some(live) = run.ports.kube().get(&id).await?
            && !apply::is_ready(&live)
        {
            found.push(Difference::new(name(&id), State::NotReady));
        }
    }
    Ok(found)
}

/// `DaemonSet kube-system/kube-router`.
fn name(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let (kind, name) = (text("/kind").unwrap_or("?"), text("/metadata/name").unwrap_or("?"));
    match text("/metadata/namespace") {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

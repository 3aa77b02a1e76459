//! What the Kubernetes API has against what is wanted.

use anyhow::Result;
use futures::future::try_join_all;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Difference, PATIENCE, State};
use crate::exec::kube::describe;
use crate::ports::{Kind, Kube as _, Ports};
use crate::run::fits::{self, Field};
use crate::run::people::Lack;
use crate::run::{
    Run, apply, bucket, cluster, credentials, dags, firewall, nodes, people, policies, prefetch, secret, smoke,
};
use crate::step::{Action, SecretSpec, Workload};

/// Empty where there is a cluster whose API answers.
pub async fn reachable<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Difference>> {
    let existing = cluster::containers(run).await?;
    let subject = format!("cluster {}", run.lab.name);
    if existing.is_empty() {
        return Ok(vec![Difference::new(subject, State::Missing)]);
    }
    if !run.kubeconfig().is_file() {
        return Ok(vec![Difference::new("kubeconfig", State::Missing)]);
    }
    let unreachable = |why: String| vec![Difference::new("Kubernetes API", State::NotReady).because(why)];
    Ok(match timeout(PATIENCE, run.ports.kube().list(&Kind::NODE, None, "")).await {
        Ok(Ok(_)) => Vec::new(),
        Ok(Err(error)) => unreachable(format!("{error:#}")),
        Err(_) => unreachable(format!("no answer within {} s", PATIENCE.as_secs())),
    })
}

/// What of an action is not done yet.
pub async fn differences<P: Ports>(run: &Run<'_, P>, action: &Action) -> Result<Vec<Difference>> {
    match action {
        Action::Prefetch { references } => prefetched(run, references).await,
        Action::Firewall => Ok(firewall::lacking(run).await?.into_iter().map(open).collect()),
        Action::NodesReady => not_ready(run).await,
        Action::Credentials { secrets } => keys(run, secrets).await,
        Action::Apply { objects, ready } => {
            let mut found = applied(run, objects).await?;
            // One that is not even as it is wanted has been named.
            let waiting = workloads(run, ready).await?;
            found.extend(waiting.into_iter().filter(|one| !named(&found, &one.subject)).collect::<Vec<_>>());
            Ok(found)
        }
        Action::Policies { objects } => {
            let changed = policies::changed(run, objects).await?.into_iter().map(of_policy);
            let outdated = policies::outdated(run, objects).await?;
            let outdated = outdated.iter().map(|policy| Difference::new(describe(policy), State::Unwanted));
            Ok(changed.chain(outdated).collect())
        }
        Action::People { people, lifetime_seconds, namespace } => {
            let lacking = people::lacking(run, people, *lifetime_seconds, namespace.as_deref()).await?;
            Ok(lacking.into_iter().map(certificate).collect())
        }
        Action::Buckets { grants, secret } => {
            let lacking = bucket::lacking(run.ports.kube(), grants, secret).await?;
            Ok(lacking.into_iter().map(|what| Difference::new(what, State::Missing)).collect())
        }
        Action::Secret { secret, keys } => {
            let lacking = secret::lacking(run.ports.kube(), secret, keys).await?;
            Ok(lacking.map(|what| Difference::new(what, State::Missing)).into_iter().collect())
        }
        Action::SampleDags => {
            let found = dags::differences(run.ports.kube()).await?;
            Ok(found.into_iter().map(|(path, state)| Difference::new(format!("sample DAG {path}"), state)).collect())
        }
        Action::Smoke => {
            let why = smoke::outdated(run).await?;
            Ok(why.map(|why| Difference::new("smoke verdict", State::Missing).because(why)).into_iter().collect())
        }
        _ => Ok(Vec::new()),
    }
}

fn open(lack: firewall::Lack) -> Difference {
    let firewall::Lack { node, missing, fields, detail } = lack;
    let state = if missing { State::Missing } else { State::Different };
    Difference { detail, fields, ..Difference::new(format!("firewall of {node}"), state) }
}

fn of_policy(changed: policies::Changed) -> Difference {
    let subject = describe(&changed.object);
    match changed.fields {
        None => Difference::new(subject, State::Missing),
        Some(fields) => Difference { fields, ..Difference::new(subject, State::Different) },
    }
}

fn named(found: &[Difference], subject: &str) -> bool {
    found.iter().any(|one| one.subject == subject)
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
    let live = run.ports.kube().list(&Kind::NODE, None, "").await?;
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

fn certificate(lack: Lack) -> Difference {
    match lack {
        Lack::Missing(name) => Difference::new(format!("kubeconfig of {name}"), State::Missing),
        Lack::Stale(name, why) => Difference::new(format!("kubeconfig of {name}"), State::Different).because(why),
        Lack::Unwanted(name) => {
            Difference::new(format!("kubeconfig of {name}"), State::Unwanted).because("nobody of that name")
        }
        Lack::Request(name) => Difference::new(format!("CertificateSigningRequest {name}"), State::Unwanted),
    }
}

async fn applied<P: Ports>(run: &Run<'_, P>, objects: &[Value]) -> Result<Vec<Difference>> {
    let kube = run.ports.kube();
    let live = try_join_all(objects.iter().map(|object| kube.get(object))).await?;
    let compared = objects.iter().zip(live).filter_map(|(object, live)| {
        let Some(live) = live else { return Some(Difference::new(describe(object), State::Missing)) };
        let mut fields = fits::differences(object, &live);
        if object["kind"] == "Secret" {
            fields.iter_mut().for_each(hide);
        }
        (!fields.is_empty()).then(|| Difference { fields, ..Difference::new(describe(object), State::Different) })
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
            found.push(Difference::new(describe(&id), State::NotReady));
        }
    }
    Ok(found)
}

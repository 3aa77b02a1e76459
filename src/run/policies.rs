//! Network policies in the cluster, exactly as they were rendered.

use std::net::Ipv4Addr;

use anyhow::Result;
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::fits::{Field, deviations};
use super::{Context, Run, cluster};
use crate::components::Site;
use crate::event::Outcome;
use crate::flows;
use crate::ports::{Kind, Kube as _, Ports};

const POLICY: Kind = Kind::new("networking.k8s.io", "v1", "NetworkPolicy");

/// A policy that is missing or says something else.
pub struct Changed {
    /// As it is wanted.
    pub object: Value,
    /// None where it is missing.
    pub fields: Option<Vec<Field>>,
}

pub async fn have<P: Ports>(context: &Context<'_, P>, objects: &[Value]) -> Result<Outcome> {
    let kube = context.run.ports.kube();
    let stale = changed(context.run, objects).await?;
    try_join_all(stale.iter().map(|changed| kube.apply(&changed.object))).await?;
    let outdated = outdated(context.run, objects).await?;
    for policy in &outdated {
        kube.delete(policy).await?;
    }
    Ok(match (stale.len(), outdated.len()) {
        (0, 0) => Outcome::Unchanged(format!("{} policies fit", objects.len())),
        (count, 0) => Outcome::Changed(format!("{count} of {} policies applied", objects.len())),
        (count, removed) => {
            Outcome::Changed(format!("{count} of {} policies applied, {removed} removed", objects.len()))
        }
    })
}

/// Policies of the lab that are not wanted any more, such as what an earlier configuration opened.
pub async fn outdated<P: Ports>(run: &Run<'_, P>, objects: &[Value]) -> Result<Vec<Value>> {
    let namespaces = Site { lab: run.lab, catalogue: run.catalogue }.namespace_names();
    let of = |object: &Value| (object["metadata"]["namespace"].clone(), object["metadata"]["name"].clone());
    let wanted: Vec<(Value, Value)> = objects.iter().map(of).collect();
    let id = |live: &Value| {
        let metadata = json!({ "namespace": live["metadata"]["namespace"], "name": live["metadata"]["name"] });
        json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata })
    };
    let mut outdated = Vec::new();
    for namespace in namespaces {
        let live = run.ports.kube().list(&POLICY, Some(namespace), "app.kubernetes.io/managed-by=lab").await?;
        outdated.extend(live.iter().filter(|live| !wanted.contains(&of(live))).map(id));
    }
    Ok(outdated)
}

/// The policies that are not as they are wanted. What a live one says beside that counts as well: it opens something.
pub async fn changed<P: Ports>(run: &Run<'_, P>, objects: &[Value]) -> Result<Vec<Changed>> {
    let wanted = settled(run, objects).await?;
    let live = try_join_all(wanted.iter().map(|object| run.ports.kube().get(object))).await?;
    let mut changed = Vec::new();
    for (object, live) in wanted.into_iter().zip(live) {
        let fields = live.map(|live| deviations(&object, &live, &["/spec"]));
        if fields.as_ref().is_none_or(|fields| !fields.is_empty()) {
            changed.push(Changed { object, fields });
        }
    }
    Ok(changed)
}

/// The policies with the addresses that the control planes have.
pub async fn settled<P: Ports>(run: &Run<'_, P>, objects: &[Value]) -> Result<Vec<Value>> {
    Ok(flows::settle(objects, &control_planes(run).await?))
}

/// Pinned since the step before, so they stay.
async fn control_planes<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Ipv4Addr>> {
    let containers = cluster::containers(run).await?;
    let names = cluster::nodes(run, "control-plane", run.lab.cluster.control_planes);
    names.iter().map(|name| cluster::address(run, &containers, name)).collect()
}

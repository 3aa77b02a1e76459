//! What admission decides: nobody of the lab's people changes what the lab made.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::attempt::{Expected, Topic, Wanted, dry};
use crate::access::{Answer, Table};
use crate::components::Site;
use crate::components::people::namespaces;
use crate::plan::Plan;
use crate::ports::{Kube as _, Method, Ports, Request};
use crate::run::Run;
use crate::step::Action;

/// What the guard's refusals say.
const REFUSED: Expected = Expected { status: 403, by: Some("ValidatingAdmissionPolicy 'lab-guard'") };

/// Resources of the table that the guard looks at: their names, versions and kinds.
const KINDS: [(&str, &str, &str); 5] = [
    ("secrets", "v1", "Secret"),
    ("serviceaccounts", "v1", "ServiceAccount"),
    ("roles", "rbac.authorization.k8s.io/v1", "Role"),
    ("rolebindings", "rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("networkpolicies", "networking.k8s.io/v1", "NetworkPolicy"),
];

/// All that the cells of the table forbid to do with what the lab made. Where it made nothing, nothing is tried.
pub async fn attempts<'a, P: Ports>(
    run: &Run<'_, P>,
    table: &Table,
    plan: &Plan,
    kubeconfigs: &'a BTreeMap<String, String>,
) -> Result<Vec<Wanted<'a>>> {
    let site = Site { lab: run.lab, catalogue: run.catalogue };
    let live = try_join_all(made(plan).iter().map(|object| run.ports.kube().get(object))).await?;
    let live: Vec<Value> = live.into_iter().flatten().collect();
    let mut wanted = Vec::new();
    for cell in table.cells.iter().filter(|cell| cell.answer == Answer::Guarded) {
        let (who, grant) = (cell.role.name(), &cell.grant);
        // Who has no certificate is told of elsewhere.
        let Some(kubeconfig) = kubeconfigs.get(who) else { continue };
        let known = KINDS.iter().find(|(resource, ..)| *resource == grant.resource);
        let (resource, version, kind) = known.with_context(|| format!("nobody knows how to {grant}"))?;
        for namespace in namespaces(&site, cell.place).into_iter().flatten() {
            let here = |object: &&Value| object["kind"] == *kind && object["metadata"]["namespace"] == namespace;
            let collection = collection(version, namespace, resource);
            wanted.extend(
                requests(&grant.verb, &collection, live.iter().filter(here)).into_iter().map(|request| Wanted {
                    topic: Topic::Guard,
                    who,
                    kubeconfig,
                    request,
                    expected: REFUSED,
                }),
            );
        }
    }
    Ok(wanted)
}

/// A verb on each of these objects, or on all at once. They are written as they are: whoever changes a role or a
/// binding is asked by RBAC as well, before the guard, whether he holds what it gives.
fn requests<'v>(verb: &str, collection: &str, objects: impl Iterator<Item = &'v Value>) -> Vec<Request> {
    let on_each = |object: &Value| {
        let path = format!("{collection}/{}", object["metadata"]["name"].as_str().unwrap_or_default());
        match verb {
            "update" => dry(Method::Put, &path, Some(object.clone())),
            "patch" => dry(Method::Patch, &path, Some(json!({}))),
            _ => dry(Method::Delete, &path, None),
        }
    };
    if verb == "deletecollection" {
        let path = format!("{collection}?labelSelector=app.kubernetes.io/managed-by%3Dlab");
        return objects.take(1).map(|_| dry(Method::Delete, &path, None)).collect();
    }
    objects.map(on_each).collect()
}

fn collection(version: &str, namespace: &str, resource: &str) -> String {
    let root = if version.contains('/') { "apis" } else { "api" };
    format!("/{root}/{version}/namespaces/{namespace}/{resource}")
}

/// What of these kinds the lab makes.
fn made(plan: &Plan) -> Vec<Value> {
    let mut made = Vec::new();
    for step in &plan.steps {
        match &step.action {
            Action::Apply { objects, .. } | Action::Policies { objects } => {
                let guarded = |object: &&Value| KINDS.iter().any(|(.., kind)| object["kind"] == *kind);
                made.extend(objects.iter().filter(guarded).cloned());
            }
            Action::Credentials { secrets } => made.extend(secrets.iter().map(|secret| {
                let metadata = json!({ "namespace": secret.object.namespace, "name": secret.object.name });
                json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata })
            })),
            _ => {}
        }
    }
    made
}

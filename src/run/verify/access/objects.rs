//! The live roles, bindings, accounts and the guard against those that were rendered, and those of Kubernetes itself.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::added;
use crate::access::{self, Grant, granted_by};
use crate::exec::kube::describe;
use crate::plan::Plan;
use crate::ports::{self, Kube, Ports};
use crate::run::Run;
use crate::run::diff::{Difference, State};
use crate::run::fits::deviations;
use crate::step::Action;

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const KINDS: [ports::Kind; 7] = [
    ports::Kind::new(RBAC, "v1", "Role"),
    ports::Kind::new(RBAC, "v1", "RoleBinding"),
    ports::Kind::new(RBAC, "v1", "ClusterRole"),
    ports::Kind::new(RBAC, "v1", "ClusterRoleBinding"),
    ports::Kind::new("", "v1", "ServiceAccount"),
    ports::Kind::new(ADMISSION, "v1", "ValidatingAdmissionPolicy"),
    ports::Kind::new(ADMISSION, "v1", "ValidatingAdmissionPolicyBinding"),
];

/// Rights that are told one by one.
const MOST_TOLD: usize = 6;

/// What differs: first what is there and should not be, as it is to blame for the rest.
pub async fn compare<P: Ports>(run: &Run<'_, P>, plan: &Plan) -> Result<Vec<Difference>> {
    let live = live(run.ports.kube()).await?;
    let wanted = wanted(plan)?;
    let mut found = added::compare(run, &live, &objects(&wanted));
    let by_name: BTreeMap<String, &Value> = live.iter().map(|object| (describe(object), object)).collect();
    for (name, (step, object)) in &wanted {
        found
            .extend(difference(object, by_name.get(name).copied()).map(|one| Difference { step: step.clone(), ..one }));
    }
    found.extend(aggregated(&wanted, &live));
    Ok(found)
}

/// What is there and should not be.
pub async fn foreign<P: Ports>(run: &Run<'_, P>, plan: &Plan) -> Result<Vec<Difference>> {
    Ok(added::compare(run, &live(run.ports.kube()).await?, &objects(&wanted(plan)?)))
}

/// Everything of these kinds that is in the cluster.
async fn live<K: Kube>(kube: &K) -> Result<Vec<Value>> {
    let lists = try_join_all(KINDS.iter().map(async |kind| {
        let mut list = kube.list(kind, None, "").await?;
        let version =
            if kind.group.is_empty() { kind.version.to_owned() } else { format!("{}/{}", kind.group, kind.version) };
        // Items of a list do not say what they are.
        for object in &mut list {
            (object["apiVersion"], object["kind"]) = (json!(version), json!(kind.kind));
        }
        anyhow::Ok(list)
    }));
    Ok(lists.await?.into_iter().flatten().collect())
}

/// What is to be there, with the step that makes it, by kind and name.
fn wanted(plan: &Plan) -> Result<BTreeMap<String, (String, Value)>> {
    let mut wanted = BTreeMap::new();
    for step in &plan.steps {
        let Action::Apply { objects, .. } = &step.action else { continue };
        let of_kind = |object: &&Value| KINDS.iter().any(|kind| object["kind"] == kind.kind);
        for object in objects.iter().filter(of_kind) {
            wanted.insert(describe(object), (step.id.to_owned(), object.clone()));
        }
    }
    for object in access::upstream()? {
        wanted.insert(describe(&object), ("cluster".to_owned(), object));
    }
    Ok(wanted)
}

fn objects(wanted: &BTreeMap<String, (String, Value)>) -> Vec<Value> {
    wanted.values().map(|(_, object)| object.clone()).collect()
}

fn difference(wanted: &Value, live: Option<&Value>) -> Option<Difference> {
    let Some(live) = live else { return Some(Difference::new(describe(wanted), State::Missing)) };
    let fields = deviations(wanted, live, parts(wanted));
    if fields.is_empty() {
        return None;
    }
    let different = Difference { fields, ..Difference::new(describe(wanted), State::Different) };
    // The cluster makes rules of aggregated roles itself.
    let detail = rights(&granted_by(wanted), &granted_by(live)).filter(|_| wanted["aggregationRule"].is_null());
    Some(detail.into_iter().fold(different, Difference::because))
}

/// The parts of an object in which all that nobody wants counts.
fn parts(wanted: &Value) -> &'static [&'static str] {
    match wanted["kind"].as_str().unwrap_or_default() {
        "Role" => &["/rules"],
        // By its labels a role is taken into others.
        "ClusterRole" if wanted["aggregationRule"].is_null() => &["/rules", "/aggregationRule", "/metadata/labels"],
        "ClusterRole" => &["/aggregationRule", "/metadata/labels"],
        "RoleBinding" | "ClusterRoleBinding" => &["/roleRef", "/subjects"],
        "ServiceAccount" => &[],
        _ => &["/spec"],
    }
}

/// The roles that are made of others, and have more or less than those give that are to be there.
fn aggregated(wanted: &BTreeMap<String, (String, Value)>, live: &[Value]) -> Vec<Difference> {
    let rendered = objects(wanted);
    let (rendered_access, live_access) = (access::Access::of(&rendered), access::Access::of(live));
    let mut found = Vec::new();
    for role in rendered.iter().filter(|object| object["aggregationRule"].is_object()) {
        let name = role["metadata"]["name"].as_str().unwrap_or_default();
        let there = live.iter().any(|object| describe(object) == describe(role));
        if let Some(detail) = rights(&rendered_access.role(name), &live_access.role(name)).filter(|_| there) {
            let different = Difference::new(describe(role), State::Different).because(detail);
            found.push(Difference { step: "cluster".to_owned(), ..different });
        }
    }
    found
}

/// What is granted besides, and what is not any more; none where it is the same.
fn rights(wanted: &BTreeSet<Grant>, live: &BTreeSet<Grant>) -> Option<String> {
    let beyond = |some: &BTreeSet<Grant>, others: &BTreeSet<Grant>| -> Vec<String> {
        let covered = |grant: &&Grant| others.iter().any(|other| other.covers(grant));
        some.iter().filter(|grant| !covered(grant)).map(ToString::to_string).collect()
    };
    let (more, less) = (beyond(live, wanted), beyond(wanted, live));
    let told = |words: &str, grants: &[String]| (!grants.is_empty()).then(|| format!("{words} {}", listed(grants)));
    let parts: Vec<String> =
        [told("it also grants", &more), told("it does not grant", &less)].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The first of them, and how many more there are.
pub fn listed(grants: &[String]) -> String {
    let first = grants.iter().take(MOST_TOLD).cloned().collect::<Vec<_>>().join(", ");
    match grants.len().saturating_sub(MOST_TOLD) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

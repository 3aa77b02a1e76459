//! The live policies against the rendered ones: missing, changed, and such as nobody rendered.

use std::collections::BTreeSet;

use anyhow::Result;
use futures::future::try_join_all;
use serde_json::Value;

use crate::components::Site;
use crate::plan::Plan;
use crate::ports::{Kind, Kube as _, Ports};
use crate::run::Run;
use crate::run::diff::{self, Difference};
use crate::step::Action;

const POLICY: Kind = Kind::new("networking.k8s.io", "v1", "NetworkPolicy");

pub async fn compare<P: Ports>(run: &Run<'_, P>, plan: &Plan) -> Result<Vec<Difference>> {
    let mut found = Vec::new();
    for step in plan.steps.iter().filter(|step| matches!(step.action, Action::Policies { .. })) {
        found.extend(diff::of_step(run, step).await?);
    }
    for one in foreign(run, plan).await? {
        // What an earlier configuration opened is known already.
        if !found.iter().any(|known| known.subject == one.subject) {
            found.push(one);
        }
    }
    Ok(found)
}

/// Policies in the lab's namespaces that nobody rendered.
pub async fn foreign<P: Ports>(run: &Run<'_, P>, plan: &Plan) -> Result<Vec<Difference>> {
    let name = |namespace: &Value, name: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        format!("NetworkPolicy {}/{}", text(namespace), text(name))
    };
    let rendered: BTreeSet<String> = plan
        .steps
        .iter()
        .filter_map(|step| if let Action::Policies { objects } = &step.action { Some(objects) } else { None })
        .flatten()
        .map(|object| name(&object["metadata"]["namespace"], &object["metadata"]["name"]))
        .collect();
    let namespaces = Site { lab: run.lab, catalogue: run.catalogue }.namespace_names();
    let live = try_join_all(namespaces.iter().map(async |namespace| {
        let policies = run.ports.kube().list(&POLICY, Some(namespace), "").await?;
        anyhow::Ok(
            policies.iter().map(|live| name(&Value::from(*namespace), &live["metadata"]["name"])).collect::<Vec<_>>(),
        )
    }));
    let live = live.await?.into_iter().flatten();
    Ok(live
        .filter(|subject| !rendered.contains(subject))
        .map(|subject| Difference::unwanted("policies", subject))
        .collect())
}

//! The live policies against the rendered ones: missing, changed, and such as nobody rendered.

use anyhow::Result;
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
    let mut rendered = Vec::new();
    for step in &plan.steps {
        if let Action::Policies { objects } = &step.action {
            found.extend(diff::of_step(run, step).await?);
            rendered.extend(objects.iter().map(|object| object["metadata"]["name"].clone()).zip(namespaces(objects)));
        }
    }
    let site = Site { lab: run.lab, catalogue: run.catalogue };
    for namespace in site.namespace_names() {
        for live in run.ports.kube().list(&POLICY, Some(namespace), "").await? {
            let name = &live["metadata"]["name"];
            if !rendered.iter().any(|(known, space)| known == name && *space == namespace) {
                let subject = format!("NetworkPolicy {namespace}/{}", name.as_str().unwrap_or("?"));
                if !found.iter().any(|one: &Difference| one.subject == subject) {
                    found.push(Difference::unwanted("policies", subject));
                }
            }
        }
    }
    Ok(found)
}

fn namespaces(objects: &[Value]) -> impl Iterator<Item = &Value> {
    objects.iter().map(|object| &object["metadata"]["namespace"])
}

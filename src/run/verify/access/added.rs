//! What somebody added: bindings that give something to people of the lab, to accounts in its namespaces or to
//! everybody, and roles that are taken into those of people.

use std::collections::BTreeSet;

use serde_json::Value;

use super::objects::listed;
use crate::access::granted_by;
use crate::components::Site;
use crate::components::people::{GROUP_PREFIX, people};
use crate::exec::kube::describe;
use crate::ports::Ports;
use crate::run::Run;
use crate::run::diff::Difference;

/// Labels of roles that are taken into those of people begin so; then comes the name of the role.
const AGGREGATE: &str = "rbac.authorization.k8s.io/aggregate-to-";

/// What of the live objects nobody wants and concerns the lab.
pub fn compare<P: Ports>(run: &Run<'_, P>, live: &[Value], wanted: &[Value]) -> Vec<Difference> {
    let known: BTreeSet<String> = wanted.iter().map(describe).collect();
    let concern = Concern::of(&Site { lab: run.lab, catalogue: run.catalogue });
    let unknown = live.iter().filter(|object| !known.contains(&describe(object)));
    let found = unknown.filter_map(|object| match object["kind"].as_str()? {
        "RoleBinding" | "ClusterRoleBinding" => Some((object, concern.given(object)?)),
        "ClusterRole" => Some((object, taken_in(object)?)),
        _ => None,
    });
    found.map(|(object, why)| Difference::unwanted("access", describe(object)).because(why)).collect()
}

/// Who is to have nothing but what the lab gives.
struct Concern {
    people: Vec<String>,
    namespaces: Vec<String>,
}

impl Concern {
    fn of(site: &Site<'_>) -> Self {
        let namespaces = site.namespace_names().into_iter().map(str::to_owned).collect();
        Self { people: people(site).into_iter().map(|person| person.name).collect(), namespaces }
    }

    /// What a binding gives to whom of these; none where it names nobody of them.
    fn given(&self, binding: &Value) -> Option<String> {
        let subjects = binding["subjects"].as_array()?;
        let theirs: Vec<String> = subjects.iter().filter_map(|subject| self.named(subject)).collect();
        let role = ["kind", "name"].map(|key| binding["roleRef"][key].as_str().unwrap_or("?")).join(" ");
        (!theirs.is_empty()).then(|| format!("it gives {role} to {}", theirs.join(", ")))
    }

    fn named(&self, subject: &Value) -> Option<String> {
        let text = |key: &str| subject[key].as_str().unwrap_or_default();
        let (kind, name) = (text("kind"), text("name"));
        let home = |namespace: &str| self.namespaces.iter().any(|known| known == namespace);
        let concerned = match kind {
            "Group" => {
                let accounts = name.strip_prefix("system:serviceaccounts:").is_some_and(home);
                let everybody =
                    ["system:authenticated", "system:unauthenticated", "system:serviceaccounts"].contains(&name);
                name.starts_with(GROUP_PREFIX) || accounts || everybody
            }
            "User" => {
                let account = name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
                name == "system:anonymous"
                    || self.people.iter().any(|person| person == name)
                    || account.is_some_and(|(namespace, _)| home(namespace))
            }
            _ => home(text("namespace")),
        };
        let namespace = text("namespace");
        let full = if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") };
        concerned.then(|| format!("{kind} {full}"))
    }
}

/// What a role adds to those of people, none where it adds nothing.
fn taken_in(role: &Value) -> Option<String> {
    let labels = role["metadata"]["labels"].as_object()?;
    let of_people = |(key, value): (&String, &Value)| {
        let name = key.strip_prefix(AGGREGATE).filter(|name| ["admin", "edit", "view"].contains(name));
        name.filter(|_| *value == "true").map(str::to_owned)
    };
    let roles: Vec<String> = labels.iter().filter_map(of_people).collect();
    let grants: Vec<String> = granted_by(role).iter().map(ToString::to_string).collect();
    (!roles.is_empty()).then(|| format!("it gives {} to {}", listed(&grants), roles.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whom_a_binding_concerns() {
        let concern = Concern {
            people: vec!["anna".to_owned()],
            namespaces: vec!["spark-jobs".to_owned(), "airflow".to_owned()],
        };
        let subject = |kind: &str, namespace: Option<&str>, name: &str| {
            concern.named(&json!({ "kind": kind, "namespace": namespace, "name": name })).is_some()
        };
        for (kind, namespace, name) in [
            ("Group", None, "lab:edit"),
            ("Group", None, "lab:somebody-new"),
            ("Group", None, "system:authenticated"),
            ("Group", None, "system:unauthenticated"),
            ("Group", None, "system:serviceaccounts"),
            ("Group", None, "system:serviceaccounts:airflow"),
            ("User", None, "anna"),
            ("User", None, "system:anonymous"),
            ("User", None, "system:serviceaccount:spark-jobs:spark"),
            ("ServiceAccount", Some("spark-jobs"), "somebody"),
        ] {
            assert!(subject(kind, namespace, name), "{kind} {namespace:?} {name}");
        }
        for (kind, namespace, name) in [
            ("Group", None, "system:masters"),
            ("Group", None, "system:serviceaccounts:kube-system"),
            ("User", None, "ben"),
            ("User", None, "lab:edit"),
            ("User", None, "system:serviceaccount:kube-system:spark"),
            ("ServiceAccount", Some("kube-system"), "spark"),
        ] {
            assert!(!subject(kind, namespace, name), "{kind} {namespace:?} {name}");
        }
    }
}

//! What roles and bindings grant: the union of all that is bound, roles aggregated as the API server does it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

/// Something that may be done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    pub verb: String,
    pub group: String,
    /// With its subresource, as in `pods/log`.
    pub resource: String,
    /// Of this object alone.
    pub name: Option<String>,
}

impl Grant {
    /// `resource` is as in `deployments.apps/scale`.
    pub fn new(verb: &str, resource: &str) -> Self {
        let (whole, part) = resource.split_once('/').map_or((resource, None), |(whole, part)| (whole, Some(part)));
        let (name, group) = whole.split_once('.').unwrap_or((whole, ""));
        let resource = part.map_or_else(|| name.to_owned(), |part| format!("{name}/{part}"));
        Self { verb: verb.to_owned(), group: group.to_owned(), resource, name: None }
    }

    /// True where whoever has this one has the other as well.
    pub fn covers(&self, other: &Self) -> bool {
        let is = |own: &str, wanted: &str| own == "*" || own == wanted;
        let part = |resource: &str| resource.split_once('/').map(|(_, part)| format!("*/{part}"));
        is(&self.verb, &other.verb)
            && is(&self.group, &other.group)
            && (is(&self.resource, &other.resource) || part(&other.resource).is_some_and(|any| self.resource == any))
            && (self.name.is_none() || self.name == other.name)
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = self.resource.split_once('/').map_or((&*self.resource, None), |(a, b)| (a, Some(b)));
        write!(f, "{} {whole}", self.verb)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        part.map_or(Ok(()), |part| write!(f, "/{part}"))?;
        self.name.as_ref().map_or(Ok(()), |name| write!(f, " {name}"))
    }
}

/// Who a binding names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    User(String),
    Group(String),
    ServiceAccount { namespace: String, name: String },
}

/// Roles and bindings of a cluster.
#[derive(Debug, Default)]
pub struct Access {
    /// Kind, namespace and name.
    roles: BTreeMap<[String; 3], BTreeSet<Grant>>,
    bindings: Vec<Binding>,
}

#[derive(Debug)]
struct Binding {
    /// None: everywhere.
    namespace: Option<String>,
    role: [String; 3],
    subjects: Vec<Subject>,
}

impl Access {
    /// Of all roles and bindings among these objects.
    pub fn of(objects: &[Value]) -> Self {
        let role = |object: &&Value| matches!(object["kind"].as_str(), Some("Role" | "ClusterRole"));
        let roles: Vec<&Value> = objects.iter().filter(role).collect();
        let bindings =
            objects.iter().filter(|object| object["kind"].as_str().is_some_and(|kind| kind.ends_with("RoleBinding")));
        Self {
            roles: roles.iter().map(|role| (key(role), granted(role, &roles))).collect(),
            bindings: bindings.map(binding).collect(),
        }
    }

    /// What a ClusterRole grants, wherever it is bound.
    pub fn role(&self, name: &str) -> BTreeSet<Grant> {
        self.roles.get(&["ClusterRole", "", name].map(str::to_owned)).cloned().unwrap_or_default()
    }

    /// What one of these subjects may do in a namespace, or everywhere.
    pub fn grants(&self, subjects: &[Subject], namespace: Option<&str>) -> BTreeSet<Grant> {
        self.held(subjects, namespace).cloned().collect()
    }

    fn held(&self, subjects: &[Subject], namespace: Option<&str>) -> impl Iterator<Item = &Grant> {
        let here = move |binding: &&Binding| binding.namespace.is_none() || binding.namespace.as_deref() == namespace;
        let theirs = move |binding: &&Binding| binding.subjects.iter().any(|subject| subjects.contains(subject));
        let bound = self.bindings.iter().filter(here).filter(theirs);
        bound.filter_map(|binding| self.roles.get(&binding.role)).flatten()
    }

    /// Whether one of these subjects may do something.
    pub fn allows(&self, subjects: &[Subject], grant: &Grant, namespace: Option<&str>) -> bool {
        self.held(subjects, namespace).any(|held| held.covers(grant))
    }

    /// Everybody to whom something is bound.
    pub fn subjects(&self) -> BTreeSet<&Subject> {
        self.bindings.iter().flat_map(|binding| &binding.subjects).collect()
    }
}

/// What the rules of one role grant, without those that it takes in.
pub fn granted_by(role: &Value) -> BTreeSet<Grant> {
    granted(role, &[])
}

fn key(role: &Value) -> [String; 3] {
    ["/kind", "/metadata/namespace", "/metadata/name"].map(|pointer| text(role, pointer))
}

/// A role's own rules, and those of the roles that it takes in.
fn granted(role: &Value, all: &[&Value]) -> BTreeSet<Grant> {
    let mut found: BTreeSet<Grant> = list(role, "/rules").iter().flat_map(grants_of).collect();
    for selector in list(role, "/aggregationRule/clusterRoleSelectors") {
        let wanted = selector["matchLabels"].as_object().cloned().unwrap_or_default();
        let fits = |other: &&&Value| {
            let labels = &other["metadata"]["labels"];
            !std::ptr::eq(**other, role) && wanted.iter().all(|(key, value)| labels[key] == *value)
        };
        found.extend(all.iter().filter(fits).flat_map(|other| granted(other, all)));
    }
    found
}

/// A rule about paths grants nothing of resources.
fn grants_of(rule: &Value) -> Vec<Grant> {
    let words = |key: &str| -> Vec<String> {
        list(rule, &format!("/{key}")).iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let names: Vec<Option<String>> = match words("resourceNames") {
        names if names.is_empty() => vec![None],
        names => names.into_iter().map(Some).collect(),
    };
    let mut grants = Vec::new();
    for verb in words("verbs") {
        for group in words("apiGroups") {
            for resource in words("resources") {
                grants.extend(names.iter().map(|name| Grant {
                    verb: verb.clone(),
                    group: group.clone(),
                    resource: resource.clone(),
                    name: name.clone(),
                }));
            }
        }
    }
    grants
}

fn binding(object: &Value) -> Binding {
    let namespace = text(object, "/metadata/namespace");
    let kind = text(object, "/roleRef/kind");
    let home = if kind == "Role" { namespace.clone() } else { String::new() };
    let subject = |subject: &Value| {
        let name = text(subject, "/name");
        match subject["kind"].as_str() {
            Some("User") => Subject::User(name),
            Some("Group") => Subject::Group(name),
            _ => Subject::ServiceAccount { namespace: text(subject, "/namespace"), name },
        }
    };
    Binding {
        namespace: (object["kind"] == "RoleBinding").then_some(namespace),
        role: [kind, home, text(object, "/roleRef/name")],
        subjects: list(object, "/subjects").iter().map(subject).collect(),
    }
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn role(name: &str, label: &str, verbs: &[&str]) -> Value {
        json!({
            "kind": "ClusterRole", "metadata": { "name": name, "labels": { label: "true" } },
            "rules": [{ "apiGroups": [""], "resources": ["pods"], "verbs": verbs }],
        })
    }

    fn aggregated(name: &str, own: &str, from: &str) -> Value {
        json!({
            "kind": "ClusterRole", "metadata": { "name": name, "labels": { own: "true" } },
            "aggregationRule": { "clusterRoleSelectors": [{ "matchLabels": { from: "true" } }] },
        })
    }

    fn told(grants: &BTreeSet<Grant>) -> Vec<String> {
        grants.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn aggregation_reaches_through_roles_that_are_aggregated_themselves() {
        let objects = [
            role("readers", "to-view", &["get"]),
            role("writers", "to-edit", &["create"]),
            aggregated("view", "to-edit", "to-view"),
            aggregated("edit", "to-admin", "to-edit"),
        ];
        let access = Access::of(&objects);
        assert_eq!(told(&access.role("view")), ["get pods"]);
        assert_eq!(told(&access.role("edit")), ["create pods", "get pods"]);
    }

    #[test]
    fn a_binding_holds_in_its_namespace_and_a_role_is_that_of_the_same_namespace() {
        let bind = |kind: &str, namespace: Value, role: Value| {
            json!({
                "kind": kind, "metadata": { "name": "b", "namespace": namespace }, "roleRef": role,
                "subjects": [{ "kind": "Group", "name": "people" }],
            })
        };
        let cluster_role = json!({ "kind": "ClusterRole", "name": "get" });
        let objects = [
            role("get", "x", &["get"]),
            role("list", "x", &["list"]),
            bind("RoleBinding", json!("one"), cluster_role),
            bind("ClusterRoleBinding", Value::Null, json!({ "kind": "ClusterRole", "name": "list" })),
            bind("RoleBinding", json!("two"), json!({ "kind": "Role", "name": "get" })),
        ];
        let access = Access::of(&objects);
        let of = |namespace| told(&access.grants(&[Subject::Group("people".to_owned())], namespace));
        assert_eq!(of(Some("one")), ["get pods", "list pods"]);
        assert_eq!(of(Some("two")), ["list pods"]);
        assert_eq!(of(None), ["list pods"]);
        assert_eq!(told(&access.grants(&[Subject::User("people".to_owned())], Some("one"))), Vec::<String>::new());
    }

    #[test]
    fn a_grant_covers_what_its_stars_and_names_say() {
        let grant = |verb: &str, group: &str, resource: &str, name: Option<&str>| Grant {
            verb: verb.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            name: name.map(str::to_owned),
        };
        let log = grant("get", "", "pods/log", None);
        for held in [grant("*", "*", "*", None), grant("get", "", "*/log", None), grant("get", "*", "pods/log", None)] {
            assert!(held.covers(&log), "{held}");
        }
        for held in [
            grant("get", "", "pods", None),
            grant("get", "apps", "pods/log", None),
            grant("list", "", "pods/log", None),
            grant("get", "", "pods/log", Some("one")),
        ] {
            assert!(!held.covers(&log), "{held}");
        }
        assert!(grant("get", "", "secrets", None).covers(&grant("get", "", "secrets", Some("one"))));
    }
}

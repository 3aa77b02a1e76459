//! Who works with a lab besides its own three users, and where.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::lab::Role;
use super::name::{LABEL, is_label};
use super::problem::Complaint;
use super::rules::Rule;
use super::tree::{Node, Value};

/// A DNS label has so many characters.
const LONGEST: usize = 63;

/// Namespaces of Kubernetes and of the lab, where people have the rights that the lab gives them, or none.
pub const TAKEN: [&str; 7] =
    ["airflow", "default", "lab-system", "local-path-storage", "object-store", "spark-jobs", "spark-operator"];

/// What begins so belongs to Kubernetes.
const KUBERNETES: &str = "kube-";

/// Names with the role of each.
pub fn users() -> Rule<BTreeMap<String, Role>> {
    let names = Role::ALL.map(Role::name);
    let schema = json!({
        "type": "object",
        "propertyNames": { "pattern": LABEL, "maxLength": LONGEST, "not": { "enum": names } },
        "additionalProperties": { "enum": names },
    });
    Rule::new("a mapping of names to roles, such as {anna: edit, ben: view}", schema, |value| {
        let Value::Map(entries) = value else { return Ok(None) };
        let mut users = BTreeMap::new();
        for (key, role) in entries {
            let name = user(key)?;
            if users.insert(name.clone(), role_of(&name, role)?).is_some() {
                return Err(Complaint::new(format!("user {name} is given twice")).hint("delete one of the two"));
            }
        }
        Ok(Some(users))
    })
}

fn user(key: &Node) -> Result<String, Complaint> {
    let name = name(key, "user")?;
    if Role::ALL.iter().any(|role| role.name() == name) {
        let message = format!("user {name} is given twice: every lab has one, with the role of its name");
        return Err(Complaint::new(message).hint("choose another name"));
    }
    Ok(name)
}

fn role_of(user: &str, value: &Node) -> Result<Role, Complaint> {
    let text = value.value.text().unwrap_or_default();
    let found = Role::ALL.into_iter().find(|role| role.name() == text);
    found.ok_or_else(|| {
        let complaint = value.value.must_be(format!("the role of user {user}: admin, edit or view"));
        if text.starts_with("system:") { complaint.hint("groups of Kubernetes are given to nobody") } else { complaint }
    })
}

/// Namespaces that are made for people.
pub fn namespaces() -> Rule<Vec<String>> {
    let schema = json!({
        "type": "array", "uniqueItems": true,
        "items": { "type": "string", "pattern": LABEL, "maxLength": LONGEST, "not": { "pattern": format!("^({}|{KUBERNETES}.*)$", TAKEN.join("|")) } },
    });
    Rule::new("a list of namespaces, such as [team-a, team-b]", schema, |value| {
        let Value::List(items) = value else { return Ok(None) };
        let mut seen = BTreeSet::new();
        for item in items {
            let name = name(item, "namespace")?;
            if TAKEN.contains(&name.as_str()) || name.starts_with(KUBERNETES) {
                let message = format!("namespace {name} belongs to Kubernetes or to the lab");
                return Err(Complaint::new(message).hint("choose another name"));
            }
            if !seen.insert(name.clone()) {
                return Err(Complaint::new(format!("namespace {name} is given twice")).hint("delete one of the two"));
            }
        }
        Ok(Some(seen.into_iter().collect()))
    })
}

/// A DNS label: what `system:` or another prefix of Kubernetes stands before is none.
fn name(node: &Node, what: &str) -> Result<String, Complaint> {
    let expected = format!("the name of a {what}: 1 to {LONGEST} lowercase letters, digits or inner hyphens");
    match &node.value {
        Value::Text(name) if (1..=LONGEST).contains(&name.len()) && is_label(name) => Ok(name.clone()),
        Value::Text(name) if name.starts_with("system:") => {
            Err(node.value.must_be(expected).hint("names that begin with system: belong to Kubernetes"))
        }
        Value::Number(_) | Value::Bool(_) => Err(node.value.must_be(expected).hint("put it in quotes")),
        other => Err(other.must_be(expected)),
    }
}

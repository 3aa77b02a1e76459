//! People: what each role may do, what guards the lab from them, and how they prove who they are.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::{AIRFLOW_NAMESPACE, JOBS_NAMESPACE, OPERATOR_NAMESPACE, STORE_NAMESPACE, SYSTEM_NAMESPACE, Site};
use crate::access::Place;
use crate::config::Role;
use crate::render;
use crate::step::{Action, Person, Step};

/// What the groups of people begin with; the guard knows people by it.
pub const GROUP_PREFIX: &str = "lab:";

/// The group that everybody of a role is in. Groups are bound, not users: who is made anew under an old name has no
/// rights left from before.
pub fn group(role: Role) -> String {
    format!("{GROUP_PREFIX}{}", role.name())
}

/// Everybody who has a certificate.
pub fn people(site: &Site<'_>) -> Vec<Person> {
    let person = |name: &str, role: Role| Person { name: name.to_owned(), role, group: group(role) };
    let own = Role::ALL.into_iter().map(|role| person(role.name(), role));
    own.chain(site.lab.people.users.iter().map(|(name, role)| person(name, *role))).collect()
}

/// Namespaces in which people work: all three roles are bound there.
pub fn workplaces<'a>(site: &Site<'a>) -> Vec<&'a str> {
    let jobs = site.has_jobs().then_some(JOBS_NAMESPACE);
    jobs.into_iter().chain(site.lab.people.namespaces.iter().map(String::as_str)).collect()
}

/// Namespaces of the platform that administrators look after.
pub fn platform(site: &Site<'_>) -> Vec<&'static str> {
    let airflow = site.lab.airflow.enabled.then_some(AIRFLOW_NAMESPACE);
    airflow.into_iter().chain(site.lab.object_store.enabled.then_some(STORE_NAMESPACE)).collect()
}

/// The namespaces that a column of the table of access is about; none stands for no namespace.
pub fn namespaces<'a>(site: &Site<'a>, place: Place) -> Vec<Option<&'a str>> {
    let operator = site.lab.spark_operator.enabled.then_some(OPERATOR_NAMESPACE);
    match place {
        Place::People => workplaces(site).into_iter().map(Some).collect(),
        Place::Platform => platform(site).into_iter().map(Some).collect(),
        Place::Foreign => operator.into_iter().chain([SYSTEM_NAMESPACE, "kube-system", "default"]).map(Some).collect(),
        Place::Cluster => vec![None],
    }
}

/// The namespace in which people begin.
pub fn home(site: &Site<'_>) -> Option<String> {
    workplaces(site).first().map(|name| (*name).to_owned())
}

/// What the API servers write down.
///
/// # Errors
/// When the template is malformed, which tests rule out.
pub fn audit_policy() -> Result<String> {
    let groups = json!({ "admin": group(Role::Admin), "edit": group(Role::Edit), "view": group(Role::View) });
    render::text(render::AUDIT, &groups)
}

pub fn steps(site: &Site<'_>) -> Result<Vec<Step>> {
    let namespaces = workplaces(site).into_iter().chain(platform(site));
    let accounts = namespaces.map(|namespace| format!("'system:serviceaccounts:{namespace}'")).collect::<Vec<_>>();
    let values = json!({
        "accounts": accounts.join(", "),
        "admin": group(Role::Admin),
        "edit": group(Role::Edit),
        "view": group(Role::View),
        "prefix": GROUP_PREFIX,
        "workplaces": workplaces(site),
        "platform": platform(site),
    });
    let certificates = Action::People {
        people: people(site),
        lifetime_seconds: site.lab.people.certificate_seconds,
        namespace: home(site),
    };
    Ok(vec![
        Step {
            id: "access",
            title: "roles of people, and what guards the lab".to_owned(),
            needs: vec!["namespaces"],
            deadline: Duration::from_mins(1),
            action: Action::Apply { objects: render::objects(render::ACCESS, &values)?, ready: vec![] },
        },
        Step {
            id: "people",
            title: "a certificate and a kubeconfig for each".to_owned(),
            // Beside their roles: without one, a certificate opens nothing.
            needs: vec!["namespaces"],
            deadline: Duration::from_mins(2),
            action: certificates,
        },
    ])
}

//! Every cell of the table, asked of RBAC; and what no account of the lab may.

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::CONNECTIONS;
use super::attempt::{message, review};
use crate::access::{Grant, Place, Table};
use crate::components::Site;
use crate::components::people::{group, namespaces};
use crate::plan::Plan;
use crate::ports::Kube;
use crate::step::Action;

/// The user in questions about a role. Nothing is to be bound to a user: only the group is to count.
const NOBODY: &str = "lab-verify-nobody";

/// What an account may nowhere: to list and watch is to read all of them; the last is what cluster-admin may.
const NEVER: [(&str, &str); 3] = [("list", "secrets"), ("watch", "secrets"), ("*", "*.*")];

/// Whether somebody may do something, as it should be and as it is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Review {
    /// A role, or an account: `account spark-jobs/spark`.
    pub who: String,
    /// `delete deployments.apps`
    pub right: String,
    /// None: no namespace, and all of them at once.
    pub namespace: Option<String>,
    /// What the table says.
    pub expected: bool,
    /// What the API says.
    pub allowed: bool,
    /// Which binding allows it, or why none could be looked at.
    pub reason: Option<String>,
}

impl Review {
    pub fn is_right(&self) -> bool {
        self.allowed == self.expected
    }
}

/// Something to be asked.
pub struct Question {
    who: String,
    user: String,
    groups: Vec<String>,
    grant: Grant,
    namespace: Option<String>,
    expected: bool,
}

/// All questions about people, and then those about accounts.
pub fn questions(site: &Site<'_>, table: &Table, plan: &Plan) -> Vec<Question> {
    let mut questions = Vec::new();
    for (number, cell) in table.cells.iter().enumerate() {
        for namespace in asked_in(site, cell.place, number) {
            questions.push(Question {
                who: cell.role.name().to_owned(),
                user: NOBODY.to_owned(),
                groups: vec![group(cell.role), "system:authenticated".to_owned()],
                grant: cell.grant.clone(),
                namespace: namespace.map(str::to_owned),
                expected: cell.answer.by_roles(),
            });
        }
    }
    let homes = site.namespace_names();
    for (home, name) in accounts(plan).into_iter().filter(|(home, _)| homes.contains(&home.as_str())) {
        for (verb, resource) in NEVER {
            for namespace in homes.iter().map(|name| Some((*name).to_owned())).chain([None]) {
                questions.push(Question {
                    who: format!("account {home}/{name}"),
                    user: format!("system:serviceaccount:{home}:{name}"),
                    groups: vec![
                        "system:serviceaccounts".to_owned(),
                        format!("system:serviceaccounts:{home}"),
                        "system:authenticated".to_owned(),
                    ],
                    grant: Grant::new(verb, resource),
                    namespace,
                    expected: false,
                });
            }
        }
    }
    questions
}

/// Where a cell is asked about: in each namespace of its column, but in the foreign ones by turns. There are many of
/// them, and a binding in one of them that concerns people is named whatever it gives.
fn asked_in<'a>(site: &Site<'a>, place: Place, turn: usize) -> Vec<Option<&'a str>> {
    let all = namespaces(site, place);
    match place {
        Place::Foreign => vec![all[turn % all.len()]],
        _ => all,
    }
}

/// Namespaces and names of the accounts that the lab makes.
fn accounts(plan: &Plan) -> Vec<(String, String)> {
    let objects = plan.steps.iter().flat_map(|step| match &step.action {
        Action::Apply { objects, .. } => objects.as_slice(),
        _ => &[],
    });
    let name = |object: &Value| {
        let text = |key: &str| Some(object["metadata"][key].as_str()?.to_owned());
        Some((text("namespace")?, text("name")?))
    };
    objects.filter(|object| object["kind"] == "ServiceAccount").filter_map(name).collect()
}

/// Asks them all, several at a time, in the name of the lab's administrator.
///
/// # Errors
/// When an answer does not come.
pub async fn ask<K: Kube>(kube: &K, administrator: &str, questions: Vec<Question>) -> Result<Vec<Review>> {
    let asked = questions.into_iter().map(async |question| one(kube, administrator, question).await);
    stream::iter(asked).buffered(CONNECTIONS).try_collect().await
}

async fn one<K: Kube>(kube: &K, administrator: &str, question: Question) -> Result<Review> {
    let request = review("/apis/authorization.k8s.io/v1/subjectaccessreviews", subject_access_review(&question));
    let answer = kube.send(administrator, &request).await?;
    let said = message(&answer).unwrap_or_default();
    ensure!(answer.status == 201, "a SubjectAccessReview was answered {}: {said}", answer.status);
    let status = &answer.body["status"];
    let allowed = status["allowed"].as_bool().context("a SubjectAccessReview without a verdict")?;
    let reason = ["reason", "evaluationError"].into_iter().find_map(|key| status[key].as_str());
    let Question { who, grant, namespace, expected, .. } = question;
    let reason = reason.filter(|reason| !reason.is_empty()).map(str::to_owned);
    Ok(Review { who, right: grant.to_string(), namespace, expected, allowed, reason })
}

fn subject_access_review(question: &Question) -> Value {
    let Grant { verb, group, resource, .. } = &question.grant;
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {
            "user": question.user, "groups": question.groups,
            "resourceAttributes": {
                "verb": verb, "group": group, "resource": resource, "subresource": subresource,
                "namespace": question.namespace.as_deref().unwrap_or_default(),
            },
        },
    })
}

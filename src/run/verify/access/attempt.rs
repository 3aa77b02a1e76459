//! Real requests to the API, none of which changes anything, and what is to come back.

use anyhow::{Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::CONNECTIONS;
use crate::ports::{Answer, Kube, Method, Request};

/// A request that is to be sent.
pub struct Wanted<'a> {
    pub topic: Topic,
    pub who: &'a str,
    /// That of who sends it.
    pub kubeconfig: &'a str,
    pub request: Request,
    pub expected: Expected,
}

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Topic {
    /// The guard keeps what the lab made.
    Guard,
    /// A person may what the role may.
    Person,
    /// Who is not of the lab gets nowhere.
    Outsider,
}

/// What is to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Expected {
    /// HTTP's status. 404 is for who may look where nothing is.
    pub status: u16,
    /// Whom the answer has to name as the one that refused.
    pub by: Option<&'static str>,
}

/// A request that was sent.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    pub topic: Topic,
    /// A person, or `stranger` (a certificate to which nothing is bound), `anonymous`, `wrong token`.
    pub who: String,
    /// `DELETE /api/v1/namespaces/spark-jobs/secrets/object-store?dryRun=All`
    pub request: String,
    pub expected: Expected,
    pub status: u16,
    /// What the API said where it refused.
    pub message: Option<String>,
    pub right: bool,
}

/// A question.
pub fn read(path: impl Into<String>) -> Request {
    Request { method: Method::Get, path: path.into(), body: None }
}

/// A question that is asked by creating something, which is not kept.
pub fn review(path: &str, body: Value) -> Request {
    Request { method: Method::Post, path: path.to_owned(), body: Some(body) }
}

/// A change that goes all the way but for its end: admission is asked, and nothing is kept.
pub fn dry(method: Method, path: &str, body: Option<Value>) -> Request {
    let separator = if path.contains('?') { '&' } else { '?' };
    Request { method, path: format!("{path}{separator}dryRun=All"), body }
}

/// Sends them all, several at a time.
///
/// # Errors
/// When an answer does not come, or says nothing about rights.
pub async fn send<K: Kube>(kube: &K, wanted: &[Wanted<'_>]) -> Result<Vec<Attempt>> {
    let sent = wanted.iter().map(async |one| judge(one, &kube.send(one.kubeconfig, &one.request).await?));
    stream::iter(sent).buffered(CONNECTIONS).try_collect().await
}

fn judge(wanted: &Wanted<'_>, answer: &Answer) -> Result<Attempt> {
    let Wanted { topic, who, request, expected, .. } = wanted;
    let request = format!("{} {}", request.method.name(), request.path);
    let message = message(answer);
    let status = answer.status;
    // The server has other worries.
    ensure!(status < 500 && status != 429, "{request}: answered {status}: {}", message.as_deref().unwrap_or_default());
    let named = expected.by.is_none_or(|by| message.as_ref().is_some_and(|message| message.contains(by)));
    let right = status == expected.status && named;
    Ok(Attempt { topic: *topic, who: (*who).to_owned(), request, expected: *expected, status, message, right })
}

/// What a refusal says of itself.
pub fn message(answer: &Answer) -> Option<String> {
    let text = answer.body.get("message").unwrap_or(&answer.body).as_str();
    text.filter(|_| answer.status >= 400).map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const GUARD: Expected = Expected { status: 403, by: Some("'lab-guard'") };

    fn judged(expected: Expected, status: u16, body: Value) -> Result<bool> {
        let request = dry(Method::Delete, "/api/v1/namespaces/a/secrets?labelSelector=b", None);
        let wanted = Wanted { topic: Topic::Guard, who: "edit", kubeconfig: "", request, expected };
        judge(&wanted, &Answer { status, body }).map(|attempt| attempt.right)
    }

    #[test]
    fn a_refusal_counts_only_from_whom_it_is_expected() {
        let by = |who: &str| json!({ "kind": "Status", "message": format!("forbidden: {who} denied request") });
        let plain = Expected { status: 403, by: None };
        assert!(judged(GUARD, 403, by("'lab-guard'")).unwrap());
        assert!(!judged(GUARD, 403, by("another")).unwrap());
        assert!(!judged(GUARD, 200, by("'lab-guard'")).unwrap());
        assert!(judged(plain, 403, by("another")).unwrap());
        assert!(judged(plain, 403, json!("forbidden")).unwrap());
        assert!(!judged(plain, 401, by("another")).unwrap());
    }

    #[test]
    fn a_server_in_trouble_is_no_answer() {
        for status in [429, 500, 503] {
            let error = judged(GUARD, status, json!({ "message": "etcd is slow" })).unwrap_err();
            assert!(error.to_string().ends_with(&format!("answered {status}: etcd is slow")), "{error}");
        }
    }

    #[test]
    fn a_change_is_dry_whatever_its_query() {
        assert_eq!(dry(Method::Put, "/a", None).path, "/a?dryRun=All");
        assert_eq!(dry(Method::Delete, "/a?b=c", None).path, "/a?b=c&dryRun=All");
    }
}

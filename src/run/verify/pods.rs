//! `lab verify pods`: each namespace of the lab refuses pods that Pod Security *restricted* forbids.
//!
//! Pods are sent to the API as requests that change nothing. The first of each namespace obeys all rules and has to be
//! accepted: else a refusal of the others would say nothing.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::seconds;
use crate::components::Site;
use crate::fault::{Fault, Kind};
use crate::plan::Plan;
use crate::ports::{Answer, Kube as _, Method, Ports, Request};
use crate::run::Run;
use crate::run::diff::{self, Difference};

const DEADLINE: Duration = Duration::from_mins(1);

/// What was proved, and what was not.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Pods {
    /// True where each pod was answered as it should be.
    pub passed: bool,
    /// Namespaces that are missing, or do not say what they should of Pod Security.
    pub namespaces: Vec<Difference>,
    pub attempts: Vec<Attempt>,
    #[serde(rename = "seconds", serialize_with = "seconds")]
    #[schemars(with = "f64")]
    pub took: Duration,
}

/// A pod that was sent.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    pub namespace: String,
    /// What it is: `privileged`, `hostPath volume`.
    pub pod: &'static str,
    /// True for the one that obeys all rules.
    pub allowed: bool,
    /// The API's word: `accepted`, or why not.
    pub seen: String,
    pub right: bool,
}

/// Proves it.
///
/// # Errors
/// When the proof cannot be made: that is no verdict.
pub async fn pods<P: Ports>(run: &Run<'_, P>, plan: &Plan) -> Result<Pods> {
    let proved = run.within("verify", DEADLINE, async |context| {
        context.note("a pod of each kind to each namespace");
        prove(run, plan).await
    });
    proved.await.map_err(|error| {
        let next = format!("lab status{}   (what is there)", run.flags);
        error.context(Fault::new(Kind::Step, "Pod Security could not be tried").next(next))
    })
}

async fn prove<P: Ports>(run: &Run<'_, P>, plan: &Plan) -> Result<Pods> {
    let started = Instant::now();
    let mut namespaces = Vec::new();
    for step in plan.steps.iter().filter(|step| step.id == "namespaces") {
        namespaces.extend(diff::of_step(run, step).await?);
    }
    let administrator = fs_err::read_to_string(run.kubeconfig())?;
    let image = run.catalogue.reference("pause")?;
    let kinds = kinds(image);
    let site = Site { lab: run.lab, catalogue: run.catalogue };
    let names = site.namespace_names();
    let all = names.iter().flat_map(|namespace| kinds.iter().map(move |kind| (*namespace, kind)));
    let attempts = try_join_all(all.map(async |(namespace, (pod, spec))| {
        let answer = run.ports.kube().send(&administrator, &creation(namespace, spec)).await?;
        anyhow::Ok(judged(namespace, pod, &answer))
    }))
    .await?;
    let passed = namespaces.is_empty() && attempts.iter().all(|attempt| attempt.right);
    Ok(Pods { passed, namespaces, attempts, took: started.elapsed() })
}

/// The one that obeys all rules.
const FITTING: &str = "restricted";

/// Pods by what they are: one that obeys all rules, and three with one slip each.
fn kinds(image: &str) -> Vec<(&'static str, Value)> {
    let fitting = json!({
        "automountServiceAccountToken": false,
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": 65535, "runAsGroup": 65535, "seccompProfile": { "type": "RuntimeDefault" },
        },
        "containers": [{
            "name": "pause",
            "image": image,
            "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } },
            "resources": { "requests": { "cpu": "1m", "memory": "4Mi" }, "limits": { "cpu": "10m", "memory": "16Mi" } },
        }],
    });
    let with = |pointer: &str, key: &str, value: Value| {
        let mut pod = fitting.clone();
        if let Some(fields) = pod.pointer_mut(pointer).and_then(Value::as_object_mut) {
            fields.insert(key.to_owned(), value);
        }
        pod
    };
    // The API takes no privileged container that may not raise its privileges.
    let privileged = json!({ "privileged": true, "capabilities": { "drop": ["ALL"] } });
    vec![
        (FITTING, fitting.clone()),
        ("privileged", with("/containers/0", "securityContext", privileged)),
        ("hostPath volume", with("", "volumes", json!([{ "name": "node", "hostPath": { "path": "/" } }]))),
        ("no seccomp profile", with("/securityContext", "seccompProfile", Value::Null)),
    ]
}

fn creation(namespace: &str, spec: &Value) -> Request {
    let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "verify-pods" }, "spec": spec });
    Request { method: Method::Post, path: format!("/api/v1/namespaces/{namespace}/pods?dryRun=All"), body: Some(pod) }
}

/// Only a refusal by Pod Security itself counts: quotas and webhooks refuse as well.
fn judged(namespace: &str, pod: &'static str, answer: &Answer) -> Attempt {
    let allowed = pod == FITTING;
    let message = answer.body["message"].as_str().unwrap_or("no reason");
    let accepted = (200..300).contains(&answer.status);
    let refused = answer.status == 403 && message.contains("violates PodSecurity \"restricted:");
    let seen = if accepted { "accepted".to_owned() } else { format!("{}: {message}", answer.status) };
    let right = if allowed { accepted } else { refused };
    Attempt { namespace: namespace.to_owned(), pod, allowed, seen, right }
}

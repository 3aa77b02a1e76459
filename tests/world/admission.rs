//! What the API server of the world in memory does not let in.

use anyhow::{Result, bail};
use serde_json::Value;

use super::State;
use super::restricted::violations;

/// Kinds of which an object lives in no namespace.
const CLUSTER_SCOPED: [&str; 10] = [
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "MutatingWebhookConfiguration",
    "Namespace",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
];

/// What a SparkApplication can be of.
const TYPES: [&str; 4] = ["Java", "Python", "R", "Scala"];

/// An error where the API server would refuse what is to be applied; `live` is what there is of it.
pub fn admit(state: &State, object: &Value, live: Option<&Value>) -> Result<()> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (kind, namespace, name) = (text("/kind"), text("/metadata/namespace"), text("/metadata/name"));
    if !is_known(state, object) {
        bail!("404 page not found");
    }
    let home = state.object("Namespace", "", namespace);
    if !CLUSTER_SCOPED.contains(&kind) && home.is_none() {
        bail!("namespaces {namespace:?} not found");
    }
    let selector = "/spec/selector/matchLabels";
    if live.is_some_and(|live| live.pointer(selector) != object.pointer(selector)) && kind != "Service" {
        bail!("{kind} {name:?} is invalid: spec.selector: field is immutable");
    }
    let enforced =
        home.is_some_and(|home| home["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted");
    if kind == "Pod"
        && enforced
        && let [first, ..] = violations(object).as_slice()
    {
        bail!("pods {name:?} is forbidden: violates PodSecurity \"restricted:latest\": {first}");
    }
    if kind == "SparkApplication" {
        let of = &object["spec"]["type"];
        if of.as_str().is_some_and(|of| !TYPES.contains(&of)) {
            bail!("SparkApplication {name:?} is invalid: spec.type: Unsupported value: {of}");
        }
        if !name.starts_with(|letter: char| letter.is_ascii_lowercase()) {
            bail!("admission webhook denied the request: invalid metadata.name {name:?}");
        }
    }
    Ok(())
}

/// Kinds of Kubernetes itself, and those that were defined.
fn is_known(state: &State, object: &Value) -> bool {
    let (version, kind) =
        (object["apiVersion"].as_str().unwrap_or_default(), object["kind"].as_str().unwrap_or_default());
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let own = !group.contains('.') || group.ends_with(".k8s.io") && group != "sparkoperator.k8s.io";
    own || state.object("CustomResourceDefinition", "", &format!("{}s.{group}", kind.to_lowercase())).is_some()
}

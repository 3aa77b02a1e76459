//! Requests for certificates at the Kubernetes API, which signs what the lab's administrator approves.

use anyhow::{Result, bail};
use futures::future::try_join_all;
use k8s_openapi::ByteString;
use serde_json::{Value, json};

use super::certificate;
use crate::ports::{Kind, Kube, Ports};
use crate::run::Context;
use crate::run::wait::{Look, until};

/// The label that tells our requests from those of others.
const LABEL: (&str, &str) = ("app.kubernetes.io/managed-by", "lab");

/// A new key and its certificate, both as PEM. The request stays until it is withdrawn.
pub async fn issue<P: Ports>(
    context: &Context<'_, P>,
    user: &str,
    group: &str,
    lifetime: u32,
) -> Result<(String, String)> {
    let kube = context.run.ports.kube();
    let (key, request) = certificate::request(user, group)?;
    let name = format!("lab-{user}");
    let mut object = id(&name);
    object["metadata"]["labels"] = json!({ LABEL.0: LABEL.1 });
    object["spec"] = json!({
        "request": ByteString(request.into_bytes()),
        "signerName": "kubernetes.io/kube-apiserver-client",
        "expirationSeconds": lifetime,
        "usages": ["client auth"],
    });
    kube.apply(&object).await?;
    kube.approve(&name, "asked for by lab itself").await?;
    let certificate = until(context, async || Ok(signed(&name, kube.get(&object).await?.as_ref())?)).await?;
    Ok((key, certificate))
}

fn signed(name: &str, live: Option<&Value>) -> Result<Look<String>> {
    let Some(live) = live else { bail!("CertificateSigningRequest {name} was removed before it was signed") };
    let conditions =
        live.pointer("/status/conditions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let refused = |condition: &&Value| matches!(condition["type"].as_str(), Some("Denied" | "Failed"));
    if let Some(condition) = conditions.iter().find(refused) {
        bail!("CertificateSigningRequest {name} was refused: {}", condition["message"].as_str().unwrap_or("no reason"));
    }
    match live.pointer("/status/certificate") {
        Some(certificate) => {
            let ByteString(pem) = serde_json::from_value(certificate.clone())?;
            Ok(Look::Done(String::from_utf8(pem)?))
        }
        None => Ok(Look::Pending(format!("CertificateSigningRequest {name} is not signed yet"))),
    }
}

/// Names of the requests that are there.
pub async fn left<K: Kube>(kube: &K) -> Result<Vec<String>> {
    let requests = kube.list(&Kind::CERTIFICATE_REQUEST, None, &format!("{}={}", LABEL.0, LABEL.1)).await?;
    Ok(requests.iter().filter_map(|one| Some(one["metadata"]["name"].as_str()?.to_owned())).collect())
}

/// Removes all that are there.
pub async fn withdraw<K: Kube>(kube: &K) -> Result<()> {
    let requests: Vec<Value> = left(kube).await?.iter().map(|name| id(name)).collect();
    try_join_all(requests.iter().map(|request| kube.delete(request))).await?;
    Ok(())
}

fn id(name: &str) -> Value {
    json!({ "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": { "name": name } })
}

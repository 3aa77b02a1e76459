//! What stands in Secrets.

use anyhow::{Context as _, Result};
use k8s_openapi::ByteString;
use serde_json::{Value, json};

use super::Context;
use crate::event::Outcome;
use crate::fault::{Fault, Kind};
use crate::ports::{Kube, Ports};
use crate::step::ObjectName;

/// Sees that a Secret is there which a person has to make.
///
/// # Errors
/// [`Kind::Config`] where it is not, with the command that makes it.
pub async fn expect<P: Ports>(context: &Context<'_, P>, secret: &ObjectName, keys: &[String]) -> Result<Outcome> {
    let ObjectName { namespace, name } = secret;
    let Some(what) = lacking(context.run.ports.kube(), secret, keys).await? else {
        return Ok(Outcome::Unchanged(format!("Secret {namespace}/{name}")));
    };
    let (lab, lines) =
        (&context.run.lab.name, keys.iter().map(|key| format!("{key}=…")).collect::<Vec<_>>().join(", "));
    let create = format!("kubectl -n {namespace} create secret generic {name} --from-env-file=/dev/stdin");
    let command = format!(
        "docker exec -i {lab}-control-plane {create} <FILE   (its lines: {lines}); lab up{}",
        context.run.flags
    );
    Err(Fault::new(Kind::Config, what).next(command).error())
}

/// What a Secret lacks, none where it is there with these keys.
pub async fn lacking<K: Kube>(kube: &K, secret: &ObjectName, keys: &[String]) -> Result<Option<String>> {
    let ObjectName { namespace, name } = secret;
    let Some(live) = live(kube, secret).await? else {
        return Ok(Some(format!("Secret {namespace}/{name} is not there")));
    };
    let missing = keys.iter().find(|key| live["data"].get(key.as_str()).is_none());
    Ok(missing.map(|key| format!("Secret {namespace}/{name} has no key {key}")))
}

/// The value of a key.
///
/// # Errors
/// Where Secret or key is not there.
pub async fn value<K: Kube>(kube: &K, secret: &ObjectName, key: &str) -> Result<String> {
    let live = live(kube, secret).await?;
    let live = live.with_context(|| format!("Secret {}/{} is not there", secret.namespace, secret.name))?;
    let data = live["data"].get(key).cloned().with_context(|| format!("Secret {} has no key {key}", secret.name))?;
    let bytes: ByteString = serde_json::from_value(data)?;
    Ok(String::from_utf8(bytes.0)?)
}

async fn live<K: Kube>(kube: &K, secret: &ObjectName) -> Result<Option<Value>> {
    let metadata = json!({ "namespace": secret.namespace, "name": secret.name });
    kube.get(&json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata })).await
}

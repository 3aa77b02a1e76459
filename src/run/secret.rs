//! What stands in Secrets.

use anyhow::{Context as _, Result};
use k8s_openapi::ByteString;
use serde_json::json;

use crate::ports::Kube;
use crate::step::ObjectName;

/// The value of a key.
///
/// # Errors
/// Where Secret or key is not there.
pub async fn value<K: Kube>(kube: &K, secret: &ObjectName, key: &str) -> Result<String> {
    let id = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "namespace": secret.namespace, "name": secret.name },
    });
    let live =
        kube.get(&id).await?.with_context(|| format!("Secret {}/{} is not there", secret.namespace, secret.name))?;
    let data = live["data"].get(key).cloned().with_context(|| format!("Secret {} has no key {key}", secret.name))?;
    let bytes: ByteString = serde_json::from_value(data)?;
    Ok(String::from_utf8(bytes.0)?)
}

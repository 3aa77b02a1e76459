//! Credentials: random, made once, kept in Secrets.

use anyhow::Result;
use k8s_openapi::ByteString;
use rand::RngExt as _;
use serde_json::{Value, json};

use super::Context;
use crate::event::Outcome;
use crate::ports::{Kube as _, Ports};
use crate::step::SecretSpec;

pub async fn have<P: Ports>(context: &Context<'_, P>, secrets: &[SecretSpec]) -> Result<Outcome> {
    let kube = context.run.ports.kube();
    let mut made = 0;
    for secret in secrets {
        let (namespace, name) = (&secret.object.namespace, &secret.object.name);
        let mut object = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {
                "namespace": namespace, "name": name,
                "labels": { "app.kubernetes.io/managed-by": "lab" },
            },
        });
        let live = kube.get(&object).await?.unwrap_or_default();
        if missing(&live, secret).is_empty() {
            continue;
        }
        let fixed = secret.fixed.iter().map(|(key, value)| (key.clone(), value.clone()));
        let random = secret.random.iter().map(|key| (key.clone(), random_hex()));
        // What is there stays: somebody uses it already.
        let kept = |key: &String| live["data"].get(key).cloned();
        let data = fixed.chain(random).map(|(key, value)| {
            let value = kept(&key).unwrap_or_else(|| json!(ByteString(value.into_bytes())));
            (key, value)
        });
        object["data"] = Value::Object(data.collect());
        kube.apply(&object).await?;
        made += 1;
    }
    Ok(match made {
        0 => Outcome::Unchanged("kept".to_owned()),
        count => Outcome::Changed(format!("{count} made")),
    })
}

/// The keys that are not there.
pub fn missing<'a>(live: &Value, secret: &'a SecretSpec) -> Vec<&'a str> {
    let has = |key: &str| live.pointer("/data").and_then(|data| data.get(key)).is_some();
    let keys = secret.fixed.iter().map(|(key, _)| key).chain(&secret.random);
    keys.map(String::as_str).filter(|key| !has(key)).collect()
}

/// 128 random bits in hexadecimal.
fn random_hex() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

#[cfg(test)]
mod tests {
    use super::random_hex;

    #[test]
    fn random_values_have_128_bits_and_differ() {
        let (one, other) = (random_hex(), random_hex());
        assert_eq!(one.len(), 32);
        assert_ne!(one, other);
    }
}

//! Credentials: random, made once, kept in Secrets.

use anyhow::Result;
use base64::prelude::{BASE64_URL_SAFE, Engine as _};
use k8s_openapi::ByteString;
use rand::RngExt as _;
use serde_json::{Value, json};

use super::Context;
use crate::event::Outcome;
use crate::ports::{Kube as _, Ports};
use crate::step::{Random, SecretSpec};

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
        let random = secret.random.iter().map(|(key, form)| (key.clone(), random(*form)));
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
    let keys = secret.fixed.iter().map(|(key, _)| key).chain(secret.random.iter().map(|(key, _)| key));
    keys.map(String::as_str).filter(|key| !has(key)).collect()
}

fn random(form: Random) -> String {
    let mut bits = [0; 64];
    rand::rng().fill(&mut bits);
    match form {
        Random::Password => hex(&bits[..16]),
        Random::SigningKey => hex(&bits),
        Random::FernetKey => BASE64_URL_SAFE.encode(&bits[..32]),
    }
}

fn hex(bits: &[u8]) -> String {
    bits.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::{Random, random};

    #[test]
    fn random_values_have_their_form_and_differ() {
        for (form, length) in [(Random::Password, 32), (Random::SigningKey, 128), (Random::FernetKey, 44)] {
            let (one, other) = (random(form), random(form));
            assert_eq!(one.len(), length);
            assert_ne!(one, other);
        }
        assert!(random(Random::FernetKey).ends_with('='), "32 bytes of base64 have one byte of padding");
    }
}

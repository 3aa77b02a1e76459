//! What the lab knows about itself, kept in the cluster: its configuration and last smoke verdict.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::components::{RECORD, SYSTEM_NAMESPACE};
use crate::ports::Kube;
use crate::smoke::verdict::Verdict;

/// The last smoke run and what it was run with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// Hash over the job's code, template, image and sizes.
    pub fingerprint: String,
    /// When the job ended: RFC 3339, in UTC.
    pub at: String,
    pub verdict: Verdict,
}

fn object() -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "namespace": SYSTEM_NAMESPACE, "name": RECORD,
            "labels": { "app.kubernetes.io/managed-by": "lab" },
        },
    })
}

impl Record {
    /// None where there is none, or one that this version cannot read.
    pub async fn read<K: Kube>(kube: &K) -> Result<Option<Self>> {
        let live = kube.get(&object()).await?;
        let text = live.as_ref().and_then(|live| live.pointer("/data/smoke.json")?.as_str());
        Ok(text.and_then(|text| serde_json::from_str(text).ok()))
    }

    pub async fn write<K: Kube>(&self, kube: &K) -> Result<()> {
        let mut object = object();
        object["data"] = json!({ "smoke.json": serde_json::to_string_pretty(self)? });
        kube.apply(&object).await.map(drop)
    }
}

//! The operator's webhook, called by the API server of each control plane: it may run on another node than the one
//! that happens to answer.

use anyhow::Result;
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Serialize;

use super::places::Places;
use crate::components::JOBS_NAMESPACE;
use crate::ports::{Docker as _, Ports};
use crate::run::Run;

/// Asks the API server of this node, and no other, to take an application for a trial; `$0` is the namespace.
/// Without the webhook's answer it refuses.
const ASK: &str = r#"
exec timeout 20 kubectl --kubeconfig=/etc/kubernetes/admin.conf --server=https://127.0.0.1:6443 \
  create --dry-run=server --output=name --filename=- <<END
apiVersion: sparkoperator.k8s.io/v1beta2
kind: SparkApplication
metadata: {name: verify-webhook, namespace: $0}
spec:
  {type: Python, mode: cluster, sparkVersion: "4.1", mainApplicationFile: "local:///none.py", driver: {}, executor: {}}
END
"#;

/// What one control plane's call came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// The control plane.
    pub node: String,
    pub answers: bool,
    /// What the API server said where it does not.
    pub why: Option<String>,
}

pub async fn call<P: Ports>(run: &Run<'_, P>, places: &Places) -> Result<Vec<Webhook>> {
    let calls = places.of("control-plane").map(async |node| {
        let output = run.ports.docker().exec(&node.name, &["bash", "-c", ASK, JOBS_NAMESPACE]).await?;
        let answers = output.code == 0;
        anyhow::Ok(Webhook { node: node.name.clone(), answers, why: (!answers).then(|| output.quoted()) })
    });
    try_join_all(calls).await
}

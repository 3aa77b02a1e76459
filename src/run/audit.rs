//! The policy of the audit log, which each API server reads from its own node when it starts.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::Result;

use super::{Run, cluster};
use crate::components::people::audit_policy;
use crate::ports::{Docker as _, Ports};
use crate::render::AUDIT_POLICY;

/// How long to wait between two looks for new nodes.
const INTERVAL: Duration = Duration::from_millis(500);

/// Hands the policy to each control plane as soon as its container runs. kind could mount a file of this machine, but
/// the engine may see another machine's files.
pub async fn keep_handing_out<P: Ports>(run: &Run<'_, P>) -> Infallible {
    loop {
        // A container may go while it is looked at; kind says why.
        if let Err(error) = hand_out(run).await {
            tracing::debug!("the audit policy is not handed out yet: {error:#}");
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Hands the policy to the control planes that lack it.
pub async fn hand_out<P: Ports>(run: &Run<'_, P>) -> Result<()> {
    let docker = run.ports.docker();
    let policy = audit_policy()?;
    for container in cluster::containers(run).await? {
        let asked = container.running && container.name.contains("-control-plane");
        if asked && !docker.has_file(&container.name, AUDIT_POLICY).await? {
            docker.write_file(&container.name, AUDIT_POLICY, policy.as_bytes()).await?;
        }
    }
    Ok(())
}

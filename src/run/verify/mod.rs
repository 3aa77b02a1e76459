//! What `lab verify` does: it proves what the lab claims, and changes nothing of it.

pub mod access;
pub mod foreign;
pub mod network;
pub mod pods;

use std::time::{Duration, Instant};

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use self::access::Access;
use self::network::Network;
use self::pods::Pods;
use super::Run;
use crate::fault::{Fault, Kind};
use crate::plan::Plan;
use crate::ports::Ports;

/// Something that can be proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Access,
    Pods,
    Network,
}

impl Subject {
    /// In the order in which they are proved: what takes long comes last.
    pub const ALL: [Self; 3] = [Self::Access, Self::Pods, Self::Network];
}

/// What was proved, and what was not.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Proof {
    pub lab: String,
    /// True where everything that was looked at is as it should be.
    pub passed: bool,
    /// Who may do what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// Which pods are let in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods: Option<Pods>,
    /// Who may connect to whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    #[serde(rename = "seconds", serialize_with = "seconds")]
    #[schemars(with = "f64")]
    pub took: Duration,
}

/// Proves these.
///
/// # Errors
/// When a proof cannot be made: that is no verdict.
pub async fn verify<P: Ports>(run: &Run<'_, P>, plan: &Plan, subjects: &[Subject]) -> Result<Proof> {
    let started = Instant::now();
    let lab = run.lab.name.clone();
    let mut proof = Proof { lab, passed: false, access: None, pods: None, network: None, took: Duration::ZERO };
    for subject in subjects {
        match subject {
            Subject::Access => proof.access = Some(access::access(run, plan).await?),
            Subject::Pods => proof.pods = Some(pods::pods(run, plan).await?),
            Subject::Network => proof.network = Some(network::network(run, plan).await?),
        }
    }
    proof.passed = proof.wrong().is_empty();
    proof.took = started.elapsed();
    Ok(proof)
}

impl Proof {
    /// # Errors
    /// [`Kind::Verification`] where something is not as it should be.
    pub fn check(&self, flags: &str) -> Result<()> {
        if self.passed {
            return Ok(());
        }
        let (subjects, pages): (Vec<_>, Vec<_>) = self.wrong().into_iter().unzip();
        let what = format!("lab {} is not as it should be: {}", self.lab, subjects.join(", "));
        let next = format!("lab up{flags}   (brings back what is the lab's own); {}", pages.join(", "));
        Err(Fault::new(Kind::Verification, what).next(next).error())
    }

    /// What is not as it should be, and where it is explained.
    fn wrong(&self) -> Vec<(&'static str, &'static str)> {
        let access = self.access.as_ref().filter(|proof| !proof.passed).map(|_| ("access", "docs/access.md"));
        let pods = self.pods.as_ref().filter(|proof| !proof.passed).map(|_| ("pods", "docs/security.md"));
        let network = self.network.as_ref().filter(|proof| !proof.passed).map(|_| ("network", "docs/network.md"));
        [access, pods, network].into_iter().flatten().collect()
    }
}

/// How long a proof took, to a tenth of a second.
fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 10.0).round() / 10.0)
}

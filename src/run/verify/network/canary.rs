//! The proof that denials are enforced, on each node: without it no refused connection says anything.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use anyhow::Result;
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Serialize;

use super::places::{Place, Places};
use super::probe::{Listeners, Seen};
use crate::flows::{Port, Protocol};
use crate::ports::Ports;
use crate::run::Run;

/// The label by which the canaries' policy finds them.
pub const LABEL: &str = "dev.lab/verify";
/// The port that the policy lets through, and another one.
pub const OPEN: u16 = 10;
const CLOSED: u16 = 9;

/// What a node does with connections of its canary, which listens on both ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Canary {
    pub node: String,
    /// True where both directions are open on the allowed port and closed on the other.
    pub enforces: bool,
    /// From a machine outside to the canary: a pod always lets its own node in.
    pub ingress: Pair,
    /// From the canary to a machine outside.
    pub egress: Pair,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Pair {
    pub allowed: Seen,
    pub denied: Seen,
}

impl Pair {
    fn of(seen: &BTreeMap<String, Seen>, address: Ipv4Addr) -> Self {
        let at = |port| seen.get(&target(address, port)).copied().unwrap_or(Seen::Unreachable);
        Self { allowed: at(OPEN), denied: at(CLOSED) }
    }

    fn is_enforced(self) -> bool {
        self.allowed == Seen::Connected && self.denied != Seen::Connected
    }
}

/// Name of a node's canary.
pub fn name(node: &str) -> String {
    format!("verify-{node}")
}

fn target(address: Ipv4Addr, port: u16) -> String {
    format!("{address}:{port}/{}", Protocol::Tcp)
}

/// Tries the canary of each node.
pub async fn fly<P: Ports>(run: &Run<'_, P>, places: &Places, listeners: &mut Listeners) -> Result<Vec<Canary>> {
    let ports = [OPEN, CLOSED].map(|number| Port { number, protocol: Protocol::Tcp });
    let outside = places.outside();
    outside.stand.listen(run, &ports, listeners).await?;
    for canary in &places.canaries {
        canary.stand.listen(run, &ports, listeners).await?;
    }
    try_join_all(places.canaries.iter().map(|canary| one(run, places, canary, outside))).await
}

async fn one<P: Ports>(run: &Run<'_, P>, places: &Places, canary: &Place, outside: &Place) -> Result<Canary> {
    let targets = |address| [OPEN, CLOSED].map(|port| target(address, port));
    let ingress = outside.stand.connect(run, places.dns, &targets(canary.address)).await?;
    let egress = canary.stand.connect(run, places.dns, &targets(outside.address)).await?;
    let (ingress, egress) = (Pair::of(&ingress, canary.address), Pair::of(&egress, outside.address));
    let node = canary.node.clone().unwrap_or_default();
    Ok(Canary { node, enforces: ingress.is_enforced() && egress.is_enforced(), ingress, egress })
}

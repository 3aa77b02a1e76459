//! The proof of the network, for people and as JUnit XML: what is wrong comes first.

use std::path::Path;

use anyhow::Result;
use quick_junit::TestSuite;

use super::{duration, junit, text};
use crate::run::verify::network::{Canary, Connection, Judgement, Network, Webhook};

/// Wrong connections that are shown one by one.
const MOST_SHOWN: usize = 15;

/// What `lab verify network` prints.
pub fn network(proof: &Network) -> String {
    let mut lines = vec![format!("lab {}: is the network as its table says?", proof.lab)];
    for difference in &proof.policies {
        lines.extend(text::difference(difference).lines().map(|line| format!("  WRONG     {line}")));
    }
    for canary in proof.canaries.iter().filter(|canary| !canary.enforces) {
        lines.push(format!("  WRONG     {}", broken(canary)));
    }
    for webhook in proof.webhooks.iter().filter(|webhook| !webhook.answers) {
        lines.push(format!("  WRONG     {}", silent(webhook)));
    }
    for (judgement, word) in [(Judgement::Wrong, "WRONG"), (Judgement::Unproved, "UNPROVED")] {
        let of_kind: Vec<&Connection> = proof.connections.iter().filter(|one| one.judgement == judgement).collect();
        let shown = of_kind.iter().take(MOST_SHOWN);
        lines.extend(shown.map(|one| format!("  {word:<9} {}", told(one))));
        if let Some(more) = of_kind.len().checked_sub(MOST_SHOWN).filter(|more| *more > 0) {
            lines.push(format!("  {word:<9} and {more} connections more; --output json lists all"));
        }
    }
    if proof.policies.is_empty() {
        lines.push("  ok        policies are those that were rendered".to_owned());
    }
    let enforcing = proof.canaries.iter().filter(|canary| canary.enforces).count();
    if enforcing == proof.canaries.len() {
        lines.push(format!("  ok        a denial is enforced on each of {enforcing} nodes"));
    } else {
        lines.push("  so no connection was tried: where denials are not enforced, a refusal says nothing".to_owned());
    }
    let right = |allowed| {
        proof.connections.iter().filter(|one| one.judgement == Judgement::Right && one.allowed == allowed).count()
    };
    if !proof.connections.is_empty() {
        let (through, refused) = (right(true), right(false));
        let all = proof.connections.len();
        lines.push(format!(
            "  {} of {all} connections right: {through} go through, {refused} do not",
            through + refused
        ));
    }
    if !proof.webhooks.is_empty() {
        let answers = proof.webhooks.iter().filter(|webhook| webhook.answers).count();
        lines.push(format!("  webhook answers through {answers} of {} control planes", proof.webhooks.len()));
    }
    lines.push(format!("{} in {}", if proof.passed { "proved" } else { "NOT as it should be" }, duration(proof.took)));
    lines.join("\n") + "\n"
}

/// `driver → minio 9000/TCP: seen refused, meant to connect (pi-driver on lab-worker to minio-0 on lab-worker2)`
fn told(one: &Connection) -> String {
    let meant = if one.allowed { "to connect" } else { "to be refused" };
    let Connection { from, to, port, address, seen, source, target, .. } = one;
    let why = match one.judgement {
        Judgement::Unproved => "; the target does not listen, or its name has no address",
        _ => "",
    };
    format!("{from} → {to} {port}: {seen}, meant {meant}{why} ({source} to {target}, {address})")
}

fn broken(canary: &Canary) -> String {
    let Canary { node, ingress, egress, .. } = canary;
    format!(
        "node {node}: to its canary: allowed port {}, denied port {}; from it: allowed port {}, denied port {}",
        ingress.allowed, ingress.denied, egress.allowed, egress.denied
    )
}

fn silent(webhook: &Webhook) -> String {
    format!("webhook through {}: {}", webhook.node, webhook.why.as_deref().unwrap_or("no answer"))
}

/// The same as JUnit XML: a case for each policy that deviates, node, connection and control plane.
///
/// # Errors
/// When the file cannot be written.
pub fn network_junit(proof: &Network, path: &Path) -> Result<()> {
    let mut suite = TestSuite::new("lab verify network");
    suite.set_time(proof.took);
    let mut add = |class: &str, name: String, problem: Option<String>| {
        suite.add_test_case(junit::case(&format!("lab.verify.network.{class}"), name, problem.as_slice()));
    };
    for difference in &proof.policies {
        add("policies", difference.subject.clone(), Some(text::difference(difference)));
    }
    if proof.policies.is_empty() {
        add("policies", "all as rendered".to_owned(), None);
    }
    for canary in &proof.canaries {
        add("enforcement", canary.node.clone(), (!canary.enforces).then(|| broken(canary)));
    }
    for one in &proof.connections {
        let name = format!("{} ({}) → {} ({}) {}", one.from, one.source, one.to, one.target, one.address);
        add("connections", name, (one.judgement != Judgement::Right).then(|| told(one)));
    }
    for webhook in &proof.webhooks {
        add("webhook", webhook.node.clone(), (!webhook.answers).then(|| silent(webhook)));
    }
    junit::write_suite(suite, path)
}

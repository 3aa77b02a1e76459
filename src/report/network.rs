//! The proof of the network, for people and as JUnit XML: what is wrong comes first.

use std::path::Path;

use anyhow::Result;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{duration, junit, text};
use crate::run::verify::network::{Canary, Connection, Judgement, Network, Webhook};

/// Wrong connections that are shown one by one.
const MOST_SHOWN: usize = 15;
/// What is to become of a connection that a policy denies, and of one that a node's firewall does not let in.
const REFUSED: &str = "to be refused";
const DROPPED: &str = "to be dropped";

/// What `lab verify network` prints.
pub fn network(proof: &Network) -> String {
    let mut lines = vec![format!("lab {}: is the network as its table says?", proof.lab)];
    for difference in proof.policies.iter().chain(&proof.firewalls) {
        lines.extend(text::difference(difference).lines().map(|line| format!("  WRONG     {line}")));
    }
    for canary in proof.canaries.iter().filter(|canary| !canary.enforces) {
        lines.push(format!("  WRONG     {}", broken(canary)));
    }
    for webhook in proof.webhooks.iter().filter(|webhook| !webhook.answers) {
        lines.push(format!("  WRONG     {}", silent(webhook)));
    }
    for (judgement, word) in [(Judgement::Wrong, "WRONG"), (Judgement::Unproved, "UNPROVED")] {
        let nodes = proof.nodes.iter().map(|one| (one, DROPPED));
        let all = nodes.chain(proof.connections.iter().map(|one| (one, REFUSED)));
        let of_kind: Vec<_> = all.filter(|(one, _)| one.judgement == judgement).collect();
        let shown = of_kind.iter().take(MOST_SHOWN);
        lines.extend(shown.map(|(one, denied)| format!("  {word:<9} {}", told(one, denied))));
        if let Some(more) = of_kind.len().checked_sub(MOST_SHOWN).filter(|more| *more > 0) {
            lines.push(format!("  {word:<9} and {more} connections more; --output json lists all"));
        }
    }
    if proof.policies.is_empty() {
        lines.push("  ok        policies are those that were rendered".to_owned());
    }
    if proof.firewalls.is_empty() {
        lines.push("  ok        firewalls of the nodes are those that were rendered".to_owned());
    }
    let enforcing = proof.canaries.iter().filter(|canary| canary.enforces).count();
    if enforcing == proof.canaries.len() {
        lines.push(format!("  ok        a denial is enforced on each of {enforcing} nodes"));
    } else {
        lines.push(
            "  so no connection of pods was tried: where denials are not enforced, a refusal says nothing".to_owned(),
        );
    }
    lines.extend(counted(&proof.nodes, "connections to nodes", "are dropped"));
    lines.extend(counted(&proof.connections, "connections", "do not"));
    if !proof.webhooks.is_empty() {
        let answers = proof.webhooks.iter().filter(|webhook| webhook.answers).count();
        lines.push(format!("  webhook answers through {answers} of {} control planes", proof.webhooks.len()));
    }
    lines.push(format!("{} in {}", if proof.passed { "proved" } else { "NOT as it should be" }, duration(proof.took)));
    lines.join("\n") + "\n"
}

/// How many are as they are meant to be; none where none was tried.
fn counted(connections: &[Connection], what: &str, denied: &str) -> Option<String> {
    let right =
        |allowed| connections.iter().filter(|one| one.judgement == Judgement::Right && one.allowed == allowed).count();
    let (through, not, all) = (right(true), right(false), connections.len());
    (all > 0).then(|| format!("  {} of {all} {what} right: {through} go through, {not} {denied}", through + not))
}

/// `driver → minio 9000/TCP: seen refused, meant to connect (pi-driver on lab-worker to minio-0 on lab-worker2)`
fn told(one: &Connection, denied: &str) -> String {
    let meant = if one.allowed { "to connect" } else { denied };
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

/// The same as JUnit XML: a case for each policy and firewall that deviates, node, connection and control plane.
///
/// # Errors
/// When the file cannot be written.
pub fn network_junit(proof: &Network, path: &Path) -> Result<()> {
    let mut suite = TestSuite::new("lab verify network");
    suite.set_time(proof.took);
    let mut add = |class: &str, name: String, problem: Option<String>| {
        let status = match problem {
            None => TestCaseStatus::success(),
            Some(problem) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_type("wrong result").set_message(problem);
                status
            }
        };
        let mut case = TestCase::new(name, status);
        case.set_classname(format!("lab.verify.network.{class}"));
        suite.add_test_case(case);
    };
    for (class, differences) in [("policies", &proof.policies), ("firewalls", &proof.firewalls)] {
        for difference in differences {
            add(class, difference.subject.clone(), Some(text::difference(difference)));
        }
        if differences.is_empty() {
            add(class, "all as rendered".to_owned(), None);
        }
    }
    for canary in &proof.canaries {
        add("enforcement", canary.node.clone(), (!canary.enforces).then(|| broken(canary)));
    }
    for (class, connections, denied) in [("nodes", &proof.nodes, DROPPED), ("connections", &proof.connections, REFUSED)]
    {
        for one in connections {
            let name = format!("{} ({}) → {} ({}) {}", one.from, one.source, one.to, one.target, one.address);
            add(class, name, (one.judgement != Judgement::Right).then(|| told(one, denied)));
        }
    }
    for webhook in &proof.webhooks {
        add("webhook", webhook.node.clone(), (!webhook.answers).then(|| silent(webhook)));
    }
    let mut report = Report::new("lab");
    report.add_test_suite(suite);
    junit::write(path, &report)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::run::verify::network::Seen;

    fn connection(from: &str, to: &str, seen: Seen, judgement: Judgement) -> Connection {
        Connection {
            from: from.to_owned(),
            source: format!("lab-{from}"),
            to: to.to_owned(),
            target: format!("lab-{to}"),
            port: "2380/TCP".to_owned(),
            address: "172.29.0.2:2380/TCP".to_owned(),
            allowed: false,
            seen,
            judgement,
        }
    }

    fn proof(nodes: Vec<Connection>) -> Network {
        let connections = vec![connection("driver", "postgres", Seen::Connected, Judgement::Wrong)];
        let (policies, firewalls, canaries, webhooks) = (vec![], vec![], vec![], vec![]);
        let (lab, took) = ("lab".to_owned(), Duration::from_secs(1));
        Network { lab, passed: false, policies, firewalls, nodes, canaries, connections, webhooks, took }
    }

    #[test]
    fn what_a_firewall_lets_in_comes_before_what_is_right() {
        let through = connection("worker", "control-plane", Seen::Connected, Judgement::Wrong);
        let dropped = connection("outside", "control-plane", Seen::TimedOut, Judgement::Right);
        let text = network(&proof(vec![dropped, through]));
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        assert!(
            lines[1].starts_with("WRONG     worker → control-plane 2380/TCP: connected, meant to be dropped"),
            "{text}"
        );
        assert!(lines[2].starts_with("WRONG     driver → postgres 2380/TCP: connected, meant to be refused"), "{text}");
        assert!(text.contains("1 of 2 connections to nodes right: 0 go through, 1 are dropped"), "{text}");
    }

    #[test]
    fn each_connection_to_a_node_is_a_case() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.xml");
        network_junit(&proof(vec![connection("worker", "control-plane", Seen::Refused, Judgement::Wrong)]), &path)
            .unwrap();
        let text = fs_err::read_to_string(path).unwrap();
        assert!(text.contains("lab.verify.network.nodes") && text.contains("refused, meant to be dropped"), "{text}");
    }
}

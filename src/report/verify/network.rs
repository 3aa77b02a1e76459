//! The proof of who may connect to whom.

use quick_junit::TestSuite;

use crate::report::{junit, text};
use crate::run::verify::network::{Canary, Connection, Judgement, Network, Webhook};

/// What is to become of a connection that a policy denies, and of one that a node's firewall does not let in.
const REFUSED: &str = "to be refused";
const DROPPED: &str = "to be dropped";

/// What is not as it should be, a line each.
pub fn wrong(proof: &Network) -> Vec<String> {
    let differences = proof.policies.iter().chain(&proof.firewalls);
    let mut lines: Vec<String> = differences.map(|one| super::wrong(&text::difference(one))).collect();
    let broken = proof.canaries.iter().filter(|canary| !canary.enforces).map(broken);
    let silent = proof.webhooks.iter().filter(|webhook| !webhook.answers).map(silent);
    lines.extend(broken.chain(silent).map(|told| super::wrong(&told)));
    lines.extend(proof.untried.iter().map(|why| super::unproved(&format!("no connection was tried: {why}"))));
    for (judgement, word) in
        [(Judgement::Wrong, super::wrong as fn(&str) -> String), (Judgement::Unproved, super::unproved)]
    {
        let mut all = together(&proof.nodes, judgement, DROPPED);
        all.extend(together(&proof.connections, judgement, REFUSED));
        lines.extend(super::shortened(&all, word));
    }
    lines
}

/// What is as it should be.
pub fn summary(proof: &Network) -> Vec<String> {
    let mut lines = Vec::new();
    if proof.policies.is_empty() {
        lines.push("policies are those that were rendered".to_owned());
    }
    if proof.firewalls.is_empty() {
        lines.push("firewalls of the nodes are those that were rendered".to_owned());
    }
    let enforcing = proof.canaries.iter().filter(|canary| canary.enforces).count();
    if enforcing < proof.canaries.len() {
        lines
            .push("no connection of pods was tried: where denials are not enforced, a refusal says nothing".to_owned());
    } else if enforcing > 0 {
        lines.push(format!("a denial is enforced on each of {enforcing} nodes"));
    }
    lines.extend(counted(&proof.nodes, "connections to nodes", "are dropped"));
    lines.extend(counted(&proof.connections, "connections", "do not"));
    if !proof.webhooks.is_empty() {
        let answers = proof.webhooks.iter().filter(|webhook| webhook.answers).count();
        lines.push(format!("the webhook answers through {answers} of {} control planes", proof.webhooks.len()));
    }
    lines
}

/// How many are as they are meant to be; none where none was tried.
fn counted(connections: &[Connection], what: &str, denied: &str) -> Option<String> {
    let right =
        |allowed| connections.iter().filter(|one| one.judgement == Judgement::Right && one.allowed == allowed).count();
    let (through, not, all) = (right(true), right(false), connections.len());
    (all > 0).then(|| format!("{} of {all} {what} right: {through} go through, {not} {denied}", through + not))
}

/// A line for each source and target, as one slip may open dozens of connections: the first one whole, and the ports of
/// the others.
fn together(connections: &[Connection], judgement: Judgement, denied: &str) -> Vec<String> {
    let mut groups: Vec<Vec<&Connection>> = Vec::new();
    for one in connections.iter().filter(|one| one.judgement == judgement) {
        let alike = |first: &Connection| {
            first.from == one.from && first.to == one.to && first.seen == one.seen && first.allowed == one.allowed
        };
        match groups.iter_mut().find(|group| alike(group[0])) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    let line = |group: &Vec<&Connection>| {
        let mut others: Vec<&str> = Vec::new();
        for one in group {
            if one.port != group[0].port && !others.contains(&one.port.as_str()) {
                others.push(&one.port);
            }
        }
        let alike = if others.is_empty() { String::new() } else { format!("; on {} alike", others.join(", ")) };
        told(group[0], denied) + &alike
    };
    groups.iter().map(line).collect()
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

/// A case for each policy and firewall that deviates, node, connection and control plane.
pub fn suite(proof: &Network) -> TestSuite {
    let mut suite = TestSuite::new("lab verify network");
    suite.set_time(proof.took);
    let mut add = |class: &str, name: String, problem: Option<String>| {
        suite.add_test_case(junit::case(&format!("lab.verify.network.{class}"), name, problem.as_slice()));
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
    if let Some(why) = &proof.untried {
        add("connections", "all".to_owned(), Some(why.clone()));
    }
    suite
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
        let (untried, took) = (None, Duration::from_secs(1));
        Network { passed: false, policies, firewalls, nodes, canaries, connections, webhooks, untried, took }
    }

    #[test]
    fn what_a_firewall_lets_in_is_told_first() {
        let through = connection("worker", "control-plane", Seen::Connected, Judgement::Wrong);
        let dropped = connection("outside", "control-plane", Seen::TimedOut, Judgement::Right);
        let proof = proof(vec![dropped, through]);
        let lines = wrong(&proof);
        assert!(
            lines[0].starts_with("WRONG     worker → control-plane 2380/TCP: connected, meant to be dropped"),
            "{lines:?}"
        );
        assert!(
            lines[1].starts_with("WRONG     driver → postgres 2380/TCP: connected, meant to be refused"),
            "{lines:?}"
        );
        let counted = "1 of 2 connections to nodes right: 0 go through, 1 are dropped";
        assert!(summary(&proof).contains(&counted.to_owned()), "{:?}", summary(&proof));
    }

    #[test]
    fn connections_between_the_same_parties_are_one_line() {
        let mut other = connection("driver", "postgres", Seen::Connected, Judgement::Wrong);
        other.port = "9/TCP".to_owned();
        let mut proof = proof(vec![]);
        let another = Connection { address: "172.29.0.3:9/TCP".to_owned(), ..other.clone() };
        let executor = connection("executor", "postgres", Seen::Connected, Judgement::Wrong);
        proof.connections.extend([other, another, executor]);
        let lines = wrong(&proof);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains("driver → postgres 2380/TCP") && lines[0].ends_with("; on 9/TCP alike"), "{lines:?}");
        assert!(lines[1].contains("executor → postgres 2380/TCP") && lines[1].ends_with(')'), "{lines:?}");
    }

    #[test]
    fn what_kept_the_proof_from_being_made_is_told() {
        let proof = Network { untried: Some("no driver starts".to_owned()), ..proof(vec![]) };
        assert!(wrong(&proof).contains(&"UNPROVED  no connection was tried: no driver starts".to_owned()));
    }

    #[test]
    fn each_connection_to_a_node_is_a_case() {
        let mut report = quick_junit::Report::new("lab");
        report.add_test_suite(suite(&proof(vec![connection(
            "worker",
            "control-plane",
            Seen::Refused,
            Judgement::Wrong,
        )])));
        let text = report.to_string().expect("XML");
        assert!(text.contains("lab.verify.network.nodes") && text.contains("refused, meant to be dropped"), "{text}");
    }
}

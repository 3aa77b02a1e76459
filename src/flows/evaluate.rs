//! What network policies do with a connection, by the rules of Kubernetes: a pod that no policy selects for a
//! direction is open in it; else each connection needs a rule of any of those that select it.

use std::collections::BTreeMap;

use super::party::{Party, Pod};
use super::policy::{Direction, NetworkPolicy, Peer, PolicyPort, Rule};
use super::table::Port;

/// The label that every namespace has, with its name.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Whether the source may leave and the target lets it in. A connection needs both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sides {
    pub egress: bool,
    pub ingress: bool,
}

/// What policies say on both sides of a connection.
pub fn sides(policies: &[NetworkPolicy], source: &Party, target: &Party, port: Port) -> Sides {
    Sides {
        egress: allows(policies, Direction::Egress, source, target, port),
        ingress: allows(policies, Direction::Ingress, target, source, port),
    }
}

fn allows(policies: &[NetworkPolicy], direction: Direction, own: &Party, other: &Party, port: Port) -> bool {
    let Some(pod) = &own.pod else { return true };
    let selects = |policy: &&NetworkPolicy| {
        policy.namespace == pod.namespace
            && policy.spec.policy_types.contains(&direction)
            && policy.spec.pod_selector.matches(&pod.labels)
    };
    let mut selecting = policies.iter().filter(selects).peekable();
    let open = selecting.peek().is_none();
    open || selecting.any(|policy| policy.rules(direction).iter().any(|rule| rule.allows(pod, other, port)))
}

impl Rule {
    fn allows(&self, own: &Pod, other: &Party, port: Port) -> bool {
        (self.peers.is_empty() || self.peers.iter().any(|peer| peer.is(own, other)))
            && (self.ports.is_empty() || self.ports.iter().any(|allowed| allowed.covers(port)))
    }
}

impl Peer {
    fn is(&self, own: &Pod, other: &Party) -> bool {
        if let Some(block) = &self.ip_block {
            return block.cidr.contains(other.address) && !block.except.iter().any(|not| not.contains(other.address));
        }
        let Some(pod) = &other.pod else { return false };
        let in_namespace = match &self.namespace_selector {
            None => pod.namespace == own.namespace,
            Some(selector) => selector.matches(&BTreeMap::from([(NAME_LABEL.to_owned(), pod.namespace.clone())])),
        };
        in_namespace && self.pod_selector.as_ref().is_none_or(|selector| selector.matches(&pod.labels))
    }
}

impl PolicyPort {
    fn covers(self, port: Port) -> bool {
        let in_range = self.port.is_none_or(|first| (first..=self.end_port.unwrap_or(first)).contains(&port.number));
        self.protocol == port.protocol && in_range
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use serde_json::{Value, json};

    use super::*;
    use crate::flows::Protocol;

    fn pod(namespace: &str, labels: &[(&str, &str)], last: u8) -> Party {
        let pod = Some(Pod::new(namespace, labels));
        Party { name: String::new(), address: Ipv4Addr::new(10, 244, 0, last), pod, closed: true }
    }

    fn policy(spec: &Value) -> NetworkPolicy {
        NetworkPolicy::read(&json!({ "metadata": { "namespace": "n", "name": "p" }, "spec": spec })).unwrap()
    }

    /// Whether a pod of namespace `n` lets one of `n` with the label `a: b` in on 80/TCP.
    fn lets_in(ingress: &Value) -> bool {
        let policy = policy(&json!({ "policyTypes": ["Ingress"], "ingress": ingress }));
        let port = Port { number: 80, protocol: Protocol::Tcp };
        let verdict = sides(&[policy], &pod("n", &[("a", "b")], 2), &pod("n", &[], 3), port);
        assert!(verdict.egress, "nothing selects the source for egress");
        verdict.ingress
    }

    #[test]
    fn no_policy_opens_and_a_policy_without_a_rule_closes() {
        let port = Port { number: 80, protocol: Protocol::Tcp };
        let (source, target) = (pod("n", &[], 2), pod("n", &[], 3));
        assert_eq!(sides(&[], &source, &target, port), Sides { egress: true, ingress: true });
        let both = policy(&json!({ "podSelector": {}, "policyTypes": ["Ingress", "Egress"] }));
        assert_eq!(sides(std::slice::from_ref(&both), &source, &target, port), Sides { egress: false, ingress: false });
        let elsewhere = pod("m", &[], 4);
        assert_eq!(sides(&[both], &elsewhere, &target, port), Sides { egress: true, ingress: false });
    }

    #[test]
    fn what_a_rule_does_not_say_is_open() {
        assert!(lets_in(&json!([{}])));
        assert!(lets_in(&json!([{ "ports": [{ "port": 80 }] }])));
        assert!(lets_in(&json!([{ "ports": [{ "protocol": "TCP" }] }])));
        assert!(!lets_in(&json!([{ "ports": [{ "protocol": "UDP" }] }])));
        assert!(lets_in(&json!([{ "ports": [{ "port": 79, "endPort": 81 }] }])));
        assert!(!lets_in(&json!([{ "ports": [{ "port": 81 }] }, { "ports": [{ "port": 80, "protocol": "UDP" }] }])));
    }

    #[test]
    fn a_peer_is_a_pod_of_the_own_namespace_unless_it_says_otherwise() {
        let from = |peer: Value| lets_in(&json!([{ "from": [peer] }]));
        assert!(from(json!({ "podSelector": {} })));
        assert!(from(json!({ "podSelector": { "matchLabels": { "a": "b" } } })));
        assert!(!from(json!({ "podSelector": { "matchLabels": { "a": "c" } } })));
        assert!(from(json!({ "namespaceSelector": {} })));
        assert!(!from(json!({ "namespaceSelector": { "matchLabels": { NAME_LABEL: "m" } } })));
        let both = json!({ "namespaceSelector": { "matchLabels": { NAME_LABEL: "n" } }, "podSelector": { "matchLabels": { "a": "c" } } });
        assert!(!from(both));
        for (operator, values, expected) in [
            ("In", json!(["b"]), true),
            ("NotIn", json!(["b"]), false),
            ("Exists", json!([]), true),
            ("DoesNotExist", json!([]), false),
        ] {
            let expression = json!({ "key": "a", "operator": operator, "values": values });
            assert_eq!(from(json!({ "podSelector": { "matchExpressions": [expression] } })), expected, "{operator}");
        }
    }

    #[test]
    fn a_block_of_addresses_holds_pods_too() {
        let from = |block: Value| lets_in(&json!([{ "from": [{ "ipBlock": block }] }]));
        assert!(from(json!({ "cidr": "0.0.0.0/0" })));
        assert!(!from(json!({ "cidr": "0.0.0.0/0", "except": ["10.244.0.0/16"] })));
        assert!(!from(json!({ "cidr": "172.16.0.0/12" })));
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        let read = |spec: Value| NetworkPolicy::read(&json!({ "metadata": {}, "spec": spec }));
        assert!(read(json!({ "policyTypes": ["Ingress"], "ingress": [{ "from": [{ "nodes": {} }] }] })).is_err());
        assert!(read(json!({ "policyTypes": ["Ingress"], "ingress": [{ "ports": [{ "port": "http" }] }] })).is_err());
    }
}

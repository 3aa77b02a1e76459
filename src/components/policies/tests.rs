//! The table held against what is rendered, and against what would be rendered with a slip in it.

use std::net::Ipv4Addr;

use super::*;
use crate::components::{SYSTEM_NAMESPACE, airflow, object_store, postgres, spark_operator};
use crate::config::{self, Overrides};
use crate::flows::{Direction, NetworkPolicy, PolicyPort, Protocol, Table, predict};
use crate::images::Catalogue;

const DIRECTIONS: [Direction; 2] = [Direction::Ingress, Direction::Egress];

/// A lab as policies and table see it.
struct Case {
    parties: Vec<Party>,
    policies: Vec<NetworkPolicy>,
}

fn case(text: &str) -> Case {
    let lab = config::load(text, "test", &Overrides::default()).unwrap();
    let catalogue = Catalogue::load().unwrap();
    let site = Site { lab: &lab, catalogue: &catalogue };
    let steps =
        [spark_operator::steps(&site), object_store::steps(&site), postgres::steps(&site), airflow::steps(&site)];
    let mut workloads = Vec::new();
    for step in steps.into_iter().flat_map(Result::unwrap) {
        if let Action::Apply { objects, .. } = step.action {
            workloads.extend(objects);
        }
    }
    let control_planes: Vec<Ipv4Addr> = lab.cluster.subnet.host(2).into_iter().collect();
    let objects = flows::settle(&objects(&site).unwrap(), &control_planes);
    let policies = objects.iter().map(|object| NetworkPolicy::read(object).unwrap()).collect();
    Case { parties: parties(&site, &workloads), policies }
}

fn opened() -> String {
    let egress = "  network:\n    egress: 0.0.0.0/0:443, 192.0.2.0/24:8080\n";
    config::FULL.replace("  network:            # pods reach what they need and nothing else\n", egress).replace(
        "    egress: \"\"        # RANGE:PORT of what jobs and Airflow may reach outside, with commas between\n",
        "",
    )
}

fn wrong(case: &Case, policies: &[NetworkPolicy]) -> Vec<String> {
    let table = Table::of_the_lab().unwrap();
    predict(&table, &case.parties, policies).iter().map(ToString::to_string).collect()
}

#[test]
fn the_rendered_policies_make_what_the_table_says() {
    for text in [config::FULL, config::SMALL, config::CI, &opened()] {
        let case = case(text);
        let wrong = wrong(&case, &case.policies);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn everybody_in_the_table_is_there_and_everybody_there_is_in_the_table() {
    let case = case(config::FULL);
    let table = Table::of_the_lab().unwrap();
    for cell in &table.cells {
        for name in [&cell.source, &cell.target] {
            assert!(case.parties.iter().any(|party| party.name == *name), "{name} is nobody");
        }
    }
    for party in &case.parties {
        let target = table.cells.iter().any(|cell| cell.target == party.name);
        let source = table.cells.iter().any(|cell| cell.source == party.name);
        assert!(target, "{} is no target", party.name);
        assert!(source || !party.closed, "{} is no source", party.name);
    }
}

/// A policy with one slip in it, and what the slip is.
fn mutants(policies: &[NetworkPolicy]) -> Vec<(String, Vec<NetworkPolicy>)> {
    let mut mutants = Vec::new();
    for (index, policy) in policies.iter().enumerate() {
        let name = format!("{}/{}", policy.namespace, policy.name);
        let mut dropped = policies.to_vec();
        dropped.remove(index);
        // No pod runs in the namespace of the lab's records, so nothing of it is in the table.
        if policy.namespace == SYSTEM_NAMESPACE {
            continue;
        }
        mutants.push((format!("{name}: dropped"), dropped));
        for direction in DIRECTIONS {
            for rule in 0..policy.rules(direction).len() {
                let mut mutate = |slip: &str, change: &dyn Fn(&mut Vec<flows::Rule>)| {
                    let mut mutant = policies.to_vec();
                    change(mutant[index].rules_mut(direction));
                    mutants.push((format!("{name}, {direction:?} rule {rule}: {slip}"), mutant));
                };
                mutate("dropped", &|rules| drop(rules.remove(rule)));
                mutate("any peer", &|rules| rules[rule].peers.clear());
                mutate("any port", &|rules| rules[rule].ports.clear());
                for port in 0..policy.rules(direction)[rule].ports.len() {
                    mutate("other protocol", &|rules| other_protocol(&mut rules[rule].ports[port]));
                }
                for peer in 0..policy.rules(direction)[rule].peers.len() {
                    mutate("a peer dropped", &|rules| drop(rules[rule].peers.remove(peer)));
                }
            }
        }
    }
    mutants
}

fn other_protocol(port: &mut PolicyPort) {
    port.protocol = match port.protocol {
        Protocol::Tcp => Protocol::Udp,
        Protocol::Udp => Protocol::Tcp,
    };
}

#[test]
fn every_slip_in_a_policy_turns_the_table_red() {
    let case = case(config::FULL);
    let mutants = mutants(&case.policies);
    assert!(mutants.len() > 100, "only {} mutants", mutants.len());
    let survivors: Vec<&String> =
        mutants.iter().filter(|(_, mutant)| wrong(&case, mutant).is_empty()).map(|(name, _)| name).collect();
    assert!(survivors.is_empty(), "{} of {} survive: {survivors:#?}", survivors.len(), mutants.len());
}

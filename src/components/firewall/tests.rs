//! The table of the nodes held against the rendered rules, and against rules with a slip in them.

use super::*;
use crate::config::{self, Overrides};
use crate::flows::Table;
use crate::flows::firewall::{Firewall, Rule, Sources, Target};

const ROLES: [&str; 2] = ["control-plane", "worker"];

/// The firewall of one role in a lab, and who may be there.
struct Case {
    role: &'static str,
    firewall: Firewall,
    sources: Sources,
}

impl Case {
    fn wrong(&self, firewall: &Firewall) -> Vec<String> {
        firewall.wrong(&Table::of_the_nodes().unwrap(), self.role, &self.sources)
    }
}

fn cases() -> Vec<Case> {
    let labs = [config::FULL, config::SMALL].map(|text| config::load(text, "test", &Overrides::default()).unwrap());
    labs.iter().flat_map(|lab| ROLES.map(|role| case(lab, role))).collect()
}

fn case(lab: &Lab, role: &'static str) -> Case {
    let addresses = Addresses::of_a_new_cluster(lab);
    let firewall = Firewall::read(&rules(lab, role, &addresses).unwrap()).unwrap();
    Case { role, firewall, sources: sources(lab, addresses) }
}

/// Everybody in the table, with addresses.
fn sources(lab: &Lab, addresses: Addresses) -> Sources {
    let (subnet, pods) = (lab.cluster.subnet, lab.cluster.pod_subnet);
    let hosts = subnet.hosts();
    let last = [hosts - 1, hosts].into_iter().filter_map(|number| subnet.host(number));
    // What engines in a virtual machine were seen to give to clients.
    let machine = vec![subnet.gateway(), Ipv4Addr::new(192, 168, 65, 1)];
    let (machine, beside) = if addresses.load_balancer.is_some() { (vec![], machine) } else { (machine, vec![]) };
    vec![
        ("control-plane", addresses.control_planes),
        ("worker", addresses.workers),
        ("load-balancer", addresses.load_balancer.into_iter().collect()),
        ("machine", machine),
        ("pod", [1, pods.hosts()].into_iter().filter_map(|number| pods.host(number)).collect()),
        ("outside", last.chain(beside).collect()),
    ]
}

#[test]
fn the_rendered_rules_do_what_the_table_says() {
    for case in cases() {
        let wrong = case.wrong(&case.firewall);
        assert!(wrong.is_empty(), "{}: {}", case.role, wrong.join("\n"));
    }
}

#[test]
fn everybody_in_the_table_is_there_and_everybody_there_is_in_the_table() {
    let table = Table::of_the_nodes().unwrap();
    for cell in &table.cells {
        assert!(ROLES.contains(&cell.target.as_str()), "{} is no role", cell.target);
        let known = |case: &Case| case.sources.iter().any(|(name, at)| *name == cell.source && !at.is_empty());
        assert!(cases().iter().any(known), "{} is nobody", cell.source);
    }
    for (name, _) in &cases()[0].sources {
        assert!(table.cells.iter().any(|cell| cell.source == *name), "{name} is no source");
    }
}

/// Both roles have a row for each port that the rules of either name, so that a mix-up shows.
#[test]
fn every_port_of_a_rule_is_in_the_table_for_both_roles() {
    let table = Table::of_the_nodes().unwrap();
    for port in cases().iter().flat_map(|case| &case.firewall.rules).filter_map(|rule| rule.port) {
        for role in ROLES {
            let has = table.cells.iter().any(|cell| cell.target == role && cell.port.number == port);
            assert!(has, "{role} {port} is not in the table");
        }
    }
}

/// A firewall with one slip in it, and what the slip is.
fn mutants(firewall: &Firewall) -> Vec<(String, Firewall)> {
    let mut mutants = Vec::new();
    for (position, rule) in firewall.rules.iter().enumerate() {
        let mut mutate = |slip: &str, change: &dyn Fn(&mut Vec<Rule>)| {
            let mut mutant = firewall.clone();
            change(&mut mutant.rules);
            mutants.push((format!("{rule:?}: {slip}"), mutant));
        };
        mutate("dropped", &|rules| drop(rules.remove(position)));
        if rule.source.is_some() {
            mutate("any source", &|rules| rules[position].source = None);
        }
        if rule.port.is_some() {
            mutate("any port", &|rules| rules[position].port = None);
        }
        if rule.protocol.is_some() {
            mutate("any protocol and port", &|rules| (rules[position].protocol, rules[position].port) = (None, None));
            mutate("other protocol", &|rules| rules[position].protocol = Some(other(&rules[position])));
        }
        if rule.interface.is_some() {
            mutate("any interface", &|rules| rules[position].interface = None);
        }
        if rule.established {
            mutate("new connections too", &|rules| rules[position].established = false);
        }
        if matches!(rule.target, Target::Drop) {
            mutate("accepts", &|rules| rules[position].target = Target::Accept);
        }
    }
    mutants
}

fn other(rule: &Rule) -> String {
    if rule.protocol.as_deref() == Some("udp") { "tcp" } else { "udp" }.to_owned()
}

#[test]
fn every_slip_in_a_rule_turns_the_table_red() {
    let (mut count, mut survivors) = (0, Vec::new());
    for case in cases() {
        for (name, mutant) in mutants(&case.firewall) {
            count += 1;
            if case.wrong(&mutant).is_empty() {
                survivors.push(name);
            }
        }
    }
    assert!(count > 200, "only {count} mutants");
    assert!(survivors.is_empty(), "{} of {count} survive: {survivors:#?}", survivors.len());
}

#[test]
fn the_unit_loads_the_rules() {
    assert!(unit().unwrap().contains(RULES));
    let lab = config::load(config::FULL, "test", &Overrides::default()).unwrap();
    let rules = rules(&lab, "worker", &Addresses::of_a_new_cluster(&lab)).unwrap();
    assert!(rules.contains(UNIT) && rules.contains(&format!(":{CHAIN} -")), "{rules}");
}

//! The nodes themselves: each to each other, and a machine outside to each, by every port of their table. What their
//! firewalls do not let in is dropped without an answer.

use anyhow::Result;

use super::judge::{self, Connection, Wanted};
use super::places::{Place, Places};
use super::probe::{Listeners, Seen};
use crate::config::Cni;
use crate::flows::{Port, Table};
use crate::plan::Plan;
use crate::ports::Ports;
use crate::run::Run;
use crate::run::diff::{self, Difference};
use crate::step::Action;

/// Ports on which components listen at the address of their node: on every node, on control planes, with kube-router.
const OF_NODES: [u16; 2] = [10250, 10256];
const OF_CONTROL_PLANES: [u16; 3] = [2379, 2380, 6443];
const OF_KUBE_ROUTER: [u16; 3] = [179, 20244, 50051];

/// The live rules against the rendered ones.
pub async fn compare<P: Ports>(run: &Run<'_, P>, plan: &Plan) -> Result<Vec<Difference>> {
    let step = plan.steps.iter().find(|step| matches!(step.action, Action::Firewall));
    match step {
        Some(step) => diff::of_step(run, step).await,
        None => Ok(Vec::new()),
    }
}

/// Tries every connection. A target is shown to listen from its own node, where no firewall is in between: that it
/// does not answer another one is then the firewall's doing.
pub async fn try_all<P: Ports>(
    run: &Run<'_, P>,
    places: &Places,
    listeners: &mut Listeners,
) -> Result<Vec<Connection>> {
    let table = Table::of_the_nodes()?;
    let wanted: Vec<Wanted<'_>> = judge::wanted(&table, places);
    let ports = judge::ports(&wanted, places);
    for (node, ports) in &ports {
        let free = stand_ins(node, ports, run.lab.cluster.cni);
        node.stand.listen_on(run, node.address, &free, listeners).await?;
    }
    let before = judge::listening(run, places, &ports).await?;
    let seen = judge::try_from_everywhere(run, places, &wanted).await?;
    let after = judge::listening(run, places, &ports).await?;
    Ok(judge::judge(&wanted, &before, &seen, &after, &[Seen::TimedOut]))
}

/// Ports on which somebody has to listen for the proof. Never one of a component, which might just be starting.
fn stand_ins(node: &Place, ports: &[Port], cni: Cni) -> Vec<Port> {
    let taken = |port: u16| {
        OF_NODES.contains(&port)
            || (node.party == "control-plane" && OF_CONTROL_PLANES.contains(&port))
            || (cni == Cni::KubeRouter && OF_KUBE_ROUTER.contains(&port))
    };
    ports.iter().filter(|port| !taken(port.number)).copied().collect()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::flows::Protocol;
    use crate::run::verify::network::probe::Stand;

    fn place(party: &str, name: &str, last: u8) -> Place {
        let stand = Stand { container: name.to_owned(), process: None };
        let node = (party != "outside").then(|| name.to_owned());
        let address = Ipv4Addr::new(172, 29, 0, last);
        let (party, name, witness) = (party.to_owned(), name.to_owned(), stand.clone());
        Place { party, name, address, node, stand, witness, closed: false }
    }

    #[test]
    fn every_node_is_tried_from_every_other_and_from_outside() {
        let mut all: Vec<Place> = (1..=3).map(|number| place("control-plane", &format!("c{number}"), number)).collect();
        all.extend((4..=6).map(|number| place("worker", &format!("w{number}"), number)));
        let outside = place("outside", "outside", 7);
        all.push(outside.clone());
        let places = Places::of_nodes(all, outside);
        let table = Table::of_the_nodes().unwrap();
        let wanted = judge::wanted(&table, &places);
        let rows =
            |role: &str| table.cells.iter().filter(|cell| cell.target == role && cell.source == "worker").count();
        // Five other nodes and the machine outside.
        assert_eq!(wanted.len(), 3 * 6 * (rows("control-plane") + rows("worker")));
        assert!(wanted.iter().all(|one| one.source.name != one.target.name));
        let through = wanted.iter().filter(|one| one.allowed).count();
        // The API and routes from five, etcd from two, kubelets from the control planes.
        assert_eq!(through, 3 * (5 + 5 + 2 + 2) + 3 * (5 + 3));
    }

    #[test]
    fn nobody_stands_in_for_a_component() {
        let ports: Vec<Port> =
            [9, 179, 2379, 10250, 10257].map(|number| Port { number, protocol: Protocol::Tcp }).into();
        let numbers = |party, cni| -> Vec<u16> {
            stand_ins(&place(party, "n", 1), &ports, cni).into_iter().map(|port| port.number).collect()
        };
        assert_eq!(numbers("control-plane", Cni::KubeRouter), [9, 10257]);
        assert_eq!(numbers("worker", Cni::KubeRouter), [9, 2379, 10257]);
        assert_eq!(numbers("worker", Cni::Kindnet), [9, 179, 2379, 10257]);
    }
}

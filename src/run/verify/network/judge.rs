//! Every connection of the table between those who are there: tried, and held against the table.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Serialize;

use super::places::{Place, Places};
use super::probe::Seen;
use crate::flows::{Mark, Port, Table};
use crate::ports::Ports;
use crate::run::Run;
use crate::run::wait::Look;

/// Services: party, port, name and port of the Service.
const SERVICES: [(&str, u16, &str, u16); 5] = [
    ("control-plane", 6443, "kubernetes.default.svc.cluster.local", 443),
    ("webhook", 9443, "webhook.spark-operator.svc.cluster.local", 9443),
    ("minio", 9000, "minio.object-store.svc.cluster.local", 9000),
    ("postgres", 5432, "postgres.airflow.svc.cluster.local", 5432),
    ("api-server", 8080, "api-server.airflow.svc.cluster.local", 8080),
];

/// The port that the table has for all those that nobody uses.
const UNUSED: u16 = 9;

/// A connection that is to be tried.
pub struct Wanted<'a> {
    pub source: &'a Place,
    pub target: &'a Place,
    pub port: Port,
    pub allowed: bool,
    /// What is connected to: the target's address, or the name of its Service.
    pub address: String,
}

/// A connection that was tried.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Source in the words of the table.
    pub from: String,
    /// The very pod or machine, and its node.
    pub source: String,
    /// Target in the words of the table.
    pub to: String,
    pub target: String,
    /// `9000/TCP`
    pub port: String,
    /// What was connected to: address or name, and port.
    pub address: String,
    /// What the table says.
    pub allowed: bool,
    pub seen: Seen,
    pub judgement: Judgement,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Judgement {
    Right,
    Wrong,
    /// Nothing was proved: the target did not listen, or its name had no address.
    Unproved,
}

/// What was seen, by source and target address.
pub type Observed = BTreeMap<(String, String), Seen>;
/// Who listens where: `10.1.2.3:80/TCP`.
pub type Listening = BTreeSet<String>;

/// All connections of the table between those who are there. A pod's own network has no policies, nor has what comes
/// from its own node.
pub fn wanted<'a>(table: &Table, places: &'a Places) -> Vec<Wanted<'a>> {
    let mut wanted = Vec::new();
    for cell in table.cells.iter().filter(|cell| cell.mark != Mark::Unruled) {
        for source in places.all.iter().filter(|place| place.party == cell.source) {
            for target in places.all.iter().filter(|place| place.party == cell.target) {
                let own_node = source.stand.process.is_none() && source.node.is_some() && source.node == target.node;
                if source.name == target.name || own_node {
                    continue;
                }
                let port = cell.port;
                let mut add = |address: String| {
                    wanted.push(Wanted { source, target, port, allowed: cell.mark == Mark::Allowed, address });
                };
                add(address(target, port));
                let service = SERVICES.iter().find(|(party, at, ..)| *party == cell.target && *at == port.number);
                // Nodes ask another DNS.
                if let Some((_, _, name, at)) = service.filter(|_| source.closed) {
                    add(format!("{name}:{at}/{}", port.protocol));
                }
            }
        }
    }
    wanted
}

fn address(target: &Place, port: Port) -> String {
    format!("{}:{port}", target.address)
}

/// Who is to listen on which ports.
pub fn ports<'a>(wanted: &[Wanted<'a>], places: &'a Places) -> Vec<(&'a Place, Vec<Port>)> {
    let ports_of = |place: &Place| -> BTreeSet<Port> {
        wanted.iter().filter(|one| one.target.name == place.name).map(|one| one.port).collect()
    };
    let all = places.all.iter().map(|place| (place, ports_of(place).into_iter().collect::<Vec<_>>()));
    all.filter(|(_, ports)| !ports.is_empty()).collect()
}

/// Who is to have somebody listen for it, and where. Only on the port that nobody uses, and outside: elsewhere a
/// server that is on its way would find its port taken.
pub fn stand_ins<'a>(ports: &[(&'a Place, Vec<Port>)]) -> Vec<(&'a Place, Vec<Port>)> {
    let of = |(place, ports): &(&'a Place, Vec<Port>)| {
        let unused = |port: &&Port| place.party == "outside" || (place.closed && port.number == UNUSED);
        (*place, ports.iter().filter(unused).copied().collect::<Vec<_>>())
    };
    ports.iter().map(of).filter(|(_, ports)| !ports.is_empty()).collect()
}

/// Done when everybody listens where the table says.
pub async fn all_listen<P: Ports>(
    run: &Run<'_, P>,
    places: &Places,
    ports: &[(&Place, Vec<Port>)],
) -> Result<Look<()>> {
    let listening = listening(run, places, ports).await?;
    let all = ports.iter().flat_map(|(place, ports)| ports.iter().map(move |port| (place, *port)));
    let silent = all.into_iter().find(|(place, port)| !listening.contains(&address(place, *port)));
    Ok(match silent {
        None => Look::Done(()),
        Some((place, port)) => Look::Pending(format!("{} does not listen on {port} yet", place.name)),
    })
}

/// Connects to each target from inside its own network.
pub async fn listening<P: Ports>(
    run: &Run<'_, P>,
    places: &Places,
    ports: &[(&Place, Vec<Port>)],
) -> Result<Listening> {
    let answers = try_join_all(ports.iter().map(async |(place, ports)| {
        let targets: Vec<String> = ports.iter().map(|port| address(place, *port)).collect();
        place.witness.connect(run, places.dns, &targets).await
    }));
    let seen = answers.await?.into_iter().flatten();
    Ok(seen.filter(|(_, seen)| *seen == Seen::Connected).map(|(target, _)| target).collect())
}

/// Tries everything, from all sources at once.
pub async fn try_from_everywhere<P: Ports>(
    run: &Run<'_, P>,
    places: &Places,
    wanted: &[Wanted<'_>],
) -> Result<Observed> {
    let answers = try_join_all(places.all.iter().map(async |source| {
        let targets: BTreeSet<String> =
            wanted.iter().filter(|one| one.source.name == source.name).map(|one| one.address.clone()).collect();
        let targets: Vec<String> = targets.into_iter().collect();
        let seen = source.stand.connect(run, places.dns, &targets).await?;
        anyhow::Ok(seen.into_iter().map(|(target, seen)| ((source.name.clone(), target), seen)).collect::<Vec<_>>())
    }));
    Ok(answers.await?.into_iter().flatten().collect())
}

/// What a connection may come to that a network policy denies: kube-router rejects it, kindnet drops it.
pub const DENIED: &[Seen] = &[Seen::Refused, Seen::TimedOut, Seen::Unreachable];

/// Holds what was seen against the table; `denied` is how a denial shows.
pub fn judge(
    wanted: &[Wanted<'_>],
    before: &Listening,
    seen: &Observed,
    after: &Listening,
    denied: &[Seen],
) -> Vec<Connection> {
    let at = |place: &Place| match &place.node {
        Some(node) if *node != place.name => format!("{} on {node}", place.name),
        _ => place.name.clone(),
    };
    let connection = |one: &Wanted<'_>| {
        let listens = address(one.target, one.port);
        let listens = before.contains(&listens) && after.contains(&listens);
        let key = (one.source.name.clone(), one.address.clone());
        let seen = seen.get(&key).copied().unwrap_or(Seen::Unreachable);
        Connection {
            from: one.source.party.clone(),
            source: at(one.source),
            to: one.target.party.clone(),
            target: at(one.target),
            port: one.port.to_string(),
            address: one.address.clone(),
            allowed: one.allowed,
            seen,
            judgement: judgement(one.allowed, seen, listens, denied),
        }
    };
    wanted.iter().map(connection).collect()
}

fn judgement(allowed: bool, seen: Seen, listens: bool, denied: &[Seen]) -> Judgement {
    match seen {
        // Somebody answered, whatever was seen of it from inside.
        Seen::Connected if allowed => Judgement::Right,
        Seen::Connected => Judgement::Wrong,
        _ if !listens => Judgement::Unproved,
        _ if allowed => Judgement::Wrong,
        Seen::DnsFailed => Judgement::Unproved,
        seen if denied.contains(&seen) => Judgement::Right,
        _ => Judgement::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_proves_something_only_where_somebody_listens() {
        let cases = [
            (true, Seen::Connected, true, Judgement::Right),
            (true, Seen::Refused, true, Judgement::Wrong),
            (true, Seen::DnsFailed, true, Judgement::Wrong),
            (true, Seen::Refused, false, Judgement::Unproved),
            (false, Seen::Refused, true, Judgement::Right),
            (false, Seen::TimedOut, true, Judgement::Right),
            (false, Seen::Refused, false, Judgement::Unproved),
            (false, Seen::DnsFailed, true, Judgement::Unproved),
            (false, Seen::Connected, true, Judgement::Wrong),
            (false, Seen::Connected, false, Judgement::Wrong),
        ];
        for (allowed, seen, listens, expected) in cases {
            assert_eq!(judgement(allowed, seen, listens, DENIED), expected, "{allowed} {seen} {listens}");
        }
    }

    #[test]
    fn a_denial_has_to_show_as_it_is_made() {
        assert_eq!(judgement(false, Seen::TimedOut, true, &[Seen::TimedOut]), Judgement::Right);
        assert_eq!(judgement(false, Seen::Refused, true, &[Seen::TimedOut]), Judgement::Wrong);
    }
}

//! The firewall of each node: its rules hold now, and again whenever the node starts.

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::fits::Field;
use super::wait::{Look, until};
use super::{Context, Run, cluster};
use crate::components::firewall::{Addresses, CHAIN, RULES, UNIT, rules, unit};
use crate::event::Outcome;
use crate::ports::{Container, Docker as _, Ports};

/// Says what the next start of the node would load, then what holds now. `$0` are the rules, `$1` the enabled unit.
const LOOK: &str = r#"cat "$0" "$1"; echo --; exec iptables --wait 5 --table mangle --list-rules"#;

/// Loads the rules, now and with each start of the node. `$0` is the unit. A node that has just started has no systemd
/// to ask yet.
const LOAD: &str = r#"
systemctl show --property Version >/dev/null || exit 75
systemctl daemon-reload && systemctl enable --quiet "$0" && systemctl restart "$0" && exit
journalctl --no-pager --output cat --lines 10 --unit "$0"
exit 1"#;

/// What [`LOAD`] ends with where it is too early: `EX_TEMPFAIL` of sysexits.h.
const TOO_EARLY: i64 = 75;

/// A node and what it is to have.
struct Node {
    name: String,
    rules: String,
    unit: String,
}

/// What of a node's firewall is not as it is wanted.
#[derive(Debug)]
pub struct Lack {
    pub node: String,
    /// True where no rule of it holds.
    pub missing: bool,
    /// Rules that are missing, and such as nobody rendered.
    pub fields: Vec<Field>,
    /// More about it, in words.
    pub detail: Option<String>,
}

pub async fn have<P: Ports>(context: &Context<'_, P>) -> Result<Outcome> {
    let run = context.run;
    let containers = cluster::containers(run).await?;
    let nodes = nodes(run, &containers)?;
    let changed = try_join_all(nodes.iter().map(|node| close(context, node))).await?;
    let count = nodes.len();
    Ok(match changed.into_iter().filter(|changed| *changed).count() {
        0 => Outcome::Unchanged(format!("{count} nodes closed")),
        changed => Outcome::Changed(format!("{changed} of {count} nodes closed")),
    })
}

/// What is not as it is wanted, on the nodes that run. While one is missing nobody knows its address.
pub async fn lacking<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Lack>> {
    let containers = cluster::containers(run).await?;
    if cluster::expected(run).iter().any(|name| containers.iter().all(|container| container.name != *name)) {
        return Ok(Vec::new());
    }
    let mut nodes = nodes(run, &containers)?;
    nodes.retain(|node| containers.iter().any(|container| container.name == node.name && container.running));
    let lacks = try_join_all(nodes.iter().map(|node| look(run, node))).await?;
    Ok(lacks.into_iter().flatten().collect())
}

/// Every node with its rules.
fn nodes<P: Ports>(run: &Run<'_, P>, containers: &[Container]) -> Result<Vec<Node>> {
    let lab = run.lab;
    let address = |name: &String| cluster::address(run, containers, name);
    let control_planes = cluster::nodes(run, "control-plane", lab.cluster.control_planes);
    let workers = cluster::nodes(run, "worker", lab.cluster.workers);
    let load_balancer = lab.cluster.has_load_balancer().then(|| address(&cluster::load_balancer(lab)));
    let addresses = Addresses {
        control_planes: control_planes.iter().map(address).collect::<Result<_>>()?,
        workers: workers.iter().map(address).collect::<Result<_>>()?,
        load_balancer: load_balancer.transpose()?,
    };
    let node = |name, role| Ok(Node { name, rules: rules(lab, role, &addresses)?, unit: unit()? });
    let control_planes = control_planes.into_iter().map(|name| node(name, "control-plane"));
    control_planes.chain(workers.into_iter().map(|name| node(name, "worker"))).collect()
}

/// Closes a node that is not closed as it is wanted; whether it was not.
async fn close<P: Ports>(context: &Context<'_, P>, node: &Node) -> Result<bool> {
    let run = context.run;
    if look(run, node).await?.is_none() {
        return Ok(false);
    }
    let (docker, name) = (run.ports.docker(), &node.name);
    docker.write_file(name, RULES, node.rules.as_bytes()).await?;
    docker.write_file(name, &format!("/etc/systemd/system/{UNIT}"), node.unit.as_bytes()).await?;
    let output = until(context, async || {
        let output = docker.exec(name, &["sh", "-c", LOAD, UNIT]).await?;
        let early = output.code == TOO_EARLY;
        Ok(if early { Look::Pending(format!("{name}: {}", output.quoted())) } else { Look::Done(output) })
    });
    let output = output.await?;
    ensure!(output.code == 0, "{name}: its firewall cannot be loaded: {}", output.quoted());
    let holds = look(run, node).await?.is_none();
    ensure!(holds, "{name}: its firewall was loaded and does not hold; docker exec {name} iptables -t mangle -S");
    Ok(true)
}

/// None where all is as it is wanted.
async fn look<P: Ports>(run: &Run<'_, P>, node: &Node) -> Result<Option<Lack>> {
    // The unit is enabled where it is found here.
    let enabled = format!("/etc/systemd/system/multi-user.target.wants/{UNIT}");
    let output = run.ports.docker().exec(&node.name, &["bash", "-c", LOOK, RULES, &enabled]).await?;
    ensure!(output.code == 0, "{}: its firewall cannot be read: {}", node.name, output.quoted());
    let text = output.text();
    let (files, live) = text.split_once("--\n").with_context(|| format!("{}: no list of rules", node.name))?;
    Ok(compare(node, files, live))
}

/// Holds the files and the live rules of a node against what it is to have.
fn compare(node: &Node, files: &str, live: &str) -> Option<Lack> {
    let (live, wanted) = (appended(live), appended(&node.rules));
    let stays = files == format!("{}{}", node.rules, node.unit);
    if live == wanted && stays {
        return None;
    }
    let only = |here: &[&str], there: &[&str]| -> Vec<Value> {
        here.iter().filter(|rule| !there.contains(rule)).map(|rule| json!(rule)).collect()
    };
    let field = |wanted, live| Field { path: CHAIN.to_owned(), wanted, live };
    let less = only(&wanted, &live).into_iter().map(|rule| field(rule, Value::Null));
    let more = only(&live, &wanted).into_iter().map(|rule| field(Value::Null, rule));
    let fields: Vec<Field> = less.chain(more).collect();
    let missing = !live.iter().any(|rule| rule.ends_with(&format!("-j {CHAIN}")));
    let detail = match (live == wanted, fields.is_empty()) {
        (true, _) => Some("the next start of the node would load another one".to_owned()),
        (false, true) => Some("its rules are in another order, or one is there twice".to_owned()),
        (false, false) => None,
    };
    // A firewall that is not there lacks each of its rules.
    let fields = if missing { Vec::new() } else { fields };
    Some(Lack { node: node.name.clone(), missing, fields, detail })
}

/// The rules of the two chains that are the lab's, in their order.
fn appended(text: &str) -> Vec<&str> {
    let own = |line: &&str| ["INPUT", CHAIN].iter().any(|chain| line.starts_with(&format!("-A {chain} ")));
    text.lines().filter(own).collect()
}

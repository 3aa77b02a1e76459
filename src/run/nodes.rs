//! The proof that the cluster works: every node Ready, and DNS answers on each.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::wait::{Look, until};
use super::{Context, cluster};
use crate::event::Outcome;
use crate::ports::{Docker as _, Kind, Kube as _, Ports};

/// Asks the cluster's DNS, over TCP and from a node's own shell, for the API's Service. The node
/// needs no DNS client: the query is written out, the answer's code and count are read.
/// `$0` is the address of the DNS Service.
const ASK: &str = r#"
exec 3<>"/dev/tcp/$0/53" || exit 1
name='\x0akubernetes\x07default\x03svc\x07cluster\x05local\x00'
printf '\x00\x36\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00'"$name"'\x00\x01\x00\x01' >&3
answer=$(head -c 10 <&3 | od -An -tx1 | tr -d ' \n')
# Length, id, flags, counts: code 0 in the second flag byte, at least one answer.
[ "${answer:4:4}" = 1234 ] && [ "${answer:11:1}" = 0 ] && [ "${answer:16:4}" != 0000 ]
"#;

pub async fn ready<P: Ports>(context: &Context<'_, P>) -> Result<Outcome> {
    let run = context.run;
    let count = usize::from(run.lab.cluster.control_planes) + usize::from(run.lab.cluster.workers);
    until(context, async || {
        let nodes = match run.ports.kube().list(&Kind::NODE, None, "").await {
            Ok(nodes) => nodes,
            Err(error) => return Ok(Look::Pending(format!("the API does not answer: {error:#}"))),
        };
        let waiting: Vec<String> = nodes.iter().filter_map(why_not_ready).collect();
        Ok(match waiting.first() {
            None if nodes.len() == count => Look::Done(()),
            None => Look::Pending(format!("{} of {count} nodes have joined", nodes.len())),
            Some(first) => Look::Pending(format!("{} of {count} nodes not Ready; {first}", waiting.len())),
        })
    })
    .await?;
    let dns = run.lab.cluster.service_subnet.host(10).context("the Service subnet has a tenth address")?.to_string();
    for container in cluster::containers(run).await? {
        if container.name.ends_with("external-load-balancer") {
            continue;
        }
        until(context, async || {
            let answer = run.ports.docker().exec(&container.name, &["timeout", "3", "bash", "-c", ASK, &dns]).await?;
            Ok(match answer.code {
                0 => Look::Done(()),
                code => Look::Pending(format!("{}: cluster DNS does not answer (exit {code})", container.name)),
            })
        })
        .await?;
    }
    Ok(Outcome::Unchanged(format!("{count} nodes")))
}

/// Name and reason of a node that is not Ready, none for one that is.
pub fn why_not_ready(node: &Value) -> Option<String> {
    let name = node.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("?");
    let conditions = node.pointer("/status/conditions").and_then(Value::as_array);
    let ready = conditions.and_then(|list| list.iter().find(|condition| condition["type"] == "Ready"));
    match ready {
        Some(condition) if condition["status"] == "True" => None,
        Some(condition) => Some(format!("{name}: {}", condition["message"].as_str().unwrap_or("no message"))),
        None => Some(format!("{name}: no report yet")),
    }
}

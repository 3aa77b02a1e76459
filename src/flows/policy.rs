//! Network policies as the API has them, as far as ours go. What is not known here is an error, not overlooked.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use super::table::Protocol;
use crate::config::Subnet;

/// What stands in a rendered policy for the addresses of the control planes.
pub const CONTROL_PLANES: &str = "control-planes";

/// A policy, its rules in both directions.
#[derive(Debug, Clone)]
pub struct NetworkPolicy {
    pub namespace: String,
    pub name: String,
    pub spec: Spec,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    #[serde(default)]
    pub pod_selector: Selector,
    pub policy_types: Vec<Direction>,
    #[serde(default)]
    pub ingress: Vec<Rule>,
    #[serde(default)]
    pub egress: Vec<Rule>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Direction {
    Ingress,
    Egress,
}

/// No peers are all peers, no ports are all ports.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(default, alias = "from", alias = "to")]
    pub peers: Vec<Peer>,
    #[serde(default)]
    pub ports: Vec<PolicyPort>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Peer {
    pub pod_selector: Option<Selector>,
    pub namespace_selector: Option<Selector>,
    pub ip_block: Option<Block>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    #[serde(deserialize_with = "subnet")]
    pub cidr: Subnet,
    #[serde(default, deserialize_with = "subnets")]
    pub except: Vec<Subnet>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyPort {
    pub port: Option<u16>,
    pub end_port: Option<u16>,
    #[serde(default)]
    pub protocol: Protocol,
}

/// Labels that a pod or a namespace must have; an empty one takes all.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Selector {
    #[serde(default)]
    pub match_labels: BTreeMap<String, String>,
    #[serde(default)]
    pub match_expressions: Vec<Expression>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expression {
    pub key: String,
    pub operator: Operator,
    #[serde(default)]
    pub values: Vec<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl NetworkPolicy {
    /// # Errors
    /// When it says something that is not known here.
    pub fn read(object: &Value) -> Result<Self> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or("?").to_owned();
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        let spec = Spec::deserialize(&object["spec"]).with_context(|| format!("NetworkPolicy {namespace}/{name}"))?;
        Ok(Self { namespace, name, spec })
    }

    pub fn rules(&self, direction: Direction) -> &[Rule] {
        match direction {
            Direction::Ingress => &self.spec.ingress,
            Direction::Egress => &self.spec.egress,
        }
    }

    pub fn rules_mut(&mut self, direction: Direction) -> &mut Vec<Rule> {
        match direction {
            Direction::Ingress => &mut self.spec.ingress,
            Direction::Egress => &mut self.spec.egress,
        }
    }
}

impl Selector {
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(|expression| expression.matches(labels))
    }
}

impl Expression {
    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        match self.operator {
            Operator::In => value.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => !value.is_some_and(|value| self.values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

/// Puts the addresses of the control planes where a rendered policy stands for them.
pub fn settle(objects: &[Value], control_planes: &[Ipv4Addr]) -> Vec<Value> {
    let blocks: Vec<Value> =
        control_planes.iter().map(|address| json!({ "ipBlock": { "cidr": format!("{address}/32") } })).collect();
    let mut objects = objects.to_vec();
    for object in &mut objects {
        replace(object, &blocks);
    }
    objects
}

fn replace(value: &mut Value, blocks: &[Value]) {
    match value {
        Value::Array(list) => {
            let stands_for = |peer: &Value| peer.pointer("/ipBlock/cidr").is_some_and(|cidr| cidr == CONTROL_PLANES);
            if let Some(position) = list.iter().position(stands_for) {
                list.splice(position..=position, blocks.iter().cloned());
            }
            for value in list {
                replace(value, blocks);
            }
        }
        Value::Object(map) => map.values_mut().for_each(|value| replace(value, blocks)),
        _ => {}
    }
}

fn subnet<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Subnet, D::Error> {
    parsed(&String::deserialize(deserializer)?)
}

fn subnets<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Subnet>, D::Error> {
    Vec::<String>::deserialize(deserializer)?.iter().map(|text| parsed(text)).collect()
}

fn parsed<E: serde::de::Error>(text: &str) -> Result<Subnet, E> {
    text.parse().map_err(|_| E::custom(format!("{text} is no IPv4 range")))
}

//! Who is to blame: everything in trouble, causes before what follows from them. Pure.

mod admission;
mod nodes;
mod pods;
mod services;
mod volumes;

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde_json::Value;

use super::object::{name, namespace, text};
use super::quote::quote;
use super::scene::Scene;
use crate::components::{JOBS_NAMESPACE, OPERATOR_NAMESPACE, STORE_NAMESPACE};
use crate::fault::known::{self, Known};

/// How many events and log lines of a suspect are quoted.
const EVENTS: usize = 3;
const LINES: usize = 5;
/// Namespaces on which everything else depends.
const SYSTEM: [&str; 4] = ["kube-system", "local-path-storage", STORE_NAMESPACE, OPERATOR_NAMESPACE];

/// How near to the root a kind of trouble is; the nearest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// What makes nodes Ready.
    NetworkPlugin,
    Node,
    Volume,
    Quota,
    Webhook,
    Dns,
    /// Keys that are refused.
    Credentials,
    /// An executor that its driver lost.
    Executor,
    /// A pod with a trouble of its own.
    Pod,
    /// A workload that gets no pods.
    Owner,
    /// Something that waits, perhaps only for a moment.
    Waiting,
    /// In a namespace that has nothing to do with what failed.
    Elsewhere,
    /// What failed some time ago.
    Past,
}

/// An object in trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    pub rank: Rank,
    pub kind: String,
    /// Empty for what lives in none.
    pub namespace: String,
    pub name: String,
    pub reason: String,
    /// The last warnings about it, the newest first.
    pub events: Vec<String>,
    /// The last lines of its log.
    pub lines: Vec<String>,
}

impl Suspect {
    fn new(scene: &Scene, rank: Rank, object: &Value, reason: impl Into<String>) -> Self {
        Self::named(scene, rank, [text(object, "/kind"), namespace(object), name(object)], reason)
    }

    /// Kind, namespace and name.
    fn named(scene: &Scene, rank: Rank, id: [&str; 3], reason: impl Into<String>) -> Self {
        let [kind, namespace, name] = id;
        let line = |event: &&Value| format!("{}: {}", text(event, "/reason"), text(event, "/message").trim());
        let log = if kind == "Pod" { scene.log(namespace, name) } else { "" };
        let lines = quote(log).1;
        let reason = reason.into().replace('\n', " ");
        let news = |event: &&Value| !reason.contains(text(event, "/message").trim());
        let events = scene.warnings(kind, namespace, name).into_iter().filter(news).take(EVENTS);
        Self {
            rank,
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            events: events.map(|event| line(&event)).collect(),
            reason,
            lines: lines[lines.len().saturating_sub(LINES)..].iter().map(|&line| line.to_owned()).collect(),
        }
    }

    /// The known failure that its words show: its own reason says more than its events, and those more than a log.
    pub fn known(&self) -> Option<&'static Known> {
        let texts = [self.reason.clone(), self.events.join("\n"), self.lines.join("\n")];
        let found: Vec<&Known> = texts.iter().filter_map(|text| known::find(text)).collect();
        // A crash loop or a failed pull is what was seen; why it is so is in the event or in the log.
        let symptom = |known: &&&Known| !["crash-loop", "image-pull", "probe-failing"].contains(&known.id);
        found.iter().find(symptom).or(found.first()).copied()
    }
}

impl fmt::Display for Suspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if self.namespace.is_empty() { String::new() } else { format!("{}/", self.namespace) };
        write!(f, "{} {space}{}: {}", self.kind, self.name, self.reason)?;
        self.events.iter().try_for_each(|event| write!(f, "\n  event: {event}"))?;
        self.lines.iter().try_for_each(|line| write!(f, "\n  log: {line}"))
    }
}

/// Everything in trouble, the likeliest culprit first. `said` is the text of the error that is to be explained,
/// empty where there is none: what it names comes before its equals.
pub fn suspects(scene: &Scene, said: &str, now: Timestamp) -> Vec<Suspect> {
    let mut all = nodes::suspects(scene);
    all.extend(volumes::suspects(scene));
    all.extend(admission::suspects(scene));
    all.extend(services::suspects(scene));
    all.extend(pods::suspects(scene, said, now));
    let named: BTreeSet<String> =
        all.iter().filter(|one| said.contains(&one.name)).map(|one| one.namespace.clone()).collect();
    // A job that failed by itself did not fail because of somebody's volume in a namespace of his own.
    let apart = |one: &Suspect| {
        let space = one.namespace.as_str();
        !space.is_empty() && !named.is_empty() && !named.contains(space) && !SYSTEM.contains(&space)
    };
    for one in all.iter_mut().filter(|one| apart(one)) {
        one.rank = one.rank.max(Rank::Elsewhere);
    }
    all.sort_by_key(|one| {
        let place = SYSTEM.iter().position(|space| one.namespace == *space).unwrap_or(SYSTEM.len());
        let jobs = one.namespace != JOBS_NAMESPACE;
        (one.rank, !said.contains(&one.name), place, jobs, one.lines.is_empty())
    });
    let mut seen = BTreeSet::new();
    all.retain(|one| seen.insert([one.kind.clone(), one.namespace.clone(), one.name.clone()]));
    all
}

#[cfg(test)]
mod tests;

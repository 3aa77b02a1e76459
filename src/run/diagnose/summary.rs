//! The page that one reads first: who is to blame, what is known of it, and what there is.

use super::object::{condition, list, name, namespace, number, text};
use super::pods;
use super::scene::Scene;
use super::suspects::Suspect;
use crate::fault::known::{self, Known};

/// How many others in trouble are named.
const OTHERS: usize = 10;

pub struct Summary<'a> {
    pub lab: &'a str,
    pub suspects: &'a [Suspect],
    /// The error's text.
    pub said: &'a str,
    pub scene: &'a Scene,
    pub versions: &'a [String],
    /// What could not be collected, and why.
    pub missed: Vec<String>,
}

impl Summary<'_> {
    pub fn text(&self) -> String {
        let mut text = match self.suspects.first() {
            Some(culprit) => format!("{culprit}\n"),
            None => "No object in trouble was found.\n".to_owned(),
        };
        for known in known(self.suspects, self.said) {
            text.push_str(&format!("  known: {}: {}\n  next: {}\n", known.id, known.cause, known.next));
        }
        let others = self.suspects.iter().skip(1).take(OTHERS);
        section(
            &mut text,
            "also in trouble",
            others.map(|one| one.to_string().lines().next().unwrap_or_default().to_owned()),
        );
        section(&mut text, "the error", self.said.lines().map(str::to_owned));
        section(&mut text, "nodes", self.scene.of("Node").iter().map(node));
        let workloads = ["Deployment", "StatefulSet", "DaemonSet"].into_iter().flat_map(|kind| self.scene.of(kind));
        section(&mut text, "workloads", workloads.map(workload));
        section(&mut text, "pods", self.scene.of("Pod").iter().map(pod));
        section(&mut text, &format!("versions of lab {}", self.lab), self.versions.iter().cloned());
        section(&mut text, "could not be collected", self.missed.iter().cloned());
        text
    }
}

/// The known failures of the culprit first, then those that the error's text shows.
pub fn known(suspects: &[Suspect], said: &str) -> Vec<&'static Known> {
    let mut found: Vec<&Known> = suspects.first().and_then(Suspect::known).into_iter().collect();
    found.extend(known::find(said).filter(|known| !found.contains(known)));
    found
}

fn section(text: &mut String, heading: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<String> = lines.collect();
    if !lines.is_empty() {
        text.push_str(&format!("\n{heading}:\n"));
        for line in lines {
            text.push_str(&format!("  {line}\n"));
        }
    }
}

fn node(node: &serde_json::Value) -> String {
    let ready = condition(node, "Ready").is_some_and(|ready| ready["status"] == "True");
    let version = text(node, "/status/nodeInfo/kubeletVersion");
    format!("{:<32} {:<10} {version}", name(node), if ready { "Ready" } else { "not Ready" })
}

fn workload(object: &serde_json::Value) -> String {
    let daemons = object["kind"] == "DaemonSet";
    let wanted =
        if daemons { number(object, "/status/desiredNumberScheduled") } else { number(object, "/spec/replicas") };
    let ready = number(object, if daemons { "/status/numberReady" } else { "/status/readyReplicas" });
    let id = format!("{} {}/{}", text(object, "/kind"), namespace(object), name(object));
    format!("{id:<52} {} of {} ready", ready.unwrap_or_default(), wanted.unwrap_or(1))
}

fn pod(pod: &serde_json::Value) -> String {
    let restarts: i64 =
        list(pod, "/status/containerStatuses").iter().filter_map(|one| number(one, "/restartCount")).sum();
    let state = pods::reason(pod).unwrap_or_else(|| text(pod, "/status/phase").to_owned());
    let state: String = state.chars().take(60).collect();
    let id = format!("{}/{}", namespace(pod), name(pod));
    format!("{id:<60} {:<24} {restarts} restarts  {state}", text(pod, "/spec/nodeName"))
}

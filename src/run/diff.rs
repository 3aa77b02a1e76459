//! What stands against what the configuration wants: the observing half of every step. Changes nothing.

mod cluster;
mod engine;

use std::time::Duration;

use anyhow::{Result, anyhow};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::timeout;

use super::Run;
use super::fits::Field;
use crate::fault::{Fault, Kind};
use crate::plan::Plan;
use crate::ports::Ports;
use crate::step::{Action, Step};

/// How long one step's part of the cluster is looked at.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a lab lacks or has otherwise.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Diff {
    pub lab: String,
    /// True where `lab up` would change something, or cannot be foreseen.
    pub differs: bool,
    pub differences: Vec<Difference>,
}

/// One thing that is not as it is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Difference {
    /// The step of `lab up` that settles it.
    pub step: String,
    /// What differs: `container lab-worker2`, `DaemonSet kube-system/kube-router`.
    pub subject: String,
    pub state: State,
    /// More about it, in words.
    pub detail: Option<String>,
    /// The fields of an object that are not as they are wanted; values of Secrets are hidden.
    pub fields: Vec<Field>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum State {
    Missing,
    Stopped,
    /// There, with other content.
    Different,
    /// As wanted, but not at work.
    NotReady,
    /// There, and not wanted.
    Unwanted,
    /// It cannot be seen.
    Unknown,
}

impl Diff {
    /// # Errors
    /// [`Kind::Drift`] where something differs.
    pub fn check(&self, flags: &str) -> Result<()> {
        let count = match self.differences.len() {
            0 => return Ok(()),
            1 => "1 difference".to_owned(),
            more => format!("{more} differences"),
        };
        let what = format!("lab {} is not what the configuration says: {count}", self.lab);
        Err(Fault::new(Kind::Drift, what).next(format!("lab up{flags}   (brings it back)")).error())
    }
}

impl Difference {
    pub fn new(subject: impl Into<String>, state: State) -> Self {
        Self { step: String::new(), subject: subject.into(), state, detail: None, fields: Vec::new() }
    }

    /// Something of this step's kind that is there and that nobody rendered.
    pub fn unwanted(step: &str, subject: impl Into<String>) -> Self {
        Self { step: step.to_owned(), ..Self::new(subject, State::Unwanted) }
    }

    #[must_use]
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// Compares; what is inside a cluster that is not there is not listed one by one.
///
/// # Errors
/// When the Docker engine fails.
pub async fn diff<P: Ports>(run: &Run<'_, P>, plan: &Plan) -> Result<Diff> {
    let mut differences = Vec::new();
    let mut answers = false;
    for step in &plan.steps {
        let mut found = match &step.action {
            Action::Cluster { .. } => {
                let found = cluster::reachable(run).await?;
                answers = found.is_empty();
                found
            }
            action if in_cluster(action) && !answers => Vec::new(),
            action if in_cluster(action) => {
                let seen = timeout(PATIENCE, cluster::differences(run, action)).await;
                let seen = seen.unwrap_or_else(|_| Err(anyhow!("no answer within {} s", PATIENCE.as_secs())));
                seen.unwrap_or_else(|error| vec![unknown(step, &error)])
            }
            action => engine::differences(run, action).await?,
        };
        // What two steps want is told once, of the first of them.
        let told = |one: &Difference| differences.iter().any(|earlier: &Difference| earlier.subject == one.subject);
        found.retain(|one| !told(one));
        for difference in &mut found {
            step.id.clone_into(&mut difference.step);
        }
        differences.append(&mut found);
    }
    Ok(Diff { lab: plan.lab.clone(), differs: !differences.is_empty(), differences })
}

/// What of a step inside the cluster is not done.
///
/// # Errors
/// When it cannot be seen.
pub async fn of_step<P: Ports>(run: &Run<'_, P>, step: &Step) -> Result<Vec<Difference>> {
    let mut found = cluster::differences(run, &step.action).await?;
    for difference in &mut found {
        step.id.clone_into(&mut difference.step);
    }
    Ok(found)
}

fn unknown(step: &Step, error: &anyhow::Error) -> Difference {
    Difference::new(&step.title, State::Unknown).because(format!("{error:#}"))
}

fn in_cluster(action: &Action) -> bool {
    matches!(
        action,
        Action::Prefetch { .. }
            | Action::Firewall
            | Action::NodesReady
            | Action::Credentials { .. }
            | Action::Apply { .. }
            | Action::Policies { .. }
            | Action::People { .. }
            | Action::Buckets { .. }
            | Action::Secret { .. }
            | Action::SampleDags
            | Action::Smoke
    )
}

//! Logs of components, nodes and jobs, found by the lab's own words.

mod audit;
mod find;
mod journal;
mod places;

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, stream};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

pub use find::{Listing, find, listing};
pub use places::NAMES;

use super::{Run, cluster, diagnose};
use crate::event::Event;
use crate::fault::{self, Fault, Kind};
use crate::ports::{Docker as _, Kube as _, LogQuery, Ports};

/// How long to wait between two looks at what is not there yet.
const INTERVAL: Duration = Duration::from_millis(500);

/// One log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Pod {
        namespace: String,
        name: String,
    },
    /// A container of the Docker engine.
    Container(String),
    /// The kubelet's journal on a node.
    Node(String),
    /// What the API server of a control plane wrote down of changes.
    Audit(String),
}

impl Source {
    pub fn name(&self) -> &str {
        match self {
            Source::Pod { name, .. } | Source::Container(name) | Source::Node(name) | Source::Audit(name) => name,
        }
    }
}

/// A line of a log, as programs read it.
#[derive(Serialize, JsonSchema)]
pub struct LogLine<'a> {
    /// The pod, container or node.
    pub source: &'a str,
    pub line: &'a str,
}

/// Hands every line over with the source it is of, until all logs end or nobody takes lines any more.
///
/// # Errors
/// The first source's that cannot be read, after the others.
pub async fn read<P: Ports>(
    run: &Run<'_, P>,
    sources: &[Source],
    query: &LogQuery,
    take: &dyn Fn(&Source, &str) -> ControlFlow<()>,
) -> Result<()> {
    let gone = tokio::sync::Notify::new();
    let one = async |source: &Source| {
        let mut line = |text: String| {
            if take(source, &text).is_break() {
                gone.notify_one();
            }
        };
        let next = if query.previous {
            "the same without --previous: a container that was not restarted has no other log".to_owned()
        } else {
            format!("lab status{}", run.flags)
        };
        let result = read_one(run, source, query, &mut line).await;
        result.map_err(|error| match fault::kind(&error) {
            Kind::Bug => error.context(Fault::new(Kind::Step, format!("no log of {}", source.name())).next(next)),
            _ => error,
        })
    };
    // What has an end is read one after the other; what goes on, side by side.
    let width = if query.follow { sources.len() } else { 1 };
    let all = stream::iter(sources.iter().map(one)).buffered(width.max(1)).collect::<Vec<_>>();
    tokio::select! {
        results = all => results.into_iter().collect(),
        () = gone.notified() => Ok(()),
    }
}

async fn read_one<P: Ports>(
    run: &Run<'_, P>,
    source: &Source,
    query: &LogQuery,
    line: &mut dyn FnMut(String),
) -> Result<()> {
    if let Source::Pod { namespace, name } = source {
        if query.follow {
            started(run, namespace, name).await?;
        }
        return run.ports.kube().read_log(namespace, name, query, line).await;
    }
    if query.previous || query.container.is_some() {
        let what = format!("--previous and --container are for pods, and {} is none", source.name());
        return Err(Fault::new(Kind::Usage, what).error());
    }
    match source {
        Source::Node(node) if is_running(run, node).await? => {
            journal::read(run.ports.docker(), node, query, line).await
        }
        Source::Audit(node) => audit::read(run.ports.docker(), node, query, line).await,
        // What a node said before it died is in its container's log.
        other => run.ports.docker().read_log(other.name(), query, line).await,
    }
}

async fn is_running<P: Ports>(run: &Run<'_, P>, node: &str) -> Result<bool> {
    let containers = cluster::containers(run).await?;
    let container = containers.iter().find(|container| container.name == node);
    Ok(container.context("there is no such container")?.running)
}

/// Waits until a pod has a log.
async fn started<P: Ports>(run: &Run<'_, P>, namespace: &str, name: &str) -> Result<()> {
    let notes = Notes::new(run);
    let id = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "namespace": namespace, "name": name } });
    loop {
        let Some(pod) = run.ports.kube().get(&id).await? else { bail!("pod {namespace}/{name} is not there") };
        if pod["status"]["phase"] != "Pending" {
            return Ok(());
        }
        notes.say(format!("{name}: {}", diagnose::reason(&pod).unwrap_or_else(|| "starting".to_owned())));
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Says what is waited for, each thing once.
struct Notes<'a, P: Ports> {
    run: &'a Run<'a, P>,
    last: RefCell<String>,
}

impl<'a, P: Ports> Notes<'a, P> {
    fn new(run: &'a Run<'a, P>) -> Self {
        Self { run, last: RefCell::default() }
    }

    fn say(&self, note: String) {
        if *self.last.borrow() != note {
            self.last.borrow_mut().clone_from(&note);
            self.run.sink.emit(Event::StepProgress { id: "logs".to_owned(), note });
        }
    }
}

//! What DAGs there are, and which files are none.

use std::collections::BTreeMap;

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use crate::ports::Ports;
use crate::run::Run;
use crate::run::airflow::{Airflow, runs};

/// What `lab dags list` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Listing {
    /// In the order of their names.
    pub dags: Vec<ListedDag>,
    /// What could not be loaded.
    pub broken: Vec<BrokenFile>,
}

/// A DAG, and how it did.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedDag {
    pub dag: String,
    /// `dags` pushed by people, `sample-dags` the lab's, `git` of the repository.
    pub source: Option<String>,
    /// Below its source.
    pub file: Option<String>,
    /// True where its runs wait.
    pub paused: bool,
    /// None where it has not run.
    pub last_run: Option<LastRun>,
}

/// The newest run of a DAG.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LastRun {
    pub run: String,
    /// In Airflow's words.
    pub state: String,
    /// When it began, or is to begin, as RFC 3339 has it.
    pub at: String,
}

/// A file that Airflow could not load.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BrokenFile {
    pub source: Option<String>,
    pub file: String,
    /// The last line of Python's trace.
    pub message: String,
}

pub async fn list<P: Ports>(run: &Run<'_, P>) -> Result<Listing> {
    let airflow = Airflow::login(run).await?;
    let mut newest: BTreeMap<String, runs::Run> = BTreeMap::new();
    for run in airflow.newest_runs().await? {
        newest.entry(run.dag.clone()).or_insert(run);
    }
    let dags = airflow.dags().await?.into_iter().map(|dag| ListedDag {
        last_run: newest.remove(&dag.id).map(|run| LastRun { run: run.id, state: run.state, at: run.at }),
        dag: dag.id,
        source: dag.bundle,
        file: dag.file,
        paused: dag.paused,
    });
    let dags = dags.collect();
    let broken = airflow.import_errors().await?.into_iter().map(|error| BrokenFile {
        source: error.bundle,
        file: error.file,
        message: error.trace.trim().lines().last().unwrap_or_default().trim().to_owned(),
    });
    Ok(Listing { dags, broken: broken.collect() })
}

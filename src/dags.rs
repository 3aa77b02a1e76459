//! DAGs: a folder of them on its way to Airflow, and a run of one.

mod folder;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

pub use folder::{Files, Folder};

/// A number of files, in words.
pub fn files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

/// A run that is to be.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Order {
    pub dag: String,
    /// Its name, which no other run of this DAG has.
    pub run: String,
    /// Values for the DAG's params, as a JSON object.
    pub conf: Value,
}

/// A run of a DAG, and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DagRun {
    pub dag: String,
    pub run: String,
    /// In Airflow's words: `queued`, `running`, `success` or `failed`.
    pub state: String,
    /// From its begin to its end; none before.
    pub seconds: Option<f64>,
    /// Its page, below the address that `lab open airflow` prints.
    pub page: String,
    /// In the order in which they began.
    pub tasks: Vec<TaskRun>,
}

/// A task of a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskRun {
    /// With its number where several were made of one: `load[2]`.
    pub task: String,
    /// In Airflow's words; none before the scheduler has looked at it.
    pub state: Option<String>,
    /// Which try that is, from 1; 0 where it has not been tried.
    pub try_number: u32,
    pub seconds: Option<f64>,
    /// What it returned, where that is not much.
    pub result: Option<Value>,
    /// Why it failed, as far as its log says it.
    pub reason: Option<String>,
}

impl DagRun {
    pub fn succeeded(&self) -> bool {
        self.state == "success"
    }
}

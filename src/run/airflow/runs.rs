//! Runs of DAGs as Airflow's API tells of them.

use anyhow::Result;
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Airflow, PAGE, Refusal, segment};
use crate::ports::Ports;

/// The longest result of a task that is shown, in bytes of JSON.
const LONGEST_RESULT: usize = 500;

/// A run, in Airflow's words.
#[derive(Debug, Clone, Deserialize)]
pub struct Run {
    #[serde(rename = "dag_run_id")]
    pub id: String,
    #[serde(rename = "dag_id")]
    pub dag: String,
    /// `queued`, `running`, `success` or `failed`.
    pub state: String,
    /// When it began, or is to begin, as RFC 3339 has it.
    #[serde(rename = "run_after")]
    pub at: String,
    /// Seconds; none before it has begun.
    pub duration: Option<f64>,
    /// What it was given.
    pub conf: Option<Value>,
}

impl Run {
    /// True where it stays as it is.
    pub fn ended(&self) -> bool {
        matches!(self.state.as_str(), "success" | "failed")
    }
}

/// A task of a run, in Airflow's words.
#[derive(Debug, Clone, Deserialize)]
pub struct Task {
    pub task_id: String,
    /// Which of several that were made of one; -1 where there is only one.
    pub map_index: i64,
    /// None before the scheduler has looked at it.
    pub state: Option<String>,
    /// From 1; 0 where it has not been tried.
    pub try_number: u32,
    /// Seconds.
    pub duration: Option<f64>,
    pub start_date: Option<String>,
}

impl Task {
    /// As people write it.
    pub fn name(&self) -> String {
        if self.map_index < 0 { self.task_id.clone() } else { format!("{}[{}]", self.task_id, self.map_index) }
    }
}

impl<P: Ports> Airflow<'_, P> {
    /// Begins a run of this name.
    pub async fn trigger(&self, dag: &str, run: &str, conf: &Value) -> Result<Run> {
        let body = json!({ "dag_run_id": run, "logical_date": null, "conf": conf });
        self.post(&format!("/api/v2/dags/{}/dagRuns", segment(dag)), &body).await
    }

    /// Ends a run before its time, with what its tasks have begun.
    pub async fn stop(&self, dag: &str, run: &str) -> Result<()> {
        let path = format!("/api/v2/dags/{}/dagRuns/{}", segment(dag), segment(run));
        self.patch::<Value>(&path, &json!({ "state": "failed" })).await.map(drop)
    }

    /// A run, none where there is no such run.
    pub async fn run_of(&self, dag: &str, run: &str) -> Result<Option<Run>> {
        let answer = self.get(&format!("/api/v2/dags/{}/dagRuns/{}", segment(dag), segment(run))).await;
        match answer {
            Err(error) if Refusal::of(&error).is_some_and(|it| it.status == StatusCode::NOT_FOUND) => Ok(None),
            other => other.map(Some),
        }
    }

    /// The newest run of a DAG, none where it has not run.
    pub async fn newest_run(&self, dag: &str) -> Result<Option<Run>> {
        Ok(self.newest(&segment(dag), 1).await?.into_iter().next())
    }

    /// The newest runs of all DAGs together.
    pub async fn newest_runs(&self) -> Result<Vec<Run>> {
        self.newest("~", PAGE).await
    }

    async fn newest(&self, dag: &str, count: usize) -> Result<Vec<Run>> {
        #[derive(Deserialize)]
        struct Answer {
            dag_runs: Vec<Run>,
        }
        let path = format!("/api/v2/dags/{dag}/dagRuns?limit={count}&order_by=-run_after");
        Ok(self.get::<Answer>(&path).await?.dag_runs)
    }

    /// The tasks of a run, in the order in which they began; those that have not begun are at the end.
    pub async fn tasks(&self, dag: &str, run: &str) -> Result<Vec<Task>> {
        #[derive(Deserialize)]
        struct Answer {
            task_instances: Vec<Task>,
            total_entries: usize,
        }
        let path = format!("/api/v2/dags/{}/dagRuns/{}/taskInstances?order_by=map_index", segment(dag), segment(run));
        let read = |answer: Answer| (answer.task_instances, answer.total_entries);
        let mut tasks: Vec<Task> = self.pages(&path, read).await?;
        let place = |task: &Task| (task.start_date.is_none(), task.start_date.clone(), task.name());
        tasks.sort_by_cached_key(place);
        Ok(tasks)
    }

    /// What a task returned, none where that is nothing, or longer than people want to read.
    pub async fn result(&self, (dag, run): (&str, &str), task: &Task) -> Result<Option<Value>> {
        #[derive(Deserialize)]
        struct Answer {
            value: Value,
        }
        let (dag, run, id, map_index) = (segment(dag), segment(run), segment(&task.task_id), task.map_index);
        let place = format!("/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{id}/xcomEntries/return_value");
        let answer: Result<Answer> = self.get(&format!("{place}?map_index={map_index}")).await;
        match answer {
            Err(error) if Refusal::of(&error).is_some_and(|it| it.status == StatusCode::NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
            Ok(Answer { value }) => Ok(Some(value).filter(|value| value.to_string().len() <= LONGEST_RESULT)),
        }
    }
}

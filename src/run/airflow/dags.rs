//! DAGs as Airflow's API tells of them, and files that are none.

use anyhow::Result;
use hyper::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Airflow, PAGE, Refusal, segment};
use crate::ports::Ports;

/// A DAG, in Airflow's words.
#[derive(Debug, Clone, Deserialize)]
pub struct Dag {
    #[serde(rename = "dag_id")]
    pub id: String,
    #[serde(rename = "bundle_name")]
    pub bundle: Option<String>,
    /// In the bundle.
    #[serde(rename = "relative_fileloc")]
    pub file: Option<String>,
    #[serde(rename = "is_paused")]
    pub paused: bool,
    #[serde(rename = "last_parsed_time")]
    pub parsed: Option<jiff::Timestamp>,
    /// Seconds.
    pub last_parse_duration: Option<f64>,
    /// What names the file when it is to be parsed at once.
    pub file_token: String,
}

/// A file that Airflow could not load.
#[derive(Debug, Clone, Deserialize)]
pub struct ImportError {
    #[serde(rename = "filename")]
    pub file: String,
    #[serde(rename = "bundle_name")]
    pub bundle: Option<String>,
    #[serde(rename = "timestamp")]
    pub at: jiff::Timestamp,
    #[serde(rename = "stack_trace")]
    pub trace: String,
}

impl<P: Ports> Airflow<'_, P> {
    /// All DAGs that are there now, in the order of their ids.
    pub async fn dags(&self) -> Result<Vec<Dag>> {
        #[derive(Deserialize)]
        struct Answer {
            dags: Vec<Dag>,
            total_entries: usize,
        }
        let read = |answer: Answer| (answer.dags, answer.total_entries);
        self.pages("/api/v2/dags?order_by=dag_id", read).await
    }

    /// A DAG, none where there is no such DAG.
    pub async fn dag(&self, dag: &str) -> Result<Option<Dag>> {
        match self.get(&format!("/api/v2/dags/{}", segment(dag))).await {
            Err(error) if Refusal::of(&error).is_some_and(|it| it.status == StatusCode::NOT_FOUND) => Ok(None),
            other => other.map(Some),
        }
    }

    /// The text of a DAG's file as Airflow has it, none where it has none.
    pub async fn source(&self, dag: &str) -> Result<Option<String>> {
        #[derive(Deserialize)]
        struct Answer {
            content: Option<String>,
        }
        let answer: Result<Answer> = self.get(&format!("/api/v2/dagSources/{}", segment(dag))).await;
        match answer {
            Err(error) if Refusal::of(&error).is_some_and(|it| it.status == StatusCode::NOT_FOUND) => Ok(None),
            other => Ok(other?.content),
        }
    }

    /// All files that Airflow could not load.
    pub async fn import_errors(&self) -> Result<Vec<ImportError>> {
        #[derive(Deserialize)]
        struct Answer {
            import_errors: Vec<ImportError>,
            total_entries: usize,
        }
        let read = |answer: Answer| (answer.import_errors, answer.total_entries);
        self.pages("/api/v2/importErrors?order_by=filename", read).await
    }

    /// Asks for a DAG's file to be parsed before all others, and its bundle to be read before that.
    pub async fn parse(&self, dag: &Dag) -> Result<()> {
        self.put(&format!("/api/v2/parseDagFile/{}", segment(&dag.file_token))).await
    }

    /// Everything of a list that Airflow gives in pages. `path` has a query already.
    pub(super) async fn pages<A: DeserializeOwned, T>(
        &self,
        path: &str,
        read: impl Fn(A) -> (Vec<T>, usize),
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        loop {
            let (page, total) = read(self.get(&format!("{path}&limit={PAGE}&offset={}", all.len())).await?);
            let last = page.is_empty();
            all.extend(page);
            if last || all.len() >= total {
                return Ok(all);
            }
        }
    }
}

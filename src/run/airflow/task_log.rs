//! The log of one try of a task: Airflow keeps it, whatever becomes of the pod that wrote it.

use std::collections::VecDeque;

use anyhow::Result;
use serde::Deserialize;

use super::runs::Task;
use super::{Airflow, segment};
use crate::ports::Ports;
use crate::run::diagnose;

/// How many of the last lines are searched for the reason of a failure.
const READ_LINES: usize = 400;

/// One message.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Message {
    pub timestamp: Option<String>,
    pub level: Option<String>,
    pub event: String,
    /// The error that was raised, and those that led to it.
    #[serde(default)]
    pub error_detail: Option<Vec<Raised>>,
}

/// An error that was raised.
#[derive(Debug, Clone, Deserialize)]
pub struct Raised {
    #[serde(rename = "exc_type")]
    pub class: String,
    #[serde(rename = "exc_value")]
    pub text: String,
}

impl Message {
    /// As lines of a log.
    pub fn lines(&self) -> Vec<String> {
        let parts = [self.timestamp.as_deref(), self.level.as_deref(), Some(self.event.as_str())];
        let message = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let errors = self.error_detail.iter().flatten().map(|raised| format!("{}: {}", raised.class, raised.text));
        let texts: Vec<String> = std::iter::once(message).chain(errors).collect();
        texts.iter().flat_map(|text| text.lines()).map(str::to_owned).collect()
    }
}

impl<P: Ports> Airflow<'_, P> {
    /// Hands over the messages of a try, from the first to the last that is there now.
    pub async fn task_log(
        &self,
        (dag, run): (&str, &str),
        task: &Task,
        try_number: u32,
        take: &mut dyn FnMut(Message) -> Result<()>,
    ) -> Result<()> {
        let (dag, run, id, map_index) = (segment(dag), segment(run), segment(&task.task_id), task.map_index);
        let place = format!("/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{id}/logs/{try_number}");
        self.lines(&format!("{place}?map_index={map_index}&full_content=true"), &mut |line| {
            // What is no message is shown as it is.
            let plain = || Message { event: String::from_utf8_lossy(line).into_owned(), ..Message::default() };
            take(serde_json::from_slice(line).unwrap_or_else(|_| plain()))
        })
        .await
    }

    /// Why the last try of a task failed, as far as its log says it: what was raised, and the last error that what
    /// it ran has named.
    pub async fn reason(&self, run: (&str, &str), task: &Task) -> Result<Option<String>> {
        let (mut raised, mut complaint, mut last) = (None, None, VecDeque::new());
        self.task_log(run, task, task.try_number, &mut |message| {
            if let Some(first) = message.error_detail.as_ref().and_then(|errors| errors.first()) {
                raised = Some(format!("{}: {}", first.class, first.text));
            } else if matches!(message.level.as_deref(), Some("error" | "critical")) {
                complaint = Some(message.event);
            } else {
                last.push_back(message.event);
            }
            last.drain(..last.len().saturating_sub(READ_LINES));
            Ok(())
        })
        .await?;
        let told: Vec<&str> = last.iter().flat_map(|event| event.lines()).map(without_source).collect();
        let told = told.join("\n");
        let named = diagnose::quote(&told).0.map(str::to_owned);
        let reasons = [raised.or(complaint), named].into_iter().flatten().map(|reason| shortened(&reason));
        let reasons: Vec<String> = reasons.collect();
        Ok((!reasons.is_empty()).then(|| reasons.join("; ")))
    }
}

/// A line of a pod without the container's name, which Airflow puts before it.
fn without_source(line: &str) -> &str {
    line.strip_prefix('[').and_then(|rest| Some(rest.split_once("] ")?.1)).unwrap_or(line)
}

/// The first line, as far as it is of use.
fn shortened(reason: &str) -> String {
    const LONGEST: usize = 300;
    reason.trim().lines().next().unwrap_or_default().chars().take(LONGEST).collect()
}

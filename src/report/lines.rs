//! One event a line on standard output, for programs.

use std::sync::{Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;

use super::data;
use super::document::Document;
use crate::event::{Event, Sink};

/// One line of `--output json`.
#[derive(Serialize, JsonSchema)]
pub struct Line {
    /// When it happened: RFC 3339, in UTC.
    at: String,
    #[serde(flatten)]
    event: Event,
    /// How far the run is, with each step that is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
}

#[derive(Clone, Copy, Serialize, JsonSchema)]
struct Progress {
    /// Steps that are done.
    done: usize,
    /// Steps of the plan.
    of: usize,
}

impl Document for Line {
    const SCHEMA: &'static str = "lab.event/v1";
}

/// The line for an event, with its line feed.
///
/// # Errors
/// When the event has a form that JSON does not know, which would be a bug.
fn text(event: Event, progress: Option<Progress>) -> anyhow::Result<String> {
    let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    Ok(format!("{}\n", serde_json::to_string(&Line { at, event, progress }.with_schema())?))
}

/// The line for an event by itself.
///
/// # Errors
/// As [`text`].
pub fn line(event: Event) -> anyhow::Result<String> {
    text(event, None)
}

#[derive(Default)]
pub struct Lines {
    progress: Mutex<Option<Progress>>,
}

impl Lines {
    /// Counts, and says how far the run is where that has changed.
    fn count(&self, event: &Event) -> Option<Progress> {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::RunStarted { steps, .. } => *progress = Some(Progress { done: 0, of: steps.len() }),
            Event::StepDone { .. } => {
                if let Some(progress) = progress.as_mut() {
                    progress.done += 1;
                }
                return *progress;
            }
            _ => {}
        }
        None
    }
}

impl Sink for Lines {
    fn emit(&self, event: Event) {
        let progress = self.count(&event);
        match text(event, progress) {
            Ok(line) => data(&line),
            Err(error) => tracing::warn!("an event cannot be printed: {error:#}"),
        }
    }
}

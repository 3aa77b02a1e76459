//! One line an event: for logs, CI and pipes.

use super::{duration, talk};
use crate::event::{Event, Outcome, Sink};

pub struct Plain;

impl Sink for Plain {
    fn emit(&self, event: Event) {
        if let Some(line) = line(&event) {
            talk(&line);
        }
    }
}

/// The line for an event, none where people see the same elsewhere.
pub fn line(event: &Event) -> Option<String> {
    Some(match event {
        Event::RunStarted { lab, steps } => format!("lab {lab}: {} steps", steps.len()),
        Event::StepStarted { id, title } => format!("[{id}] {title} ..."),
        Event::StepProgress { id, note } => format!("[{id}] {note}"),
        Event::StepDone { id, outcome: Outcome::Unchanged(detail), took, .. } => {
            format!("[{id}] as it was: {detail} ({})", duration(*took))
        }
        Event::StepDone { id, outcome: Outcome::Changed(detail), took, .. } => {
            format!("[{id}] done: {detail} ({})", duration(*took))
        }
        Event::StepFailed { id, took, .. } => format!("[{id}] failed after {}", duration(*took)),
        Event::JobLog { line } => format!("  | {line}"),
        Event::RunDone { lab, changed: 0, took } => format!("lab {lab}: nothing changed ({})", duration(*took)),
        Event::RunDone { lab, took, .. } => format!("lab {lab}: done ({})", duration(*took)),
        Event::SmokeJudged { .. } | Event::End(_) => return None,
    })
}

//! One line an event: for logs, CI and pipes.

use super::{duration, talk};
use crate::event::{Event, Outcome, Sink};

pub struct Plain;

impl Sink for Plain {
    fn emit(&self, event: Event) {
        talk(&line(&event));
    }
}

/// The line for an event.
pub fn line(event: &Event) -> String {
    match event {
        Event::RunStarted { lab, steps } => format!("lab {lab}: {steps} steps"),
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
    }
}

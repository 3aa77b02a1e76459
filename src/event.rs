//! What happens during a run: the contract between the engine and its reporters.

use std::time::Duration;

/// How a step that succeeded left the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The world already fitted; nothing was changed.
    Unchanged(String),
    /// Something was changed, and the result was verified.
    Changed(String),
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A run begins; `steps` is the number of steps in its plan.
    RunStarted {
        lab: String,
        steps: usize,
    },
    StepStarted {
        id: String,
        title: String,
    },
    /// The last thing a running step saw or did.
    StepProgress {
        id: String,
        note: String,
    },
    StepDone {
        id: String,
        title: String,
        outcome: Outcome,
        took: Duration,
    },
    StepFailed {
        id: String,
        title: String,
        took: Duration,
    },
    /// A line of a job's log.
    JobLog {
        line: String,
    },
    /// The run is over; `changed` counts the steps that changed something.
    RunDone {
        lab: String,
        changed: usize,
        took: Duration,
    },
}

/// Where events go.
pub trait Sink {
    fn emit(&self, event: Event);
}

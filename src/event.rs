//! What happens during a run: the contract between the engine and its reporters, and what
//! `--output json` prints, one event a line.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::dags::DagRun;
use crate::smoke::verdict::Verdict;

/// How a step that succeeded left the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(into = "Change")]
pub enum Outcome {
    /// The world already fitted; nothing was changed.
    Unchanged(String),
    /// Something was changed, and the result was verified.
    Changed(String),
}

/// An outcome as programs read it.
#[derive(Serialize, JsonSchema)]
struct Change {
    /// False where the world already fitted.
    changed: bool,
    /// What is there now, in words.
    detail: String,
}

impl From<Outcome> for Change {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Unchanged(detail) => Self { changed: false, detail },
            Outcome::Changed(detail) => Self { changed: true, detail },
        }
    }
}

/// A step that is to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Planned {
    pub id: String,
    pub title: String,
}

/// How a run came to stop before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Stop {
    /// By a signal.
    Interrupted,
    /// It was killed, or the machine stopped.
    CutOff,
    /// A step failed.
    Failed,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    /// A run begins: all its steps, in an order in which they can run.
    RunStarted { lab: String, steps: Vec<Planned> },
    /// The lab's last run stopped before its end; this one goes on from there.
    GoesOn {
        /// What was typed: `lab up`.
        verb: String,
        /// When it did, as RFC 3339 has it.
        began: String,
        process: u32,
        stop: Stop,
        /// Steps that had begun and were not done; where one failed, that one.
        steps: Vec<String>,
    },
    /// A step begins; others may run beside it.
    StepStarted { id: String, title: String },
    /// The last thing a running step saw or did.
    StepProgress { id: String, note: String },
    /// A step has come to its end, and what it promises is so.
    StepDone {
        id: String,
        title: String,
        outcome: Outcome,
        #[serde(rename = "seconds", serialize_with = "seconds")]
        #[schemars(with = "f64")]
        took: Duration,
    },
    /// A step has failed; the last line says why.
    StepFailed {
        id: String,
        title: String,
        #[serde(rename = "seconds", serialize_with = "seconds")]
        #[schemars(with = "f64")]
        took: Duration,
    },
    /// The judgement on the smoke job, of now or of an earlier run whose verdict still holds.
    SmokeJudged { verdict: Verdict },
    /// A run of a DAG: that it was begun, or how it ended.
    DagRun { run: DagRun },
    /// A line of a job's log.
    JobLog { line: String },
    /// Something to know, which does not stop the run.
    Warning(Warning),
    /// All steps are done; `changed` counts those that changed something, `unchanged` those that had nothing to do.
    RunDone {
        lab: String,
        changed: usize,
        unchanged: usize,
        #[serde(rename = "seconds", serialize_with = "seconds")]
        #[schemars(with = "f64")]
        took: Duration,
    },
    /// The program ends: always the last line.
    End(Ending),
}

/// What does not stop a run and should be known all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Warning {
    /// Never changes its meaning; docs/output.md lists them.
    pub id: &'static str,
    /// What is so.
    pub what: String,
    /// The command or action that mends it, where there is something to mend.
    pub next: Option<String>,
}

impl Warning {
    pub fn new(id: &'static str, what: impl Into<String>) -> Self {
        Self { id, what: what.into(), next: None }
    }

    #[must_use]
    pub fn next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }
}

/// In one line: what is so, and what mends it.
impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.next {
            Some(next) => write!(f, ": {next}"),
            None => Ok(()),
        }
    }
}

/// How the program ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ending {
    /// The exit code of the process.
    pub exit_code: u8,
    /// What kind of end the exit code stands for: `ok`, or the heading under which people see the error.
    pub kind: String,
    pub error: Option<Trouble>,
}

/// An error in its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Trouble {
    /// What failed.
    pub what: String,
    /// Why, from the nearest cause to the deepest.
    pub causes: Vec<String>,
    /// The object that is most likely to blame, with its reason, events and last lines.
    pub culprit: Option<String>,
    /// Id and cause of the known failure that the error's words show; docs/failures.md lists them.
    pub known: Option<KnownFailure>,
    /// The folder with everything that explains it.
    pub diagnostics: Option<String>,
    /// The next command or action.
    pub next: Option<String>,
}

/// A failure that others had before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KnownFailure {
    /// Never changes its meaning.
    pub id: String,
    pub cause: String,
}

/// Seconds, to the millisecond.
fn seconds<S: Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((took.as_secs_f64() * 1000.0).round() / 1000.0)
}

/// Where events go.
pub trait Sink {
    fn emit(&self, event: Event);

    fn warn(&self, warning: Warning) {
        self.emit(Event::Warning(warning));
    }
}

//! A run as JUnit XML: a case for each step, and one for each claim of the smoke verdict.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite, XmlString};

use super::file;
use crate::event::{Ending, Event, Outcome, Planned, Sink, Trouble};
use crate::smoke::verdict::Verdict;

/// A sink that collects and, at the end, writes.
pub struct Junit {
    path: PathBuf,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    steps: Vec<Step>,
    verdict: Option<Verdict>,
    took: Option<Duration>,
}

struct Step {
    planned: Planned,
    state: State,
}

enum State {
    Waiting,
    Running,
    Done(Outcome, Duration),
    Failed(Duration),
}

impl Junit {
    /// # Errors
    /// [`crate::fault::Kind::Usage`] when the file could not be written at the end.
    pub fn new(path: &Path) -> Result<Self> {
        file::can_be_written("--junit", path)?;
        Ok(Self { path: path.to_owned(), seen: Mutex::default() })
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// [`crate::fault::Kind::Host`] when that fails after all.
    pub fn write(&self, ending: &Ending) -> Result<()> {
        write(&self.path, &report(&self.seen.lock().unwrap_or_else(PoisonError::into_inner), ending))
    }
}

/// Writes a report, whole or not at all.
pub fn write(path: &Path, report: &Report) -> Result<()> {
    file::write(path, &report.to_string()?)
}

impl Sink for Junit {
    fn emit(&self, event: Event) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::RunStarted { steps, .. } => {
                seen.steps = steps.into_iter().map(|planned| Step { planned, state: State::Waiting }).collect();
            }
            Event::StepStarted { id, .. } => seen.set(&id, State::Running),
            Event::StepDone { id, outcome, took, .. } => seen.set(&id, State::Done(outcome, took)),
            Event::StepFailed { id, took, .. } => seen.set(&id, State::Failed(took)),
            Event::SmokeJudged { verdict } => seen.verdict = Some(verdict),
            Event::RunDone { took, .. } => seen.took = Some(took),
            Event::GoesOn { .. }
            | Event::StepProgress { .. }
            | Event::JobLog { .. }
            | Event::DagRun { .. }
            | Event::Warning(_)
            | Event::End(_) => {}
        }
    }
}

impl Seen {
    fn set(&mut self, id: &str, state: State) {
        if let Some(step) = self.steps.iter_mut().find(|step| step.planned.id == id) {
            step.state = state;
        }
    }
}

fn report(seen: &Seen, ending: &Ending) -> Report {
    let mut up = TestSuite::new("lab up");
    up.add_test_cases(seen.steps.iter().map(|step| of_step(step, ending)));
    let carried = seen.steps.iter().any(|step| matches!(step.state, State::Failed(_)));
    if let Some(trouble) = ending.error.as_ref().filter(|_| !carried) {
        // No step failed: the run was stopped, or never began.
        let mut case = TestCase::new("end", failure(NonSuccessKind::Error, &ending.kind, trouble));
        case.set_classname("lab.up");
        up.add_test_case(case);
    }
    if let Some(took) = seen.took {
        up.set_time(took);
    }
    let mut report = Report::new("lab");
    report.add_test_suite(up);
    if let Some(verdict) = &seen.verdict {
        report.add_test_suite(smoke(verdict));
    }
    report
}

fn of_step(step: &Step, ending: &Ending) -> TestCase {
    let skipped = |why: String| {
        let mut status = TestCaseStatus::skipped();
        status.set_message(why);
        (status, None, None)
    };
    let (status, took, output) = match &step.state {
        State::Waiting => skipped("not reached".to_owned()),
        State::Running => skipped(format!("cut short: {}", ending.kind)),
        State::Done(outcome, took) => {
            let text = match outcome {
                Outcome::Unchanged(detail) => format!("as it was: {detail}"),
                Outcome::Changed(detail) => format!("done: {detail}"),
            };
            (TestCaseStatus::success(), Some(took), Some(text))
        }
        State::Failed(took) => {
            let status = match &ending.error {
                Some(trouble) => failure(NonSuccessKind::Failure, &ending.kind, trouble),
                None => TestCaseStatus::non_success(NonSuccessKind::Failure),
            };
            (status, Some(took), None)
        }
    };
    let mut case = TestCase::new(step.planned.id.as_str(), status);
    case.set_classname("lab.up").add_property(("title", step.planned.title.as_str()));
    if let Some(took) = took {
        case.set_time(*took);
    }
    if let Some(output) = output {
        case.set_system_out(output);
    }
    case
}

fn failure(kind: NonSuccessKind, heading: &str, trouble: &Trouble) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    let next = trouble.next.iter().map(|next| format!("next: {next}"));
    let text: Vec<String> = trouble.causes.iter().cloned().chain(next).collect();
    status.set_type(heading).set_message(trouble.what.as_str()).set_description(text.join("\n"));
    status
}

fn smoke(verdict: &Verdict) -> TestSuite {
    let mut suite = TestSuite::new("smoke");
    suite.add_test_cases(verdict.claims.iter().map(|claim| case("lab.smoke", claim.id.as_str(), &claim.problems)));
    suite
}

/// Something that was judged: wrong where there is a problem.
pub fn case(class: &str, name: impl Into<XmlString>, problems: &[String]) -> TestCase {
    let status = match problems.first() {
        None => TestCaseStatus::success(),
        Some(first) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type("wrong result").set_message(first.as_str()).set_description(problems.join("\n"));
            status
        }
    };
    let mut case = TestCase::new(name, status);
    case.set_classname(class);
    case
}

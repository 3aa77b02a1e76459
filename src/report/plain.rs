//! One line an event: for logs, CI and pipes.

use super::{dag_run, duration, moment, talk};
use crate::event::{Event, Outcome, Sink, Stop};

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
        Event::GoesOn { verb, began, process, stop, steps } => {
            let began = began.parse().map_or_else(|_| began.clone(), moment);
            let how = match stop {
                Stop::Interrupted => "was interrupted",
                Stop::CutOff => "was cut off",
                Stop::Failed => "failed",
            };
            let place = if steps.is_empty() { String::new() } else { format!(" in: {}", steps.join(", ")) };
            format!("the last `{verb}` ({began}, process {process}) {how}{place}; going on from there")
        }
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
        Event::DagRun { run } => dag_run(run),
        Event::Warning(warning) => format!("warning: {warning}"),
        Event::RunDone { lab, changed: 0, took, .. } => format!("lab {lab}: nothing changed ({})", duration(*took)),
        Event::RunDone { lab, unchanged: 0, took, .. } => format!("lab {lab}: done ({})", duration(*took)),
        Event::RunDone { lab, changed, unchanged, took } => {
            let steps = changed + unchanged;
            format!("lab {lab}: done, {unchanged} of {steps} steps fitted already ({})", duration(*took))
        }
        Event::SmokeJudged { .. } | Event::End(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Event, Stop, line};

    #[test]
    fn what_became_of_the_last_run_is_one_line() {
        let said = |stop, steps: &[&str]| {
            let steps = steps.iter().map(|step| (*step).to_owned()).collect();
            let began = "2026-11-21T08:00:12Z".to_owned();
            line(&Event::GoesOn { verb: "lab up".to_owned(), began, process: 4711, stop, steps }).unwrap()
        };
        let start = "the last `lab up` (2026-11-21 08:00:12 UTC, process 4711) ";
        let end = "; going on from there";
        let cut_off = format!("{start}was cut off in: cluster, prefetch{end}");
        assert_eq!(said(Stop::CutOff, &["cluster", "prefetch"]), cut_off);
        assert_eq!(said(Stop::Interrupted, &[]), format!("{start}was interrupted{end}"));
        assert_eq!(said(Stop::Failed, &["smoke"]), format!("{start}failed in: smoke{end}"));
    }

    #[test]
    fn what_had_nothing_to_do_is_counted() {
        let said = |changed, unchanged| {
            let (lab, took) = ("lab".to_owned(), Duration::from_mins(1));
            line(&Event::RunDone { lab, changed, unchanged, took }).unwrap()
        };
        assert_eq!(said(0, 17), "lab lab: nothing changed (1 min 0 s)");
        assert_eq!(said(17, 0), "lab lab: done (1 min 0 s)");
        assert_eq!(said(12, 5), "lab lab: done, 5 of 17 steps fitted already (1 min 0 s)");
    }
}

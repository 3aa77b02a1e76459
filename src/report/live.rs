//! A live display: one spinner line for each step that runs, finished steps above.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{duration, plain};
use crate::event::{Event, Outcome, Sink};

pub struct Live {
    display: MultiProgress,
    running: Mutex<HashMap<String, ProgressBar>>,
}

impl Live {
    pub fn new() -> Self {
        Self { display: MultiProgress::new(), running: Mutex::default() }
    }

    fn say(&self, line: &str) {
        // The display is gone only when the terminal is: then nobody reads the line either.
        drop(self.display.println(line));
    }

    fn finish(&self, id: &str) {
        if let Some(bar) = self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(id) {
            bar.finish_and_clear();
        }
    }
}

impl Sink for Live {
    fn emit(&self, event: Event) {
        match &event {
            Event::StepStarted { id, title } => {
                let style = ProgressStyle::with_template("{spinner:.cyan} {prefix} {elapsed:.dim} {wide_msg:.dim}");
                let bar = ProgressBar::new_spinner();
                let bar = self.display.add(style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style)));
                bar.set_prefix(title.clone());
                bar.enable_steady_tick(Duration::from_millis(120));
                self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), bar);
            }
            Event::StepProgress { id, note } => {
                if let Some(bar) = self.running.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
                    bar.set_message(note.lines().next().unwrap_or_default().to_owned());
                }
            }
            Event::StepDone { id, title, outcome, took } => {
                self.finish(id);
                let (mark, detail) = match outcome {
                    Outcome::Unchanged(detail) => ("\u{1b}[2m=\u{1b}[0m", detail),
                    Outcome::Changed(detail) => ("\u{1b}[32m✓\u{1b}[0m", detail),
                };
                self.say(&format!("{mark} {title} \u{1b}[2m{detail}, {}\u{1b}[0m", duration(*took)));
            }
            Event::StepFailed { id, title, took } => {
                self.finish(id);
                self.say(&format!("\u{1b}[31m✗\u{1b}[0m {title} \u{1b}[2m{}\u{1b}[0m", duration(*took)));
            }
            _ => {
                if let Some(line) = plain::line(&event) {
                    self.say(&line);
                }
            }
        }
    }
}

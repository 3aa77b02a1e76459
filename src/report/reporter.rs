//! What a run says goes to several places at once, and so does its end.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Result;

use super::lines::Lines;
use super::{Format, Junit, ending, plain, sink, talk};
use crate::event::{Ending, Event, Sink};

/// How the command line wants a run to be reported.
pub struct Wishes {
    pub format: Format,
    /// Plain lines, no live display.
    pub ci: bool,
    pub junit: Option<PathBuf>,
}

impl Default for Wishes {
    fn default() -> Self {
        Self { format: Format::Text, ci: true, junit: None }
    }
}

/// All sinks of this process, from its start to its end.
pub struct Reporter {
    /// The only one that prints; lines on standard output or talk on standard error.
    printer: Mutex<Box<dyn Sink + Send>>,
    format: Format,
    junit: Option<Junit>,
}

impl Reporter {
    pub fn new(wishes: &Wishes) -> Self {
        let printer: Box<dyn Sink + Send> = match wishes.format {
            Format::Json => Box::new(Lines::default()),
            Format::Text => sink(wishes.ci),
        };
        Self { printer: Mutex::new(printer), format: wishes.format, junit: None }
    }

    /// Keeps a report of all steps as well, to be written at the end.
    ///
    /// # Errors
    /// [`crate::fault::Kind::Usage`] when the file could not be written then.
    pub fn add_junit(&mut self, path: &Path) -> Result<()> {
        self.junit = Some(Junit::new(path)?);
        Ok(())
    }

    /// Takes a live display off the terminal: what is said from here on are lines.
    pub fn leave_terminal(&self) {
        if self.format == Format::Text {
            *self.printer.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(plain::Plain);
        }
    }

    /// Says how the program ends, everywhere; returns its exit code.
    pub fn end(&self, mut result: Result<()>) -> u8 {
        let written = self.junit.as_ref().map_or(Ok(()), |junit| junit.write(&Ending::of(&result)));
        if let Err(error) = written {
            // The run's own error is the one that counts.
            match &result {
                Ok(()) => result = Err(error),
                Err(_) => talk(&format!("{error:#}")),
            }
        }
        let ending = Ending::of(&result);
        self.print(Event::End(ending.clone()));
        self.leave_terminal();
        ending::error(&ending);
        ending.exit_code
    }

    fn print(&self, event: Event) {
        self.printer.lock().unwrap_or_else(PoisonError::into_inner).emit(event);
    }
}

impl Sink for Reporter {
    fn emit(&self, event: Event) {
        if let Some(junit) = &self.junit {
            junit.emit(event.clone());
        }
        self.print(event);
    }
}

//! What runs did, one JSON line an event, in the lab's folder of state.
//!
//! It says what became of the last run, and nothing else: every step looks at the world itself. So whatever
//! the file holds is read as far as it can be read, and a run goes on where it cannot be written.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Result;
use fs_err::os::unix::fs::OpenOptionsExt as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::{Event, Outcome, Sink, Stop, Warning};
use crate::exec::host;

/// The version of the lines; those of others are not understood.
const VERSION: u32 = 1;
/// How many runs are kept.
const KEPT: usize = 20;
/// No more than the file's last bytes are read.
const READ: u64 = 1 << 20;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    version: u32,
    /// Made up for each run.
    run: String,
    at: Timestamp,
    process: u32,
    /// The version of `lab`.
    lab: String,
    /// What was typed: `lab up`.
    verb: String,
    #[serde(flatten)]
    entry: Entry,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Entry {
    RunStarted,
    StepStarted { step: String },
    StepDone { step: String, changed: bool },
    StepFailed { step: String },
    RunDone,
    RunFailed,
    RunInterrupted,
}

/// Writes down what passes through on its way to a sink. Only who holds the lab's lock may have one.
pub struct Journal<'a> {
    sink: &'a dyn Sink,
    run: String,
    verb: &'static str,
    /// How the run before this one ended, where it did not end well.
    past: Option<Event>,
    /// None after the first line that could not be written.
    file: RefCell<Option<File>>,
    /// The last run was cut off in the middle of a line.
    torn: Cell<bool>,
    open: Cell<bool>,
    failed: Cell<bool>,
}

fn path(state: &Path) -> PathBuf {
    state.join("journal")
}

impl<'a> Journal<'a> {
    /// Reads what became of the last run, and opens the file for this one.
    pub fn open(state: &Path, verb: &'static str, sink: &'a dyn Sink) -> Self {
        let path = path(state);
        let text = read(&path).unwrap_or_else(|error| {
            tracing::debug!("the journal cannot be read: {error:#}");
            Vec::new()
        });
        let lines = parse(&text);
        let file = shorten(&path, &lines).and_then(|()| append_to(&path));
        let run = {
            use rand::RngExt as _;
            format!("{:016x}", rand::rng().random::<u64>())
        };
        Self {
            sink,
            run,
            verb,
            past: past(&lines),
            file: RefCell::new(file.map_err(|error| complain(sink, &error)).ok()),
            torn: Cell::new(text.last().is_some_and(|byte| *byte != b'\n')),
            open: Cell::new(false),
            failed: Cell::new(false),
        }
    }

    /// The run begins.
    pub fn started(&self) {
        self.open.set(true);
        self.record(Entry::RunStarted);
    }

    /// The run came to its end.
    pub fn done(&self) {
        self.open.set(false);
        self.record(Entry::RunDone);
    }

    /// Removes the file where there is one.
    ///
    /// # Errors
    /// When it stays.
    pub fn remove(state: &Path) -> Result<()> {
        match fs_err::remove_file(path(state)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Writes a line, and waits until the disk has it.
    fn record(&self, entry: Entry) {
        self.write(entry, File::sync_data);
    }

    fn write(&self, entry: Entry, settle: impl FnOnce(&File) -> std::io::Result<()>) {
        let mut slot = self.file.borrow_mut();
        let Some(file) = slot.as_mut() else { return };
        let line = Line {
            version: VERSION,
            run: self.run.clone(),
            at: Timestamp::now(),
            process: std::process::id(),
            lab: env!("CARGO_PKG_VERSION").to_owned(),
            verb: self.verb.to_owned(),
            entry,
        };
        let mut text = serde_json::to_vec(&line).unwrap_or_default();
        text.push(b'\n');
        if self.torn.take() {
            text.insert(0, b'\n');
        }
        // In one piece: a file opened for appending takes it whole or, on a full disk, in part.
        if let Err(error) = file.write_all(&text).and_then(|()| settle(file)) {
            complain(self.sink, &error);
            *slot = None;
        }
    }
}

fn complain(sink: &dyn Sink, error: &std::io::Error) {
    sink.warn(Warning::new("journal", format!("the journal cannot be written, the run goes on without: {error}")));
}

impl Sink for Journal<'_> {
    fn emit(&self, event: Event) {
        match &event {
            Event::RunStarted { .. } => self.started(),
            Event::StepStarted { id, .. } => self.record(Entry::StepStarted { step: id.clone() }),
            Event::StepDone { id, outcome, .. } => {
                let changed = matches!(outcome, Outcome::Changed(_));
                self.record(Entry::StepDone { step: id.clone(), changed });
            }
            Event::StepFailed { id, .. } => {
                self.failed.set(true);
                self.record(Entry::StepFailed { step: id.clone() });
            }
            Event::RunDone { .. } => self.done(),
            _ => {}
        }
        let started = matches!(event, Event::RunStarted { .. });
        self.sink.emit(event);
        if started && let Some(past) = &self.past {
            self.sink.emit(past.clone());
        }
    }
}

/// The run is over before it was done.
impl Drop for Journal<'_> {
    fn drop(&mut self) {
        if self.open.get() {
            let entry = if self.failed.get() { Entry::RunFailed } else { Entry::RunInterrupted };
            // Nobody who pressed Ctrl-C waits for a disk.
            self.write(entry, |_| Ok(()));
        }
    }
}

/// The last bytes of the file, none where there is no file.
fn read(path: &Path) -> Result<Vec<u8>> {
    // Whatever else stands there, opening it must not wait.
    let nonblocking = nix::fcntl::OFlag::O_NONBLOCK.bits();
    let mut file = match fs_err::OpenOptions::new().read(true).custom_flags(nonblocking).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?.into_parts().0,
    };
    let metadata = file.metadata()?;
    let mut text = Vec::new();
    if metadata.is_file() {
        file.seek(SeekFrom::Start(metadata.len().saturating_sub(READ)))?;
        file.take(READ).read_to_end(&mut text)?;
    }
    Ok(text)
}

/// The lines that can be understood.
fn parse(text: &[u8]) -> Vec<Line> {
    let mut lines = Vec::new();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice::<Line>(line) {
            Ok(line) if line.version == VERSION && line.is_plain() => lines.push(line),
            Ok(line) => tracing::debug!(line.version, "a line of the journal is of another version"),
            Err(error) => tracing::debug!(%error, "a line of the journal cannot be read"),
        }
    }
    lines
}

impl Line {
    /// Its words are such as we write, and can be shown.
    fn is_plain(&self) -> bool {
        let step = match &self.entry {
            Entry::StepStarted { step } | Entry::StepDone { step, .. } | Entry::StepFailed { step } => step,
            _ => "",
        };
        let plain = |word: &str| word.chars().all(|letter| letter.is_ascii_alphanumeric() || "- ".contains(letter));
        [step, &self.verb, &self.run].into_iter().all(plain)
    }
}

/// What became of the last run, none where it came to its end.
fn past(lines: &[Line]) -> Option<Event> {
    let run = &lines.last()?.run;
    let (mut open, mut failed, mut stop) = (Vec::new(), Vec::new(), Stop::CutOff);
    let mut of_run = lines.iter().filter(|line| line.run == *run).peekable();
    let first = (*of_run.peek()?).clone();
    for line in of_run {
        match &line.entry {
            Entry::RunStarted => {}
            Entry::StepStarted { step } => open.push(step.clone()),
            Entry::StepDone { step, .. } => open.retain(|open| open != step),
            Entry::StepFailed { step } => failed.push(step.clone()),
            Entry::RunDone => return None,
            Entry::RunFailed => stop = Stop::Failed,
            Entry::RunInterrupted => stop = Stop::Interrupted,
        }
    }
    let steps = if failed.is_empty() { open } else { failed };
    let began = Timestamp::from_second(first.at.as_second()).unwrap_or_default().to_string();
    Some(Event::GoesOn { verb: first.verb, began, process: first.process, stop, steps })
}

/// Writes the file anew without its oldest runs, where it has become long.
fn shorten(path: &Path, lines: &[Line]) -> std::io::Result<()> {
    let mut newest = BTreeSet::new();
    let kept: Vec<&Line> = lines
        .iter()
        .rev()
        // The run that begins is one as well.
        .take_while(|line| newest.contains(&line.run) || (newest.len() < KEPT - 1 && newest.insert(line.run.clone())))
        .collect();
    let long = fs_err::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() > READ);
    if kept.len() == lines.len() && !long {
        return Ok(());
    }
    let mut text = Vec::new();
    for line in kept.into_iter().rev() {
        text.extend(serde_json::to_vec(line)?);
        text.push(b'\n');
    }
    let other = path.with_extension("new");
    let mut file = host::open_private(&other)?;
    file.set_len(0)?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs_err::rename(&other, path)?;
    sync_folder(path)
}

fn append_to(path: &Path) -> std::io::Result<File> {
    let fresh = !path.exists();
    let nonblocking = nix::fcntl::OFlag::O_NONBLOCK.bits();
    let mut options = fs_err::OpenOptions::new();
    options.append(true).create(true).mode(0o600).custom_flags(nonblocking);
    let file = options.open(path)?.into_parts().0;
    if fresh {
        sync_folder(path)?;
    }
    Ok(file)
}

/// A new name is on the disk when its folder is.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests;

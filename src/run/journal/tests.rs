//! What is read back from a file that was written well, badly, or by somebody else.

use std::cell::RefCell;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use super::{Event, Journal, KEPT, Outcome, READ, Sink, Stop, past, path, read};

#[derive(Default)]
struct Said(RefCell<Vec<Event>>);

impl Sink for Said {
    fn emit(&self, event: Event) {
        self.0.borrow_mut().push(event);
    }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        // In memory, where that is to be had: these tests write often, and wait for the disk each time.
        Self(tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap())
    }

    fn journal(&self) -> PathBuf {
        path(self.0.path())
    }

    fn lines(&self) -> Vec<super::Line> {
        super::parse(&read(&self.journal()).unwrap())
    }

    /// A run that emits these events and is over then; what it said of the run before it.
    fn run(&self, events: Vec<Event>) -> Option<Event> {
        let said = Said::default();
        let journal = Journal::open(self.0.path(), "lab up", &said);
        for event in events {
            journal.emit(event);
        }
        drop(journal);
        said.0.into_inner().into_iter().find(|event| matches!(event, Event::GoesOn { .. }))
    }

    fn steps_of_last(&self) -> Option<(Stop, Vec<String>)> {
        match past(&self.lines())? {
            Event::GoesOn { stop, steps, .. } => Some((stop, steps)),
            other => panic!("{other:?}"),
        }
    }
}

fn run_started() -> Event {
    Event::RunStarted { lab: "lab".to_owned(), steps: vec![] }
}

fn started(id: &str) -> Event {
    Event::StepStarted { id: id.to_owned(), title: "title".to_owned() }
}

fn done(id: &str) -> Event {
    let outcome = Outcome::Changed("all".to_owned());
    Event::StepDone { id: id.to_owned(), title: "title".to_owned(), outcome, took: Duration::ZERO }
}

fn failed(id: &str) -> Event {
    Event::StepFailed { id: id.to_owned(), title: "title".to_owned(), took: Duration::ZERO }
}

fn run_done() -> Event {
    Event::RunDone { lab: "lab".to_owned(), changed: 1, unchanged: 1, took: Duration::ZERO }
}

fn words(steps: &[&str]) -> Vec<String> {
    steps.iter().map(|step| (*step).to_owned()).collect()
}

#[test]
fn the_next_run_says_what_became_of_the_last() {
    let folder = Folder::new();
    assert_eq!(folder.run(vec![run_started(), started("images"), done("images"), run_done()]), None);
    assert_eq!(folder.run(vec![run_started(), started("images"), done("images"), started("cluster")]), None);
    let Some(Event::GoesOn { verb, began, process, stop, steps }) = folder.run(vec![run_started(), failed("push")])
    else {
        panic!("nothing was said")
    };
    assert_eq!((verb.as_str(), process), ("lab up", std::process::id()));
    assert!(began.parse::<jiff::Timestamp>().is_ok(), "{began}");
    assert_eq!((stop, steps), (Stop::Interrupted, words(&["cluster"])));
    assert_eq!(folder.steps_of_last(), Some((Stop::Failed, words(&["push"]))));
    // Before the first step nothing has begun: a machine that is not fit is no run.
    assert_eq!(folder.run(vec![]), None);
    assert_eq!(folder.steps_of_last(), Some((Stop::Failed, words(&["push"]))));
}

#[test]
fn a_run_that_was_killed_has_no_last_word() {
    let folder = Folder::new();
    let said = Said::default();
    let journal = Journal::open(folder.0.path(), "lab up", &said);
    for event in [run_started(), started("images"), started("cluster"), done("images")] {
        journal.emit(event);
    }
    std::mem::forget(journal);
    assert_eq!(folder.steps_of_last(), Some((Stop::CutOff, words(&["cluster"]))));
}

#[test]
fn the_file_is_private() {
    let folder = Folder::new();
    folder.run(vec![run_started(), run_done()]);
    assert_eq!(fs_err::metadata(folder.journal()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn only_the_last_runs_are_kept() {
    let folder = Folder::new();
    for _ in 0..KEPT + 5 {
        assert_eq!(folder.run(vec![run_started(), started("images"), done("images"), run_done()]), None);
    }
    let runs: std::collections::BTreeSet<String> = folder.lines().into_iter().map(|line| line.run).collect();
    assert_eq!((runs.len(), folder.lines().len()), (KEPT, KEPT * 4));
    assert_eq!(fs_err::metadata(folder.journal()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs_err::read_dir(folder.0.path()).unwrap().count(), 1);
}

/// A file of two runs: one that came to its end, one that was cut off in `cluster`.
fn two_runs() -> (Folder, Vec<u8>) {
    let folder = Folder::new();
    folder.run(vec![run_started(), started("images"), done("images"), run_done()]);
    folder.run(vec![run_started(), started("images"), done("images"), started("cluster")]);
    let text = fs_err::read(folder.journal()).unwrap();
    (folder, text)
}

/// What follows a cut is read as well: the next run does not write into a torn line.
#[test]
fn cut_off_at_any_byte_it_is_read_as_far_as_it_goes() {
    let (folder, text) = two_runs();
    let whole = folder.lines().len();
    for length in 0..text.len() {
        fs_err::write(folder.journal(), &text[..length]).unwrap();
        let readable = folder.lines().len();
        let full = text[..length].split(|byte| *byte == b'\n').count() - 1;
        // The line feed at the end of a line may be what is missing.
        assert!(readable == full || readable == full + 1 && text[length] == b'\n', "{readable} of {full} at {length}");
        assert!(readable < whole || length + 1 == text.len());
        folder.run(vec![run_started(), started("smoke")]);
        assert_eq!(folder.lines().len(), readable + 3, "at {length}");
        assert_eq!(folder.steps_of_last(), Some((Stop::Interrupted, words(&["smoke"]))), "at {length}");
    }
}

#[test]
fn a_flipped_bit_costs_no_more_than_two_lines() {
    let (folder, text) = two_runs();
    let whole = folder.lines().len();
    for position in 0..text.len() {
        for bit in [0x01, 0x10, 0x80] {
            let mut flipped = text.clone();
            flipped[position] ^= bit;
            let lines = super::parse(&flipped);
            assert!(lines.len() + 2 >= whole, "{} of {whole} at {position}", lines.len());
            drop(past(&lines));
        }
    }
}

#[test]
fn what_is_not_ours_is_passed_over() {
    let (folder, text) = two_runs();
    let newer = String::from_utf8(text.clone()).unwrap().replace("\"version\":1", "\"version\":2");
    let strange = String::from_utf8(text).unwrap().replace("cluster", "\\u001b[31m");
    for garbage in ["\u{0}\u{0}\n", "[]\n", "\"line\"\n", "{}\n", "null", &newer, &"[".repeat(10_000), "\u{feff}"] {
        fs_err::write(folder.journal(), garbage).unwrap();
        assert_eq!(folder.steps_of_last(), None, "{garbage:.40}");
        folder.run(vec![run_started(), started("smoke")]);
        assert_eq!(folder.steps_of_last(), Some((Stop::Interrupted, words(&["smoke"]))), "{garbage:.40}");
    }
    fs_err::write(folder.journal(), strange).unwrap();
    assert_eq!(folder.steps_of_last(), Some((Stop::Interrupted, vec![])));
    fs_err::write(folder.journal(), b"\xff\xfe\xc3\x28\n").unwrap();
    assert_eq!(folder.steps_of_last(), None);
}

#[test]
fn a_file_without_end_is_read_from_its_end_and_made_short() {
    let (folder, text) = two_runs();
    let file = fs_err::OpenOptions::new().write(true).open(folder.journal()).unwrap();
    file.set_len(0).unwrap();
    // A hole, so that it costs no disk.
    file.set_len(100 << 20).unwrap();
    drop(file);
    assert!(read(&folder.journal()).unwrap().len() as u64 <= READ);
    let mut long = fs_err::OpenOptions::new().append(true).open(folder.journal()).unwrap();
    std::io::Write::write_all(&mut long, &[b"\n", text.as_slice()].concat()).unwrap();
    assert_eq!(folder.steps_of_last(), Some((Stop::Interrupted, words(&["cluster"]))));
    folder.run(vec![run_started(), run_done()]);
    assert!(fs_err::metadata(folder.journal()).unwrap().len() < 10_000);
    assert_eq!(folder.lines().first().map(|line| line.entry.clone()), Some(super::Entry::RunStarted));
}

/// A directory, a pipe nobody reads from, a full disk, a folder that is not there: the run goes on, and it is said once.
#[test]
fn where_nothing_can_be_written_the_run_goes_on() {
    let full = |path: PathBuf| std::os::unix::fs::symlink("/dev/full", path).unwrap();
    let pipe = |path: PathBuf| nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let make: [(&str, &dyn Fn(PathBuf)); 4] = [
        ("a directory", &|path| fs_err::create_dir(path).unwrap()),
        ("a full disk", &full),
        ("a pipe", &pipe),
        ("no folder", &|path| fs_err::remove_dir(path.parent().unwrap()).unwrap()),
    ];
    for (name, make) in make {
        let folder = Folder::new();
        make(folder.journal());
        let said = Said::default();
        let journal = Journal::open(folder.0.path(), "lab up", &said);
        let events = vec![run_started(), started("images"), done("images"), run_done()];
        for event in events.clone() {
            journal.emit(event);
        }
        drop(journal);
        let (warnings, rest): (Vec<Event>, Vec<Event>) =
            said.0.into_inner().into_iter().partition(|event| matches!(event, Event::Warning(_)));
        assert_eq!(rest, events, "{name}");
        let [Event::Warning(warning)] = &warnings[..] else { panic!("{name}: {warnings:?}") };
        assert!(warning.what.starts_with("the journal cannot be written, the run goes on without: "), "{warning}");
    }
}

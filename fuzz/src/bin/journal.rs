//! The journal of runs, whatever the file holds: a run goes on, and what it says of the last one can be shown.

#![no_main]

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::LazyLock;

use lab::event::{Event, Sink};
use lab::report;
use lab::run::Journal;
use libfuzzer_sys::fuzz_target;

/// The lab's folder of state.
static STATE: LazyLock<PathBuf> = LazyLock::new(|| {
    let state = std::env::temp_dir().join("lab-fuzz-journal");
    std::fs::create_dir_all(&state).expect("a folder for the journal");
    state
});

#[derive(Default)]
struct Heard(RefCell<Vec<Event>>);

impl Sink for Heard {
    fn emit(&self, event: Event) {
        self.0.borrow_mut().push(event);
    }
}

fuzz_target!(|bytes: &[u8]| {
    std::fs::write(STATE.join("journal"), bytes).expect("a journal");
    for event in run() {
        if let Event::GoesOn { verb, began, steps, .. } = &event {
            let words = [verb, began].into_iter().chain(steps);
            assert!(words.clone().all(|word| !word.contains(char::is_control)), "{words:?}");
        }
        report::line(event).expect("an event is JSON");
    }
    let again = run();
    assert!(matches!(again.as_slice(), [Event::RunStarted { .. }, Event::RunDone { .. }]), "{again:?}");
});

/// A run from its beginning to its end; what it says.
fn run() -> Vec<Event> {
    let heard = Heard::default();
    let journal = Journal::open(&STATE, "lab up", &heard);
    journal.emit(Event::RunStarted { lab: "lab".to_owned(), steps: Vec::new() });
    journal.emit(Event::RunDone { lab: "lab".to_owned(), changed: 0, unchanged: 0, took: Default::default() });
    drop(journal);
    heard.0.into_inner()
}

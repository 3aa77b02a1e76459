//! Events and results → people. The only place that prints: stdout is data, stderr is talk.

mod dags;
mod daily;
mod document;
mod ending;
mod file;
mod findings;
mod junit;
mod lines;
mod live;
mod plain;
mod reporter;
mod status;
mod text;
mod verify;

use std::io::{IsTerminal as _, Write as _};
use std::ops::ControlFlow;

use crate::event::Sink;
use crate::exec::host;
use document::json_line;

use dags::dag_run;
pub use dags::dags;
pub use daily::{logins, logs};
pub use document::{
    Archive, Document, FindingList, ImageList, Kubeconfig, ListedImage, ListedProblem, LockList, ProblemList,
    SettingList, bare_json, json, schemas,
};
pub use file::can_be_written;
pub use findings::findings;
pub use junit::Junit;
pub use lines::line;
pub use reporter::{Reporter, Wishes};
pub use status::status;
pub use text::{diff, down, images, plan};
pub use verify::{proof, proof_junit, proof_page};

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Lines for a log, or a live display for a terminal.
fn sink(ci: bool) -> Box<dyn Sink + Send> {
    if ci || host::variable("NO_COLOR").is_some() || !std::io::stderr().is_terminal() {
        Box::new(plain::Plain)
    } else {
        Box::new(live::Live::new())
    }
}

/// Prints data to standard output. A reader that has gone away is no error of ours.
pub fn data(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// Prints a line of data at once, and says when nobody reads any more.
pub fn data_line(text: &str) -> ControlFlow<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

/// Prints a document as a line of data.
pub fn document_line(document: &impl Document) -> ControlFlow<()> {
    match json_line(document) {
        Ok(text) => data_line(&text),
        // A value that JSON does not know would be a bug; the other lines are of use.
        Err(_) => ControlFlow::Continue(()),
    }
}

/// Prints a line of talk to standard error.
pub fn talk(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

/// A moment as people read it: `2026-11-21 08:00:12 UTC`.
pub fn moment(moment: jiff::Timestamp) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Seconds and minutes as people read them: `8 s`, `2 min 5 s`.
pub fn duration(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else if seconds < 60.0 {
        format!("{seconds:.0} s")
    } else {
        let whole = duration.as_secs();
        format!("{} min {} s", whole / 60, whole % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::duration;
    use std::time::Duration;

    #[test]
    fn durations_are_short_to_read() {
        assert_eq!(duration(Duration::from_millis(1234)), "1.2 s");
        assert_eq!(duration(Duration::from_secs(42)), "42 s");
        assert_eq!(duration(Duration::from_secs(125)), "2 min 5 s");
    }
}

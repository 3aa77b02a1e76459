//! Events and results → people. The only place that prints: stdout is data, stderr is talk.

mod live;
mod plain;
mod text;

use std::io::{IsTerminal as _, Write as _};

use crate::event::Sink;
use crate::exec::host;
use crate::fault::{self, Fault, Kind};

pub use text::{images, plan, status};

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// A result as JSON, with a line feed at its end.
///
/// # Errors
/// When the value has a form that JSON does not know, which would be a bug.
pub fn json(value: &impl serde::Serialize) -> anyhow::Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// Lines for a log, or a live display for a terminal.
pub fn sink(format: Format, ci: bool) -> Box<dyn Sink> {
    if format == Format::Json || ci || host::variable("NO_COLOR").is_some() || !std::io::stderr().is_terminal() {
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

/// Prints a line of talk to standard error.
pub fn talk(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

/// Prints an error: what, why, and the next command.
pub fn error(error: &anyhow::Error) {
    let kind = fault::kind(error);
    let found = error.downcast_ref::<Fault>();
    let mut causes = error.chain().map(ToString::to_string);
    let mut said = causes.next().unwrap_or_default();
    talk(&format!("\n{}: {said}", kind.heading()));
    for cause in causes {
        // Libraries often repeat their cause in their own words.
        if said.contains(cause.trim_end()) {
            continue;
        }
        said.clone_from(&cause);
        talk(&format!("  because: {}", cause.trim_end().replace('\n', "\n    ")));
    }
    if let Some(culprit) = found.and_then(|fault| fault.culprit.as_ref()) {
        talk(&format!("  likeliest culprit: {}", culprit.replace('\n', "\n    ")));
    }
    if let Some(known) = found.and_then(|fault| fault.known) {
        talk(&format!("  known: {}: {}", known.id, known.cause));
    }
    if let Some(folder) = found.and_then(|fault| fault.diagnostics.as_ref()) {
        talk(&format!("  diagnostics: {}   (summary.txt first)", folder.display()));
    }
    match (kind, found.and_then(|fault| fault.next.as_ref())) {
        (_, Some(next)) => talk(&format!("  next: {next}")),
        (Kind::Bug, None) => talk("  next: run again with LAB_LOG=debug and report what it prints"),
        _ => {}
    }
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

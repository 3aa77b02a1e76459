//! Kinds of failure, their exit codes and the next command to type.
//!
//! Errors travel as `anyhow::Error`; a [`Fault`] attached as context says how
//! the process ends and what the person in front of it can do.

pub mod known;

use std::fmt;
use std::path::PathBuf;

use known::Known;

/// What kind of failure ended the run; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 1: a defect in `lab` itself.
    Bug,
    /// 2: a wrong command line.
    Usage,
    /// 3: a configuration that cannot be used.
    Config,
    /// 4: the machine lacks something.
    Host,
    /// 5: a step of the plan failed.
    Step,
    /// 6: everything ran, but the result is wrong.
    Verification,
    /// 7: something of the lab is left behind.
    Cleanup,
    /// 8: another run holds the lab.
    Locked,
    /// 9: what stands is not what the configuration says.
    Drift,
    /// 130: SIGINT.
    Interrupted,
    /// 143: SIGTERM, or SIGHUP.
    Terminated,
}

impl Kind {
    /// Every kind, in the order of the exit codes; the README's table is tested against it.
    pub const ALL: [Kind; 11] = [
        Kind::Bug,
        Kind::Usage,
        Kind::Config,
        Kind::Host,
        Kind::Step,
        Kind::Verification,
        Kind::Cleanup,
        Kind::Locked,
        Kind::Drift,
        Kind::Interrupted,
        Kind::Terminated,
    ];

    /// The process exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Bug => 1,
            Kind::Usage => 2,
            Kind::Config => 3,
            Kind::Host => 4,
            Kind::Step => 5,
            Kind::Verification => 6,
            Kind::Cleanup => 7,
            Kind::Locked => 8,
            Kind::Drift => 9,
            Kind::Interrupted => 130,
            Kind::Terminated => 143,
        }
    }

    /// The heading under which the error is printed.
    pub fn heading(self) -> &'static str {
        match self {
            Kind::Bug => "bug",
            Kind::Usage => "usage",
            Kind::Config => "configuration",
            Kind::Host => "this machine",
            Kind::Step => "failed",
            Kind::Verification => "wrong result",
            Kind::Cleanup => "not cleaned up",
            Kind::Locked => "locked",
            Kind::Drift => "drift",
            Kind::Interrupted | Kind::Terminated => "interrupted",
        }
    }
}

/// A failure as a person needs it: what and where, and what to type next.
#[derive(Debug, Clone)]
pub struct Fault {
    pub kind: Kind,
    /// What failed, with the object's name.
    pub what: String,
    /// The next command or action.
    pub next: Option<String>,
    /// The known failure that the error's words show.
    pub known: Option<&'static Known>,
    /// The object that is most likely to blame, with its reason, events and last lines.
    pub culprit: Option<String>,
    /// The folder with everything that explains it.
    pub diagnostics: Option<PathBuf>,
}

impl Fault {
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), next: None, known: None, culprit: None, diagnostics: None }
    }

    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// The fault itself as an error, when there is no deeper cause.
    pub fn error(self) -> anyhow::Error {
        anyhow::Error::new(self)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Fault {}

/// The kind of an error: of the outermost fault in it, a bug where there is none.
pub fn kind(error: &anyhow::Error) -> Kind {
    error.downcast_ref::<Fault>().map_or(Kind::Bug, |fault| fault.kind)
}

/// Recognises a known failure in the words of an error, and puts its advice before what is said to do next.
/// What a person typed or configured, and what is a matter of this tool alone, is left as it is.
pub fn recognise(error: &mut anyhow::Error) {
    let text = format!("{error:#}");
    let Some(fault) = error.downcast_mut::<Fault>() else { return };
    if fault.known.is_some() || !matches!(fault.kind, Kind::Host | Kind::Step | Kind::Cleanup) {
        return;
    }
    fault.known = known::find(&format!("{text}\n{}", fault.culprit.as_deref().unwrap_or_default()));
    let Some(known) = fault.known else { return };
    fault.next = match fault.next.take() {
        // Who looked at this machine knows better.
        Some(next) if fault.kind == Kind::Host => Some(next),
        Some(next) if known.next.contains(command(&next)) => Some(known.next.to_owned()),
        Some(next) => Some(format!("{}; then {next}", known.next)),
        None => Some(known.next.to_owned()),
    };
}

/// The first command of what is said to do next.
fn command(next: &str) -> &str {
    next.split(['(', ';']).next().unwrap_or(next).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn exit_codes_are_distinct() {
        let mut codes: Vec<u8> = Kind::ALL.iter().map(|kind| kind.exit_code()).collect();
        codes.dedup();
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 8, 9, 130, 143]);
    }

    #[test]
    fn a_fault_is_found_under_further_contexts() {
        let error = Err::<(), _>(anyhow::anyhow!("root cause"))
            .context(Fault::new(Kind::Host, "no engine"))
            .context("while starting")
            .unwrap_err();
        assert_eq!(kind(&error), Kind::Host);
        assert_eq!(format!("{error:#}"), "while starting: no engine: root cause");
    }

    fn recognised(kind: Kind, cause: &str, next: Option<&str>) -> Fault {
        let mut fault = Fault::new(kind, "it");
        fault.next = next.map(str::to_owned);
        let mut error = anyhow::anyhow!(cause.to_owned()).context(fault).context("while starting");
        recognise(&mut error);
        recognise(&mut error);
        error.downcast().unwrap()
    }

    #[test]
    fn a_known_failure_says_what_to_do_before_what_comes_next() {
        let fault = recognised(Kind::Step, "write /x: No space left on device", Some("lab up"));
        assert_eq!(fault.known.unwrap().id, "disk-full");
        let next = fault.next.unwrap();
        assert!(next.starts_with("docker system df ") && next.ends_with("; then lab up"), "{next}");
        assert!(recognised(Kind::Step, "ENOSPC", None).next.unwrap().starts_with("docker system df "));
    }

    #[test]
    fn no_command_is_said_twice() {
        let next = recognised(Kind::Step, "tcp connect error", Some("lab status   (says which nodes are Ready)")).next;
        assert_eq!(next.unwrap().matches("lab status").count(), 1);
    }

    #[test]
    fn who_looked_at_the_machine_knows_better() {
        let fault = recognised(Kind::Host, "No space left on device", Some("make setup"));
        assert_eq!((fault.known.unwrap().id, fault.next.as_deref()), ("disk-full", Some("make setup")));
    }

    #[test]
    fn what_a_person_wrote_is_no_known_failure() {
        for kind in [Kind::Usage, Kind::Config, Kind::Verification, Kind::Interrupted] {
            assert_eq!(recognised(kind, "No space left on device", None).next, None);
        }
    }

    #[test]
    fn an_unknown_failure_keeps_its_next() {
        let fault = recognised(Kind::Step, "something else", Some("lab up"));
        assert_eq!((fault.known, fault.next.as_deref()), (None, Some("lab up")));
    }

    #[test]
    fn an_error_without_fault_is_a_bug() {
        assert_eq!(kind(&anyhow::anyhow!("oops")), Kind::Bug);
    }
}

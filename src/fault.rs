//! Kinds of failure, their exit codes and the next command to type.
//!
//! Errors travel as `anyhow::Error`; a [`Fault`] attached as context says how
//! the process ends and what the person in front of it can do.

use std::fmt;

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
}

impl Fault {
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), next: None }
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

/// What to do about causes that other programs name only in their text.
pub fn advice(text: &str) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 3] = [
        ("no space left on device", "free some disk: docker system df shows what Docker holds"),
        ("too many open files", "make setup   (raises the inotify limits)"),
        ("address already in use", "another --api-port or --registry-port"),
    ];
    let text = text.to_lowercase();
    KNOWN.iter().find(|(cause, _)| text.contains(cause)).map(|(_, advice)| *advice)
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

    #[test]
    fn a_full_disk_is_recognised_in_any_case() {
        assert!(advice("write /x: No space left on device").unwrap().contains("docker system df"));
        assert_eq!(advice("something else"), None);
    }

    #[test]
    fn an_error_without_fault_is_a_bug() {
        assert_eq!(kind(&anyhow::anyhow!("oops")), Kind::Bug);
    }
}

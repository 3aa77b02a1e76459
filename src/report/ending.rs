//! How the program ends, for people and for programs.

use anyhow::{Error, Result};

use super::talk;
use crate::event::{Ending, KnownFailure, Trouble};
use crate::fault::{self, Fault, Kind};

/// The most that is told of one cause, in characters: what others say may have no end.
const LONGEST: usize = 50_000;

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl Ending {
    pub fn of(result: &Result<()>) -> Self {
        match result {
            Ok(()) => Self { exit_code: 0, kind: "ok".to_owned(), error: None },
            Err(error) => {
                let kind = fault::kind(error);
                Self { exit_code: kind.exit_code(), kind: kind.heading().to_owned(), error: Some(Trouble::of(error)) }
            }
        }
    }
}

impl Trouble {
    pub fn of(error: &Error) -> Self {
        let mut chain = error.chain().map(ToString::to_string);
        let what = chain.next().unwrap_or_default();
        let (mut said, mut causes) = (what.clone(), Vec::new());
        for cause in chain {
            // Libraries often repeat their cause in their own words.
            if said.contains(cause.trim_end()) {
                continue;
            }
            said.clone_from(&cause);
            causes.push(shortened(cause.trim_end()));
        }
        let fault = error.downcast_ref::<Fault>();
        let culprit = fault.and_then(|fault| fault.culprit.clone());
        let known = fault.and_then(|fault| fault.known);
        let known = known.map(|known| KnownFailure { id: known.id.to_owned(), cause: known.cause.to_owned() });
        let diagnostics = fault.and_then(|fault| Some(fault.diagnostics.as_ref()?.display().to_string()));
        let next = fault.and_then(|fault| fault.next.clone());
        let report = || "run again with LAB_LOG=debug and report what it prints".to_owned();
        let next = next.or_else(|| (fault::kind(error) == Kind::Bug).then(report));
        Self { what, causes, culprit, known, diagnostics, next }
    }
}

/// Prints an error: what, why, and the next command.
pub fn error(ending: &Ending) {
    let Some(trouble) = &ending.error else { return };
    talk(&format!("\n{}: {}", ending.kind, trouble.what));
    for cause in &trouble.causes {
        talk(&format!("  because: {}", cause.replace('\n', "\n    ")));
    }
    if let Some(culprit) = &trouble.culprit {
        talk(&format!("  likeliest culprit: {}", culprit.replace('\n', "\n    ")));
    }
    if let Some(known) = &trouble.known {
        talk(&format!("  known: {}: {}", known.id, known.cause));
    }
    if let Some(folder) = &trouble.diagnostics {
        talk(&format!("  diagnostics: {folder}   (summary.txt first)"));
    }
    if let Some(next) = &trouble.next {
        talk(&format!("  next: {next}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context as _, anyhow};

    #[test]
    fn an_error_is_told_in_its_parts_and_nothing_twice() {
        let error =
            anyhow!("disk full").context("writing: disk full").context(Fault::new(Kind::Step, "step x").next("y"));
        let ending = Ending::of(&Err(error));
        assert_eq!((ending.exit_code, ending.kind.as_str()), (5, "failed"));
        let trouble = ending.error.unwrap();
        assert_eq!(
            (trouble.what.as_str(), trouble.causes.as_slice()),
            ("step x", &["writing: disk full".to_owned()][..])
        );
        assert_eq!(trouble.next.as_deref(), Some("y"));
    }

    #[test]
    fn a_known_failure_is_named_with_its_culprit_and_its_folder() {
        let mut fault = Fault::new(Kind::Step, "step x");
        fault.culprit = Some("Node lab-worker: not Ready".to_owned());
        fault.diagnostics = Some("/state/lab/diagnostics/now".into());
        let mut error = anyhow!("write: no space left on device").context(fault);
        fault::recognise(&mut error);
        let trouble = Ending::of(&Err(error)).error.unwrap();
        assert_eq!(trouble.known.unwrap().id, "disk-full");
        assert_eq!(trouble.culprit.as_deref(), Some("Node lab-worker: not Ready"));
        assert_eq!(trouble.diagnostics.as_deref(), Some("/state/lab/diagnostics/now"));
        assert!(trouble.next.unwrap().starts_with("docker system df"));
    }

    #[test]
    fn an_error_of_no_kind_is_a_bug_and_asks_for_a_report() {
        let ending = Ending::of(&Err::<(), _>(anyhow!("oops")).context("here"));
        assert_eq!((ending.exit_code, ending.kind.as_str()), (1, "bug"));
        assert!(ending.error.unwrap().next.unwrap().contains("LAB_LOG=debug"));
    }
}

//! The proof for people, as JUnit XML and as a page: what is wrong comes first.

mod access;
mod matrix;
mod network;
mod page;
mod pods;

use std::path::Path;

use anyhow::Result;
use quick_junit::Report;

use super::{duration, junit};
use crate::run::verify::Proof;

pub use page::proof_page;

/// Wrong answers of one kind that are shown one by one.
const MOST_SHOWN: usize = 15;

/// What `lab verify` prints.
pub fn proof(proof: &Proof) -> String {
    let mut lines = vec![format!("lab {}", proof.lab)];
    lines.extend(wrongs(proof).iter().map(|line| format!("  {}", line.replace('\n', "\n  "))));
    for (name, summary) in [
        ("access", proof.access.as_ref().map(access::summary)),
        ("pods", proof.pods.as_ref().map(pods::summary)),
        ("network", proof.network.as_ref().map(network::summary)),
    ] {
        lines.extend(summary.into_iter().flatten().map(|line| format!("  {name:<9} {line}")));
    }
    lines.push(format!("{} in {}", verdict(proof), duration(proof.took)));
    lines.join("\n") + "\n"
}

/// The same as JUnit XML, a suite for each subject.
///
/// # Errors
/// When the file cannot be written.
pub fn proof_junit(proof: &Proof, path: &Path) -> Result<()> {
    let mut report = Report::new("lab");
    report.add_test_suites(proof.access.as_ref().map(access::suite));
    report.add_test_suites(proof.pods.as_ref().map(pods::suite));
    report.add_test_suites(proof.network.as_ref().map(network::suite));
    junit::write(path, &report)
}

fn verdict(proof: &Proof) -> &'static str {
    if proof.passed { "proved" } else { "NOT as it should be" }
}

/// Everything that is not as it should be.
fn wrongs(proof: &Proof) -> Vec<String> {
    let all = [
        proof.access.as_ref().map(access::wrong),
        proof.pods.as_ref().map(pods::wrong),
        proof.network.as_ref().map(network::wrong),
    ];
    all.into_iter().flatten().flatten().collect()
}

fn wrong(what: &str) -> String {
    format!("WRONG     {what}")
}

fn unproved(what: &str) -> String {
    format!("UNPROVED  {what}")
}

/// The first of them, and how many there are beside.
fn shortened(all: &[String], word: fn(&str) -> String) -> Vec<String> {
    let mut lines: Vec<String> = all.iter().take(MOST_SHOWN).map(|line| word(line)).collect();
    if let Some(more) = all.len().checked_sub(MOST_SHOWN).filter(|more| *more > 0) {
        lines.push(word(&format!("and {more} more; --output json lists all")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::run::verify::access::Access;

    pub fn of(access: Access) -> Proof {
        let (lab, passed, took) = ("lab".to_owned(), access.passed, Duration::from_secs(15));
        Proof { lab, passed, access: Some(access), pods: None, network: None, took }
    }

    #[test]
    fn what_is_wrong_comes_first() {
        let good = proof(&of(access::tests::good()));
        assert!(good.starts_with("lab lab\n  access    roles, ") && good.ends_with("\nproved in 15 s\n"), "{good}");
        let bad = proof(&of(access::tests::bad()));
        assert!(bad.starts_with("lab lab\n  WRONG     RoleBinding airflow/extra: not wanted"), "{bad}");
        assert!(bad.ends_with("\nNOT as it should be in 15 s\n"), "{bad}");
    }

    #[test]
    fn the_rest_is_counted() {
        let all: Vec<String> = (0..20).map(|number| number.to_string()).collect();
        let lines = shortened(&all, wrong);
        assert_eq!(lines.len(), MOST_SHOWN + 1);
        assert_eq!(lines[MOST_SHOWN], "WRONG     and 5 more; --output json lists all");
        assert_eq!(shortened(&all[..MOST_SHOWN], wrong).len(), MOST_SHOWN);
    }
}

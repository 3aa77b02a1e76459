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

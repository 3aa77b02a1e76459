//! The smoke job's question and the check of its answer, without any I/O.
//!
//! [`graph`] makes the input from a seed, [`rank`] computes the answer
//! independently of Spark, [`answer`] reads what the job wrote, and
//! [`verdict`] compares, ranks in [`compare`] and places in [`placement`]; a passed job makes each [`claim`].
//! The job is `sample-jobs/pagerank`; its README defines the ranks.

pub mod answer;
pub mod claim;
pub mod compare;
pub mod graph;
pub mod placement;
pub mod rank;
pub mod verdict;

/// A piece of somebody else's text as it stands in a complaint: never long.
fn short(text: &str) -> String {
    const LONGEST: usize = 100;
    let more = if text.chars().nth(LONGEST).is_some() { "…" } else { "" };
    text.chars().take(LONGEST).chain(more.chars()).collect()
}

//! The judgement on one smoke job.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::claim::Claim;
use super::graph::{self, Graph};
use super::placement::{self, Executor, Pod};
use super::{answer, compare, rank};

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The name of the `SparkApplication`.
    pub application: String,
    pub seed: u64,
    pub pages: u32,
    pub iterations: u32,
    /// Nodes on which executors may run.
    pub workers: usize,
}

/// What was found after the job, byte for byte.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The input, read back from the object store.
    pub input: &'a [u8],
    /// `ranks/part-00000`.
    pub ranks: &'a [u8],
    /// `executors/part-00000`.
    pub executors: &'a [u8],
    /// All executor pods that the application ever had.
    pub pods: &'a [Pod],
}

/// Whether the lab computes, and what was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    pub passed: bool,
    /// What was checked, each with what speaks against it.
    #[serde(default)]
    pub claims: Vec<Claim>,
    pub application: String,
    /// The page of the DAG's run below the address that `lab open airflow` prints; none where Airflow had no part.
    #[serde(default)]
    pub page: Option<String>,
    pub seed: u64,
    pub pages: usize,
    pub edges: usize,
    pub iterations: u32,
    /// The largest difference between a found and a computed rank, relative to the latter.
    pub largest_difference: Option<f64>,
    pub executors: Vec<Executor>,
    /// Seconds by part of the run.
    pub durations: BTreeMap<String, f64>,
}

impl Verdict {
    /// Everything that speaks against the answer.
    pub fn problems(&self) -> Vec<&str> {
        self.claims.iter().flat_map(|claim| claim.problems.iter().map(String::as_str)).collect()
    }
}

/// Judges the evidence; whatever cannot be read is a problem, never an error.
pub fn judge(question: &Question, evidence: &Evidence<'_>, durations: BTreeMap<String, f64>) -> Verdict {
    let (mut input, mut result, mut unread) = (Vec::new(), Vec::new(), Vec::new());
    if evidence.input != graph::generate(question.seed, question.pages) {
        input.push(format!("the input read back is not what seed {} makes", question.seed));
    }
    let graph = read(graph::parse(evidence.input), &mut input);
    let ranks = read(answer::ranks(evidence.ranks), &mut result);
    let work = read(answer::work(evidence.executors), &mut unread).unwrap_or_default();

    let mut largest_difference = None;
    match (&graph, &ranks) {
        (Some(graph), Some(ranks)) => {
            let computed = rank::page_ranks(graph, question.iterations);
            let computed = graph.pages.iter().map(String::as_str).zip(computed).collect();
            let comparison = compare::compare(&computed, ranks);
            result.extend(comparison.problems);
            largest_difference = comparison.largest_difference;
        }
        (None, Some(_)) => result.push("nothing to compare the ranks with".to_owned()),
        (_, None) => {}
    }

    let executors = placement::executors(evidence.pods, &work);
    let records = u64::from(question.pages) * u64::from(question.iterations);
    let mut claims = vec![Claim::new("input", input), Claim::new("ranks", result)];
    claims.extend(placement::claims(&executors, &work, unread, question.workers, records));

    Verdict {
        passed: claims.iter().all(|claim| claim.problems.is_empty()),
        claims,
        application: question.application.clone(),
        page: None,
        seed: question.seed,
        pages: graph.as_ref().map_or(0, |graph| graph.pages.len()),
        edges: graph.as_ref().map_or(0, Graph::links),
        iterations: question.iterations,
        largest_difference,
        executors,
        durations,
    }
}

/// What was read, or none and a problem.
fn read<T>(outcome: Result<T, String>, problems: &mut Vec<String>) -> Option<T> {
    outcome.map_err(|problem| problems.push(problem)).ok()
}

#[cfg(test)]
mod tests;

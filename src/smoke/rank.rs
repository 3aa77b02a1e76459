//! `PageRank`, computed a second time to check the job's answer.
//!
//! Shares nothing with `sample-jobs/pagerank/job.py` but the definition in its
//! README: plain vectors here, partitioned key-value pairs there.

use super::graph::Graph;

/// The probability of following a link instead of jumping to any page.
pub const DAMPING: f64 = 0.85;

/// The rank of each page of `graph`, in the order of its pages; they sum to 1.
pub fn page_ranks(graph: &Graph, iterations: u32) -> Vec<f64> {
    let count = as_float(graph.pages.len());
    let mut ranks = vec![1.0 / count; graph.pages.len()];
    for _ in 0..iterations {
        let mut received = vec![0.0; ranks.len()];
        let mut dangling = 0.0;
        for (targets, rank) in graph.targets.iter().zip(&ranks) {
            if targets.is_empty() {
                dangling += rank;
            }
            for target in targets {
                received[*target] += rank / as_float(targets.len());
            }
        }
        let everybody = (1.0 - DAMPING) / count + DAMPING * dangling / count;
        ranks = received.iter().map(|rank| everybody + DAMPING * rank).collect();
    }
    ranks
}

#[expect(clippy::cast_precision_loss, reason = "graphs have far fewer than 2^52 pages")]
fn as_float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;

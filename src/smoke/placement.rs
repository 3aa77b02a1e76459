//! Which executors worked, and where: the job's report joined with the pods that Kubernetes had.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::Work;
use super::claim::Claim;

/// The smoke job always has three, so that data crosses nodes and adds up to an answer.
pub const EXECUTORS: usize = 3;

/// An executor pod as the Kubernetes API knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    pub name: String,
    /// None as long as no node has taken it.
    pub node: Option<String>,
}

/// An executor pod and what it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Executor {
    pub pod: String,
    pub node: Option<String>,
    /// Pages processed, summed over the iterations; 0 when it reported nothing.
    pub records: u64,
    /// Time its tasks spent on them.
    pub seconds: f64,
}

/// Joins pods and reported work, in the order of the pods.
pub fn executors(pods: &[Pod], work: &[Work]) -> Vec<Executor> {
    let joined = |pod: &Pod| {
        let done = || work.iter().filter(|work| work.pod == pod.name);
        Executor {
            pod: pod.name.clone(),
            node: pod.node.clone(),
            records: done().map(|work| u64::from(work.records)).sum(),
            seconds: done().map(|work| work.seconds).sum(),
        }
    };
    pods.iter().map(joined).collect()
}

/// Three pods, on as many nodes as can be, and all of them at work.
///
/// `unread` is what of the report could not be read; `records` is what all of them had to process together.
pub fn claims(executors: &[Executor], work: &[Work], unread: Vec<String>, workers: usize, records: u64) -> [Claim; 3] {
    let mut count = Vec::new();
    if executors.len() != EXECUTORS {
        count.push(format!("{} executor pods ran, not {EXECUTORS}", executors.len()));
    }
    let mut spread = Vec::new();
    let nodes: BTreeSet<_> = executors.iter().filter_map(|executor| executor.node.as_deref()).collect();
    let wanted = EXECUTORS.min(workers);
    if nodes.len() != wanted {
        spread.push(format!("the executors ran on {} nodes, not on {wanted}: {nodes:?}", nodes.len()));
    }
    let mut done = unread;
    for executor in executors.iter().filter(|executor| executor.records == 0) {
        done.push(format!("executor {} processed no records", executor.pod));
    }
    let unknown = |work: &&Work| executors.iter().all(|executor| executor.pod != work.pod);
    for work in work.iter().filter(unknown) {
        done.push(format!("{} reported work, but the cluster had no such executor pod", work.pod));
    }
    // Spark counts a repeated stage again, so more than all is no fault.
    let processed: u64 = executors.iter().map(|executor| executor.records).sum();
    if processed < records {
        done.push(format!("the executors processed {processed} of {records} records"));
    }
    [Claim::new("executors", count), Claim::new("nodes", spread), Claim::new("work", done)]
}

#[cfg(test)]
mod tests;

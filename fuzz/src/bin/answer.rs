//! What the smoke job left in the object store: graph, ranks and work of the executors.
//!
//! The three files stand one after the other, with a line of two hyphens between them.

#![no_main]

use std::collections::BTreeMap;

use lab::smoke::placement::Pod;
use lab::smoke::verdict::{Evidence, Question, Verdict, judge};
use lab::smoke::{graph, rank};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut files = split(bytes);
    let [input, ranks, executors] = [(); 3].map(|()| files.next().unwrap_or_default());
    if let Ok(graph) = graph::parse(input) {
        assert_eq!(graph.links(), input.iter().filter(|byte| **byte == b'\n').count());
        let sum: f64 = rank::page_ranks(&graph, 3).iter().sum();
        assert!((sum - 1.0).abs() < 1e-9, "the ranks sum to {sum}");
    }
    let question = Question { application: "smoke".to_owned(), seed: 1, pages: 3, iterations: 3, workers: 3 };
    let pods = ["1", "2", "3"].map(|name| Pod { name: name.to_owned(), node: Some(name.to_owned()) });
    let verdict = judge(&question, &Evidence { input, ranks, executors, pods: &pods }, BTreeMap::new());
    assert!(!verdict.passed || verdict.problems().is_empty());
    for problem in verdict.problems() {
        assert!(problem.chars().count() < 1000, "{problem}");
    }
    let written = serde_json::to_string(&verdict).expect("a verdict is JSON");
    let read: Verdict = serde_json::from_str(&written).expect("it is read as it is written");
    assert_eq!(read.passed, verdict.passed);
});

fn split(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    const BETWEEN: &[u8] = b"--\n";
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let all = rest?;
        match all.windows(BETWEEN.len()).position(|bytes| bytes == BETWEEN) {
            Some(end) => {
                rest = Some(&all[end + BETWEEN.len()..]);
                Some(&all[..end])
            }
            None => rest.take(),
        }
    })
}

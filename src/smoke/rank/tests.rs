use super::*;
use crate::smoke::answer;
use crate::smoke::compare::compare;
use crate::smoke::graph::{generate, parse};

/// Checks ranks worked out by hand, in the order in which the links name the pages.
fn assert_ranks(links: &str, iterations: u32, expected: &[f64]) {
    let ranks = page_ranks(&parse(links.as_bytes()).unwrap(), iterations);
    assert_eq!(ranks.len(), expected.len());
    for (rank, expected) in ranks.iter().zip(expected) {
        assert!((rank - expected).abs() < 1e-15, "{ranks:?}, not {expected}");
    }
}

#[test]
fn two_pages_that_link_to_each_other_stay_equal() {
    assert_ranks("a\tb\nb\ta\n", 25, &[0.5, 0.5]);
}

#[test]
fn no_iteration_leaves_the_start() {
    assert_ranks("a\tb\na\tc\na\td\n", 0, &[0.25; 4]);
}

#[test]
fn dangling_rank_goes_to_everybody() {
    // b dangles: 0.075 + 0.85 * 0.5 / 2 for both, b also gets 0.85 * 0.5 from a.
    assert_ranks("a\tb\n", 1, &[0.2875, 0.7125]);
    assert_ranks("a\tb\n", 2, &[0.377_812_5, 0.622_187_5]);
}

#[test]
fn page_without_source_keeps_the_jump_only() {
    assert_ranks("c\ta\nc\tb\na\tb\nb\ta\n", 1, &[0.05, 0.475, 0.475]);
}

#[test]
fn repeated_link_counts_each_time() {
    let everybody = 0.05 + 0.85 * 2.0 / 9.0;
    let expected = [everybody, everybody + 0.85 * 2.0 / 9.0, everybody + 0.85 / 9.0];
    assert_ranks("a\tb\na\tb\na\tc\n", 1, &expected);
}

#[test]
fn ranks_sum_to_one() {
    let graph = parse(&crate::smoke::graph::generate(11, 2000)).unwrap();
    let sum: f64 = page_ranks(&graph, 50).iter().sum();
    assert!((sum - 1.0).abs() < 1e-12, "{sum}");
}

#[test]
fn agrees_with_what_spark_found() {
    let graph = parse(&generate(1, 5)).unwrap();
    let found = answer::ranks(
        b"page-000000\t0.1848331838033171\n\
          page-000001\t0.4599128288541246\n\
          page-000002\t0.13885343824930335\n\
          page-000003\t0.1082002745466275\n\
          page-000004\t0.1082002745466275\n",
    );
    let computed = graph.pages.iter().map(String::as_str).zip(page_ranks(&graph, 10)).collect();
    let comparison = compare(&computed, &found.unwrap());
    assert_eq!(comparison.problems, [""; 0]);
}

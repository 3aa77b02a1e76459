use super::*;

/// Compares what was found with ranks 0.5, 0.3 and 0.2 of pages a, b and c.
fn compared(found: &[(&str, f64)]) -> Comparison {
    let computed = BTreeMap::from([("a", 0.5), ("b", 0.3), ("c", 0.2)]);
    compare(&computed, &found.iter().map(|(page, rank)| ((*page).to_owned(), *rank)).collect())
}

#[test]
fn equal_ranks_pass() {
    let comparison = compared(&[("a", 0.5), ("b", 0.3), ("c", 0.2)]);
    assert_eq!(comparison, Comparison { problems: vec![], largest_difference: Some(0.0) });
}

#[test]
fn rounding_passes_and_is_reported() {
    let comparison = compared(&[("a", 0.5 + 4e-11), ("b", 0.3), ("c", 0.2)]);
    assert!(comparison.problems.is_empty(), "{comparison:?}");
    assert!(comparison.largest_difference.unwrap() > 1e-11);
}

#[test]
fn one_altered_rank_fails() {
    // Moved from one page to another, so that the sum stays 1.
    let problems = compared(&[("a", 0.500_001), ("b", 0.299_999), ("c", 0.2)]).problems;
    assert_eq!(problems, ["2 of 3 ranks are wrong, worst b: 0.299999 found, 0.3 computed"]);
}

#[test]
fn missing_page_fails() {
    let problems = compared(&[("a", 0.5), ("b", 0.3)]).problems;
    assert_eq!(problems, ["the result lacks 1 of 3 pages, first c", "the ranks sum to 0.8, not to 1"]);
}

#[test]
fn unknown_page_fails() {
    let problems = compared(&[("a", 0.5), ("b", 0.3), ("c", 0.2), ("d", 0.0)]).problems;
    assert_eq!(problems, ["the result has 1 pages that the input lacks, first d"]);
}

#[test]
fn nothing_in_common_has_no_difference() {
    assert_eq!(compared(&[("d", 1.0)]).largest_difference, None);
}

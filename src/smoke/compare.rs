//! The ranks the job found against those computed here.

use std::collections::BTreeMap;

use super::short;

/// The largest allowed difference, relative to the computed rank.
///
/// Adding in another order moves a rank by about 1e-15; what shows at 1e-9 is
/// another answer. No rank is near zero: each is at least 0.15 / pages.
pub const TOLERANCE: f64 = 1e-9;

/// How far found ranks are from the computed ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    /// One sentence for each kind of difference.
    pub problems: Vec<String>,
    /// The largest relative difference; none when no page is in both.
    pub largest_difference: Option<f64>,
}

/// Compares the pages, each rank, and the sum.
pub fn compare(computed: &BTreeMap<&str, f64>, found: &BTreeMap<String, f64>) -> Comparison {
    let mut problems = Vec::new();
    let missing: Vec<_> = computed.keys().filter(|page| !found.contains_key(**page)).collect();
    if let Some(first) = missing.first() {
        problems.push(format!("the result lacks {} of {} pages, first {first}", missing.len(), computed.len()));
    }
    let unknown: Vec<_> = found.keys().filter(|page| !computed.contains_key(page.as_str())).collect();
    if let Some(first) = unknown.first() {
        problems.push(format!("the result has {} pages that the input lacks, first {}", unknown.len(), short(first)));
    }

    let differences: Vec<_> = computed
        .iter()
        .filter_map(|(page, rank)| Some((page, rank, found.get(*page)?)))
        .map(|(page, computed, found)| ((found - computed).abs() / computed, page, computed, found))
        .collect();
    let wrong = differences.iter().filter(|difference| difference.0 > TOLERANCE).count();
    let worst = differences.iter().max_by(|left, right| left.0.total_cmp(&right.0));
    if let Some((_, page, computed, found)) = worst.filter(|_| wrong > 0) {
        let all = differences.len();
        problems.push(format!("{wrong} of {all} ranks are wrong, worst {page}: {found} found, {computed} computed"));
    }
    let sum: f64 = found.values().sum();
    if (sum - 1.0).abs() > TOLERANCE {
        problems.push(format!("the ranks sum to {sum}, not to 1"));
    }
    Comparison { problems, largest_difference: worst.map(|worst| worst.0) }
}

#[cfg(test)]
mod tests;

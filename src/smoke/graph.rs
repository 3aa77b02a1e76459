//! The graph of pages and links: made from a seed, written and read as TSV.
//!
//! The file holds one `source<TAB>target` a line. A page exists when a line
//! names it; a link counts as often as it stands there.

use std::collections::{BTreeSet, HashMap};

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use super::short;

/// Pages in the order in which the file first names them, and their links.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    pub pages: Vec<String>,
    /// For each page the positions of its targets in `pages`; empty for a dangling page.
    pub targets: Vec<Vec<usize>>,
}

impl Graph {
    /// How many links there are.
    pub fn links(&self) -> usize {
        self.targets.iter().map(Vec::len).sum()
    }
}

/// Makes the file of a graph with exactly `pages` pages; the same seed makes the same bytes.
///
/// A few pages draw most links and a few send most of them. Page 1 and every
/// eighth or so page dangle; nobody links to the last page.
///
/// # Panics
/// With fewer than three pages, which have no room for both oddities.
pub fn generate(seed: u64, pages: u32) -> Vec<u8> {
    assert!(pages >= 3, "a graph needs at least 3 pages, got {pages}");
    // Named, not `StdRng`: its stream is the same in every release.
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let last = pages - 1;
    let mut linking = Vec::new();
    let mut links = BTreeSet::new();
    for page in 0..pages {
        if page == 1 || (page > 0 && page < last && random.random_ratio(1, 8)) {
            // Without a link to it a dangling page would not exist.
            links.insert((linking[random.random_range(0..linking.len())], page));
            continue;
        }
        linking.push(page);
        for _ in 0..=skewed(&mut random, 40) {
            let target = skewed(&mut random, last);
            links.insert((page, if target == page { (page + 1) % last } else { target }));
        }
    }
    let line = |(source, target): &(u32, u32)| format!("page-{source:06}\tpage-{target:06}\n");
    links.iter().map(line).collect::<Vec<_>>().concat().into_bytes()
}

/// A number below `limit`, small ones far more often than large ones.
fn skewed(random: &mut Xoshiro256PlusPlus, limit: u32) -> u32 {
    let third = random.random_range(0..limit);
    let second = random.random_range(0..=third);
    random.random_range(0..=second)
}

/// Reads a graph; whatever is not a link is an error, as it is in the job.
///
/// # Errors
/// Names the first line that is not `source<TAB>target` and a line feed.
pub fn parse(bytes: &[u8]) -> Result<Graph, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("input is not UTF-8: {error}"))?;
    let mut graph = Graph::default();
    let mut positions = HashMap::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let (source, target) = link(line)
            .ok_or_else(|| format!("input line {}: want source<TAB>target, found {:?}", index + 1, short(line)))?;
        let [source, target] = [source, target].map(|page| {
            *positions.entry(page).or_insert_with(|| {
                graph.pages.push(page.to_owned());
                graph.targets.push(Vec::new());
                graph.pages.len() - 1
            })
        });
        graph.targets[source].push(target);
    }
    if graph.pages.is_empty() { Err("input holds no links".to_owned()) } else { Ok(graph) }
}

/// The two names in a whole line; a line without its end was cut off.
fn link(line: &str) -> Option<(&str, &str)> {
    let (source, target) = line.strip_suffix('\n')?.split_once('\t')?;
    let named = |page: &str| !page.is_empty() && !page.contains(char::is_control);
    (named(source) && named(target)).then_some((source, target))
}

#[cfg(test)]
mod tests;

//! What the job wrote, read strictly: the ranks and the work of each executor.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::short;

/// What one executor did, measured inside its tasks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// Spark's number for the executor.
    pub executor: String,
    pub pod: String,
    pub tasks: u32,
    /// Pages processed, summed over the iterations.
    pub records: u32,
    /// Time its tasks spent on them.
    pub seconds: f64,
}

/// Reads `ranks/part-00000`: one `page<TAB>rank` a line.
///
/// # Errors
/// Names the first line that is cut off, no number, or a page's second rank.
pub fn ranks(bytes: &[u8]) -> Result<BTreeMap<String, f64>, String> {
    let mut ranks = BTreeMap::new();
    for (number, line) in whole_lines(bytes, "ranks")? {
        let (page, rank) = line
            .split_once('\t')
            .ok_or_else(|| format!("ranks line {number}: want page<TAB>rank, found {:?}", short(line)))?;
        let rank: f64 = rank.parse().map_err(|_| format!("ranks line {number}: {:?} is no number", short(rank)))?;
        if !rank.is_finite() {
            return Err(format!("ranks line {number}: the rank of {} is {rank}", short(page)));
        }
        if ranks.insert(page.to_owned(), rank).is_some() {
            return Err(format!("ranks line {number}: {} has a rank already", short(page)));
        }
    }
    Ok(ranks)
}

/// Reads `executors/part-00000`: one JSON object a line.
///
/// # Errors
/// Names the first line that is cut off or no such object.
pub fn work(bytes: &[u8]) -> Result<Vec<Work>, String> {
    let read = |(number, line)| serde_json::from_str(line).map_err(|error| format!("executors line {number}: {error}"));
    whole_lines(bytes, "executors")?.map(read).collect()
}

/// The numbered lines of a file that must end with a line feed, or its last line was cut off.
fn whole_lines<'a>(bytes: &'a [u8], file: &str) -> Result<impl Iterator<Item = (usize, &'a str)>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("{file} are not UTF-8: {error}"))?;
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(format!("{file} line {}: cut off", text.lines().count()));
    }
    Ok((1..).zip(text.lines()))
}

#[cfg(test)]
mod tests;

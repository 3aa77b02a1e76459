//! Results as tables.

use serde_json::Value;

use super::document::ImageList;
use crate::plan::Plan;
use crate::run::down::Down;
use crate::run::{Diff, DiffState as State, Difference, ImageState};

/// What `lab plan` prints: one step a line, in order, with what it waits for.
pub fn plan(plan: &Plan) -> String {
    let mut text = format!("lab {}: {} steps\n", plan.lab, plan.steps.len());
    for step in &plan.steps {
        let after = if step.needs.is_empty() { String::new() } else { format!("  after {}", step.needs.join(", ")) };
        let line = format!("  {:<15} {:<55}{after}", step.id, step.title);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// What `lab plan --diff` prints: what differs, each with its fields.
pub fn diff(diff: &Diff) -> String {
    if !diff.differs {
        return format!("lab {}: as the configuration says\n", diff.lab);
    }
    let mut text = format!("lab {}: {} differences\n", diff.lab, diff.differences.len());
    for one in &diff.differences {
        let indented = difference(one).replace('\n', "\n                  ");
        text.push_str(&format!("  {:<15} {indented}\n", one.step));
    }
    text
}

/// A difference, with a line for each of its fields.
pub fn difference(difference: &Difference) -> String {
    let state = match difference.state {
        State::Missing => "missing",
        State::Stopped => "stopped",
        State::Different => "different",
        State::NotReady => "not ready",
        State::Unwanted => "not wanted",
        State::Unknown => "cannot be seen",
    };
    let mut text = format!("{}: {state}", difference.subject);
    if let Some(detail) = &difference.detail {
        text.push_str(&format!(", {}", detail.trim_end()));
    }
    for field in &difference.fields {
        let (live, wanted) = (short(&field.live), short(&field.wanted));
        text.push_str(&format!("\n  {}: {live}, wanted {wanted}", field.path));
    }
    text
}

/// A value on one line, cut where it is long.
fn short(value: &Value) -> String {
    const LONGEST: usize = 80;
    let text = if value.is_null() { "nothing".to_owned() } else { value.to_string() };
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST).chain(['…']).collect() }
}

/// What `lab down` says, line by line.
pub fn down(down: &Down) -> Vec<String> {
    let mut lines: Vec<String> = down.removed.iter().map(|thing| format!("removed {thing}")).collect();
    if down.removed.is_empty() && down.left.is_empty() {
        lines.push(format!("lab {}: nothing to remove", down.lab));
    }
    if !down.kept.is_empty() {
        let kept: Vec<String> = down.kept.iter().map(ToString::to_string).collect();
        let kept = kept.join(", ");
        lines.push(format!("kept {kept}, for a quick next `lab up`; `lab down --all` removes them"));
    }
    lines
}

/// What `lab images list` prints.
pub fn images(list: &ImageList) -> String {
    let mut text = String::new();
    for image in &list.images {
        let (state, size) = match &image.state {
            ImageState::Built { tag, size } => (format!("built   {tag}"), *size),
            ImageState::Pulled { reference, size } => (format!("pulled  {reference}"), *size),
            ImageState::Missing => ("missing".to_owned(), 0),
        };
        let megabytes = size / 1_000_000;
        text.push_str(&format!("{:<15} {:<38} {megabytes:>5} MB  {state}\n", image.name, image.version));
        image.references.iter().for_each(|reference| text.push_str(&format!("{:<15} for {reference}\n", "")));
    }
    text
}

//! Results as tables.

use crate::images::Catalogue;
use crate::plan::Plan;
use crate::run::ImageState;
use crate::run::status::Status;

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

/// What `lab status` prints.
pub fn status(status: &Status) -> String {
    let mut text = format!("lab {}\n", status.name);
    let mut line = |name: &str, value: &Option<String>| {
        let value = value.as_deref().unwrap_or("none");
        text.push_str(&format!("  {name:<12} {value}\n"));
    };
    line("API", &status.api);
    line("registry", &status.registry);
    line("kubeconfig", &status.kubeconfig);
    let ready = status.nodes.iter().filter(|node| node.ready).count();
    text.push_str(&format!("nodes: {ready} of {} Ready\n", status.nodes.len()));
    for node in &status.nodes {
        let state = if node.ready { "Ready" } else { "not Ready" };
        let address = node.address.as_deref().unwrap_or("-");
        text.push_str(&format!("  {:<28} {address:<15} {state:<10} {}\n", node.name, node.detail));
    }
    text.push_str("components:\n");
    for component in &status.components {
        let state = if component.ready { "ready" } else { "not ready" };
        text.push_str(&format!("  {:<28} {state}\n", component.name));
    }
    match &status.smoke {
        None => text.push_str("smoke: not run yet\n"),
        Some(record) => {
            let verdict = &record.verdict;
            let word = if verdict.passed { "passed" } else { "FAILED" };
            let difference = verdict.largest_difference.map_or_else(|| "-".to_owned(), |value| format!("{value:.1e}"));
            text.push_str(&format!(
                "smoke: {word} at {}, job {}, {} pages, {} links, largest difference {difference}\n",
                record.at, verdict.application, verdict.pages, verdict.edges
            ));
            for executor in &verdict.executors {
                let node = executor.node.as_deref().unwrap_or("-");
                let (pod, records, seconds) = (&executor.pod, executor.records, executor.seconds);
                text.push_str(&format!("  {pod:<44} {node:<20} {records} records, {seconds:.1} s at work\n"));
            }
            for problem in &verdict.problems {
                text.push_str(&format!("  {problem}\n"));
            }
        }
    }
    text
}

/// What `lab images list` prints.
pub fn images(catalogue: &Catalogue, states: &[ImageState]) -> String {
    let mut text = String::new();
    for (image, state) in catalogue.all().iter().zip(states) {
        let (state, size) = match state {
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

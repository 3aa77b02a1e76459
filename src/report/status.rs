//! What `lab status` prints.

use jiff::{SignedDuration, Timestamp};

use crate::run::Record;
use crate::run::people::CertificateStatus;
use crate::run::status::Status;

/// All of it, the last smoke verdict at the end.
pub fn status(status: &Status) -> String {
    let mut text = format!("lab {}\n", status.name);
    let mut line = |name: &str, value: &Option<String>| {
        let value = value.as_deref().unwrap_or("none");
        text.push_str(&format!("  {name:<12} {value}\n"));
    };
    line("API", &status.api);
    line("registry", &status.registry);
    line("kubeconfig", &status.kubeconfig);
    let versions = &status.versions;
    let or_none = |version: &Option<String>| version.clone().unwrap_or_else(|| "none".to_owned());
    let (kubernetes, kind) = (or_none(&versions.kubernetes), or_none(&versions.kind));
    line("versions", &Some(format!("lab {}, Kubernetes {kubernetes}, kind {kind}", versions.lab)));
    for why in &status.unseen {
        text.push_str(&format!("  {}\n", why.replace('\n', "\n  ")));
    }
    let ready = status.nodes.iter().filter(|node| node.ready).count();
    text.push_str(&format!("nodes: {ready} of {} Ready\n", status.nodes.len()));
    for node in &status.nodes {
        let state = if node.ready { "Ready" } else { "not Ready" };
        let address = node.address.as_deref().unwrap_or("-");
        text.push_str(&format!("  {:<28} {address:<15} {state:<10} {}\n", node.name, node.detail));
    }
    if !status.components.is_empty() {
        text.push_str("components:\n");
    }
    for component in &status.components {
        let state = if component.ready { "ready" } else { "not ready" };
        text.push_str(&format!("  {:<28} {state}\n", component.name));
    }
    if !status.people.is_empty() {
        text.push_str("people:\n");
    }
    for person in &status.people {
        let (name, role) = (&person.user, person.role.name());
        text.push_str(&format!("  {name:<28} {role:<5} {}\n", certificate(person, Timestamp::now())));
    }
    match &status.smoke {
        None if status.unseen.is_empty() => text.push_str("smoke: not run yet\n"),
        None => text.push_str("smoke: cannot be seen\n"),
        Some(record) => text.push_str(&smoke(record)),
    }
    text
}

fn smoke(record: &Record) -> String {
    let verdict = &record.verdict;
    let word = if verdict.passed { "passed" } else { "FAILED" };
    let difference = verdict.largest_difference.map_or_else(|| "-".to_owned(), |value| format!("{value:.1e}"));
    let mut text = format!(
        "smoke: {word} at {}, job {}, {} pages, {} links, largest difference {difference}\n",
        record.at, verdict.application, verdict.pages, verdict.edges
    );
    if let Some(page) = &verdict.page {
        text.push_str(&format!("  run by Airflow: {page} of lab open airflow\n"));
    }
    for executor in &verdict.executors {
        let node = executor.node.as_deref().unwrap_or("-");
        let (pod, records, seconds) = (&executor.pod, executor.records, executor.seconds);
        text.push_str(&format!("  {pod:<44} {node:<20} {records} records, {seconds:.1} s at work\n"));
    }
    for problem in verdict.problems() {
        text.push_str(&format!("  {problem}\n"));
    }
    text
}

/// How long a certificate is good, and what becomes of it.
fn certificate(status: &CertificateStatus, now: Timestamp) -> String {
    let left = |ends: Timestamp| match ends.duration_since(now) {
        left if left.is_positive() => format!("certificate ends in {}", hours(left)),
        past => format!("certificate ended {} ago", hours(-past)),
    };
    let stands = status.ends.map_or_else(|| "no certificate".to_owned(), left);
    match &status.renewal {
        None => stands,
        Some(why) => format!("{stands}: {why}; lab up makes another"),
    }
}

/// `23 h 59 min`, `4 min`
fn hours(duration: SignedDuration) -> String {
    match (duration.as_hours(), duration.as_mins() % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Role;

    #[test]
    fn a_certificate_says_how_long_it_is_good_and_what_becomes_of_it() {
        let now = Timestamp::from_second(1_800_000_000).expect("a moment");
        let said = |minutes: Option<i64>, usable, renewal: Option<&str>| {
            let ends = minutes.map(|minutes| now + SignedDuration::from_mins(minutes));
            let renewal = renewal.map(str::to_owned);
            let status = CertificateStatus { user: "anna".to_owned(), role: Role::Edit, ends, usable, renewal };
            certificate(&status, now)
        };
        assert_eq!(said(Some(1439), true, None), "certificate ends in 23 h 59 min");
        let ending = said(Some(59), true, Some("it is in the last third of its life"));
        assert_eq!(ending, "certificate ends in 59 min: it is in the last third of its life; lab up makes another");
        assert!(said(Some(-61), false, Some("it has ended")).starts_with("certificate ended 1 h 1 min ago: "));
        assert_eq!(said(None, false, Some("there is none")), "no certificate: there is none; lab up makes another");
    }
}

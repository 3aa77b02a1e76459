//! The proof of which pods are let in.

use quick_junit::TestSuite;

use crate::report::{junit, text};
use crate::run::verify::pods::{Attempt, Pods};

/// What is not as it should be, a line each.
pub fn wrong(proof: &Pods) -> Vec<String> {
    let differences = proof.namespaces.iter().map(|namespace| super::wrong(&text::difference(namespace)));
    let attempts = proof.attempts.iter().filter(|attempt| !attempt.right);
    differences.chain(attempts.map(|attempt| super::wrong(&told(attempt)))).collect()
}

/// What is as it should be.
pub fn summary(proof: &Pods) -> Vec<String> {
    let mut lines = Vec::new();
    if proof.namespaces.is_empty() {
        lines.push("namespaces say of Pod Security what they should".to_owned());
    }
    let right = |allowed| proof.attempts.iter().filter(|one| one.right && one.allowed == allowed).count();
    let (accepted, refused) = (right(true), right(false));
    let (right, all) = (accepted + refused, proof.attempts.len());
    lines.push(format!("{right} of {all} pods answered as they should be: {accepted} accepted, {refused} refused"));
    lines
}

/// `pod in airflow, privileged: accepted, meant to be refused by Pod Security`
fn told(attempt: &Attempt) -> String {
    let Attempt { namespace, pod, allowed, seen, .. } = attempt;
    let meant = if *allowed { "to be accepted" } else { "to be refused by Pod Security" };
    format!("pod in {namespace}, {pod}: {seen}, meant {meant}")
}

/// A case for each namespace that differs, and each pod.
pub fn suite(proof: &Pods) -> TestSuite {
    let mut suite = TestSuite::new("lab verify pods");
    suite.set_time(proof.took);
    let mut add = |class: &str, name: String, problem: Option<String>| {
        suite.add_test_case(junit::case(&format!("lab.verify.pods.{class}"), name, problem.as_slice()));
    };
    for difference in &proof.namespaces {
        add("namespaces", difference.subject.clone(), Some(text::difference(difference)));
    }
    if proof.namespaces.is_empty() {
        add("namespaces", "all as rendered".to_owned(), None);
    }
    for attempt in &proof.attempts {
        let name = format!("{} ({})", attempt.namespace, attempt.pod);
        add("pods", name, (!attempt.right).then(|| told(attempt)));
    }
    suite
}

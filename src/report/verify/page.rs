//! The proof as a page of its own, which needs nothing beside it.

use std::path::Path;

use anyhow::{Context as _, Result};
use handlebars::Handlebars;
use jiff::Timestamp;
use serde::Serialize;

use super::matrix::{Answer, Matrix};
use crate::report::{duration, file, moment};
use crate::run::verify::Proof;
use crate::run::verify::access::{Access, Topic};
use crate::run::verify::network::{Connection, Judgement, Network};
use crate::run::verify::pods::Pods;

#[derive(Serialize)]
struct Page<'a> {
    lab: &'a str,
    passed: bool,
    verdict: &'static str,
    at: String,
    version: &'static str,
    took: String,
    culprits: Vec<String>,
    next: &'a str,
    sections: Vec<Section>,
}

#[derive(Serialize)]
struct Section {
    title: &'static str,
    about: String,
    matrices: Vec<Titled>,
}

#[derive(Serialize)]
struct Titled {
    title: &'static str,
    matrix: Matrix,
}

/// Writes the page, whole or not at all. `next` mends what is wrong.
///
/// # Errors
/// When the file cannot be written.
pub fn proof_page(proof: &Proof, next: &str, path: &Path) -> Result<()> {
    file::write(path, &html(proof, next, Timestamp::now())?)
}

fn html(proof: &Proof, next: &str, at: Timestamp) -> Result<String> {
    let mut sections = Vec::new();
    sections.extend(proof.access.as_ref().map(of_access));
    sections.extend(proof.pods.as_ref().map(of_pods));
    sections.extend(proof.network.as_ref().map(of_network));
    let page = Page {
        lab: &proof.lab,
        passed: proof.passed,
        verdict: super::verdict(proof),
        at: moment(at),
        version: env!("CARGO_PKG_VERSION"),
        took: duration(proof.took),
        culprits: super::wrongs(proof),
        next,
        sections,
    };
    let mut handlebars = Handlebars::new();
    handlebars.set_strict_mode(true);
    handlebars.render_template(include_str!("page.html"), &page).context("filling the page")
}

fn of_access(proof: &Access) -> Section {
    let reviews: Vec<Answer<'_>> = proof
        .reviews
        .iter()
        .map(|review| {
            let (verb, resource) = review.right.split_once(' ').unwrap_or(("", &review.right));
            Answer {
                over: review.namespace.as_deref().unwrap_or("cluster-wide"),
                column: &review.who,
                before: resource,
                row: verb,
                allowed: review.expected,
                judgement: if review.is_right() { Judgement::Right } else { Judgement::Wrong },
                note: review.reason.clone().unwrap_or_default(),
            }
        })
        .collect();
    let attempts = |topic| {
        let of_topic = proof.attempts.iter().filter(move |attempt| attempt.topic == topic);
        let answers: Vec<Answer<'_>> = of_topic
            .map(|attempt| Answer {
                over: "",
                column: &attempt.who,
                before: "",
                row: &attempt.request,
                allowed: attempt.expected.status < 400,
                judgement: if attempt.right { Judgement::Right } else { Judgement::Wrong },
                note: format!("{} {}", attempt.status, attempt.message.as_deref().unwrap_or_default()),
            })
            .collect();
        Matrix::of(&answers)
    };
    let about = format!(
        "{} answers of RBAC, {} real requests, of which none changed anything. In columns who asks, by namespace; in \
         rows what for.",
        proof.reviews.len(),
        proof.attempts.len()
    );
    let matrices = vec![
        Titled { title: "What RBAC says", matrix: Matrix::of(&reviews) },
        Titled { title: "What the guard keeps", matrix: attempts(Topic::Guard) },
        Titled { title: "What people can do", matrix: attempts(Topic::Person) },
        Titled { title: "Who is not of the lab", matrix: attempts(Topic::Outsider) },
    ];
    Section { title: "Who may do what", about, matrices }
}

fn of_pods(proof: &Pods) -> Section {
    let answers: Vec<Answer<'_>> = proof
        .attempts
        .iter()
        .map(|attempt| Answer {
            over: "",
            column: attempt.pod,
            before: "",
            row: &attempt.namespace,
            allowed: attempt.allowed,
            judgement: if attempt.right { Judgement::Right } else { Judgement::Wrong },
            note: attempt.seen.clone(),
        })
        .collect();
    let about = "Pods of each kind, sent to each namespace; the first obeys all rules of Pod Security.".to_owned();
    Section {
        title: "Which pods are let in",
        about,
        matrices: vec![Titled { title: "", matrix: Matrix::of(&answers) }],
    }
}

fn of_network(proof: &Network) -> Section {
    let about = format!(
        "{} connections between pods and {} between nodes, each tried anew from where its source stands. In columns \
         the source, in rows the target.",
        proof.connections.len(),
        proof.nodes.len()
    );
    let matrices = vec![
        Titled { title: "Pods", matrix: connections(&proof.connections, |one| (&one.from, &one.to)) },
        Titled { title: "Nodes", matrix: connections(&proof.nodes, |one| (&one.source, &one.target)) },
    ];
    Section { title: "Who may connect to whom", about, matrices }
}

fn connections<'a>(all: &'a [Connection], ends: fn(&Connection) -> (&String, &String)) -> Matrix {
    let answers: Vec<Answer<'a>> = all
        .iter()
        .map(|one| {
            let (source, target) = ends(one);
            Answer {
                over: "from",
                column: source,
                before: target,
                row: &one.port,
                allowed: one.allowed,
                judgement: one.judgement,
                note: format!("{} to {}, {}: {}", one.source, one.target, one.address, one.seen),
            }
        })
        .collect();
    Matrix::of(&answers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::verify::{access, tests::of};

    fn written(access: Access) -> String {
        html(&of(access), "lab up --name <lab>", Timestamp::UNIX_EPOCH).expect("a page")
    }

    #[test]
    fn a_page_shows_the_verdict_and_the_tables() {
        let page = written(access::tests::good());
        for part in ["proved</span>", "1970-01-01 00:00:00 UTC", "<th>secrets</th><th>get</th>", "class=\"allowed\""] {
            assert!(page.contains(part), "no {part} in {page}");
        }
        assert!(!page.contains("What is wrong") && !page.contains("class=\"wrong\""), "{page}");
    }

    #[test]
    fn a_page_shows_what_is_wrong_where_it_is() {
        let page = written(access::tests::bad());
        for part in
            ["What is wrong", "<li>WRONG     RoleBinding airflow/extra", "class=\"wrong\"", "lab up --name &lt;lab&gt;"]
        {
            assert!(page.contains(part), "no {part} in {page}");
        }
    }
}

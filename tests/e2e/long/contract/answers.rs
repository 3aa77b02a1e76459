//! Answers in a form in which two worlds can be compared: no ids, no times, and of an error the words that say what
//! is the matter.

use std::fmt::{Debug, Display};

use anyhow::Result;
use serde_json::Value;

/// What an error says, the more special words first.
const WORDS: [&str; 24] = [
    "network with name",
    "overlaps",
    "active endpoints",
    "already in use",
    "already allocated",
    "already exist",
    "no such container",
    "no such image",
    "does not exist locally",
    "volume is in use",
    "is not running",
    "could not locate any control plane",
    "field is immutable",
    "violates podsecurity",
    "admission webhook",
    "unsupported value",
    "previous terminated container",
    "is not valid for pod",
    "driver container failed",
    "connection refused",
    "no such file",
    "namespaces \"nowhere\" not found",
    "pods \"nobody\" not found",
    "not found",
];

#[derive(Default)]
pub struct Answers {
    about: &'static str,
    lines: Vec<String>,
}

impl Answers {
    /// The questions that follow are about this.
    pub fn about(&mut self, subject: &'static str) {
        self.about = subject;
    }

    pub fn add(&mut self, question: &str, answer: impl Display) {
        let line = format!("{}: {question}: {answer}", self.about);
        eprintln!("   {line}");
        self.lines.push(line);
    }

    /// The answer, or the words of the refusal.
    pub fn told(&mut self, question: &str, answer: Result<impl Debug>) {
        match answer {
            Ok(answer) => self.add(question, format!("{answer:?}").replace("()", "done")),
            Err(error) => self.add(question, refusal(&error)),
        }
    }

    /// The same, of what is JSON.
    pub fn value(&mut self, question: &str, answer: Result<Value>) {
        match answer {
            Ok(answer) => self.add(question, answer),
            Err(error) => self.add(question, refusal(&error)),
        }
    }

    pub fn text(&self) -> String {
        self.lines.join("\n") + "\n"
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lines.len()
    }

    /// Two lines for every question that was answered otherwise.
    pub fn differences(&self, expected: &str) -> Vec<String> {
        let question = |line: &str| line.split(": ").take(2).map(str::to_owned).collect::<Vec<_>>();
        let expected: Vec<&str> = expected.lines().collect();
        if !self.lines.iter().map(|line| question(line)).eq(expected.iter().map(|line| question(line))) {
            return vec!["these are other questions than those that are written down".to_owned()];
        }
        let pairs = expected.iter().zip(&self.lines).filter(|(expected, line)| *expected != line);
        pairs.map(|(expected, line)| format!("- {expected}\n+ {line}")).collect()
    }
}

fn refusal(error: &anyhow::Error) -> String {
    let text = format!("{error:#}").to_lowercase();
    let words = WORDS.iter().find(|words| text.contains(*words));
    let Some(words) = words else {
        eprintln!("   no known words: {error:#}");
        return "refused".to_owned();
    };
    format!("refused, {words}")
}

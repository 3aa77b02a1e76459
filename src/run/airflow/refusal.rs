//! What Airflow's API says where it does not do what it is asked for.

use std::fmt;

use anyhow::Error;
use hyper::StatusCode;
use serde_json::Value;

/// The longest text that is quoted of an answer.
const LONGEST: usize = 1000;

/// An answer with a status that is no success; it stands in the chain of the error that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: StatusCode,
    /// In Airflow's own words.
    pub detail: String,
}

impl Refusal {
    pub fn new(status: StatusCode, content: &[u8]) -> Self {
        let text = String::from_utf8_lossy(content);
        let detail = match serde_json::from_slice::<Value>(content) {
            Ok(answer) => said(&answer["detail"]),
            // A page for people, made by what stands before Airflow.
            Err(_) if text.trim_start().starts_with('<') => String::new(),
            Err(_) => text.trim().to_owned(),
        };
        Self { status, detail: detail.chars().take(LONGEST).collect() }
    }

    /// The refusal behind an error; none where no answer came at all.
    pub fn of(error: &Error) -> Option<&Self> {
        error.downcast_ref()
    }

    /// True where the same question may be answered in a while: a restart, a database that is away.
    pub fn may_pass(error: &Error) -> bool {
        Self::of(error).is_none_or(|refusal| refusal.status.is_server_error())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

impl std::error::Error for Refusal {}

/// A detail in words. What was sent is not quoted: it may be a password.
fn said(detail: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match detail {
        Value::Null => String::new(),
        Value::String(detail) => detail.clone(),
        // Each field that was not right.
        Value::Array(problems) => {
            let problem = |problem: &Value| {
                let place: Vec<String> = problem["loc"].as_array().into_iter().flatten().map(text).collect();
                format!("{}: {}", place.join("."), text(&problem["msg"]))
            };
            problems.iter().map(problem).collect::<Vec<_>>().join("; ")
        }
        // Of the database: its statement is of no use here.
        Value::Object(detail) => {
            let parts = ["reason", "message"].into_iter().filter_map(|key| detail.get(key)?.as_str());
            parts.collect::<Vec<_>>().join(": ")
        }
        other => other.to_string(),
    }
}

//! Patience: each question has a limit, and all of them together have one. What was not answered is remembered.

use std::cell::RefCell;
use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

/// The longest that all questions together may take.
const WHOLE: Duration = Duration::from_secs(50);
/// The longest that one question may take.
const ONE: Duration = Duration::from_secs(8);

pub struct Clock {
    end: Instant,
    missed: RefCell<Vec<String>>,
}

impl Clock {
    pub fn start() -> Self {
        Self { end: Instant::now() + WHOLE, missed: RefCell::default() }
    }

    /// The answer, or none and a note of what is missing and why.
    pub async fn ask<T>(&self, what: &str, question: impl Future<Output = Result<T>>) -> Option<T> {
        let limit = ONE.min(self.end.saturating_duration_since(Instant::now()));
        match tokio::time::timeout(limit, question).await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(error)) => self.miss(what, &format!("{error:#}")),
            Err(_) => self.miss(what, &format!("no answer within {} s", limit.as_secs())),
        }
    }

    /// Notes what is missing.
    pub fn miss<T>(&self, what: &str, why: &str) -> Option<T> {
        self.missed.borrow_mut().push(format!("{what}: {}", why.trim_end().replace('\n', " ")));
        None
    }

    pub fn missed(&self) -> Vec<String> {
        self.missed.borrow().clone()
    }
}

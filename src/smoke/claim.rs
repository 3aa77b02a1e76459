//! What a passed smoke job claims, and what speaks against it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Claim {
    /// `input`, `ranks`, `executors`, `nodes` or `work`.
    pub id: String,
    /// One sentence each; empty where the claim holds.
    pub problems: Vec<String>,
}

impl Claim {
    pub fn new(id: &str, problems: Vec<String>) -> Self {
        Self { id: id.to_owned(), problems }
    }
}

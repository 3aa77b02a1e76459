//! Waiting: look, say what was seen, look again. The engine's deadline ends it.

use std::time::Duration;

use anyhow::Result;

use super::Context;
use crate::ports::Ports;

/// How long to wait between two looks.
const INTERVAL: Duration = Duration::from_millis(500);

/// What one look saw.
pub enum Look<T> {
    Done(T),
    /// Not yet, and why.
    Pending(String),
}

/// Looks until it is done.
pub async fn until<P: Ports, T>(context: &Context<'_, P>, mut look: impl AsyncFnMut() -> Result<Look<T>>) -> Result<T> {
    loop {
        match look().await? {
            Look::Done(value) => return Ok(value),
            Look::Pending(why) => context.note(why),
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

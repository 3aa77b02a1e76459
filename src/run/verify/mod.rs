//! What `lab verify` does: it proves what the lab claims, and changes nothing of it.

pub mod access;
pub mod network;

use std::time::Duration;

use serde::Serializer;

/// How long a proof took, to a tenth of a second.
fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 10.0).round() / 10.0)
}

//! What `lab verify` does: it proves what the lab claims, and changes nothing of it.

pub mod network;

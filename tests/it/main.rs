//! The binary as people and scripts meet it: exit codes, messages, signals. Docker and kind are fakes.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that does not work")]

mod config;
mod engine;
mod engine_trouble;
mod host;
mod images;
mod lock;
mod output;
mod processes;
mod sandbox;
mod signals;
mod usage;

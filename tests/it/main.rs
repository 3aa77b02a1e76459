//! The binary as people and scripts meet it: exit codes, messages, signals. Docker and kind are fakes.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that does not work")]

mod completions;
mod config;
mod daily;
mod engine;
mod engine_trouble;
mod host;
mod images;
mod lock;
mod manual;
mod output;
mod sandbox;
mod signals;
mod usage;

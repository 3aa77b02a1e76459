//! The binary as people and scripts meet it: exit codes, messages, signals. Docker and kind are fakes.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that does not work")]

mod bench;
mod completions;
mod config;
mod daily;
mod diagnose;
mod engine;
mod engine_trouble;
mod events;
mod exit_codes;
mod host;
mod images;
mod junit;
mod lock;
mod manual;
mod output;
mod processes;
mod registries;
mod sandbox;
mod schema;
mod signals;
mod usage;
#[expect(dead_code, unused_imports, reason = "the tests of the engine use what these tests do not")]
#[path = "../world/mod.rs"]
mod world;

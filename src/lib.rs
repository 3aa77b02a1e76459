//! `lab` turns a machine with Docker into a small, honest copy of a production data platform.
//!
//! A plan is data: configuration → resolved [`config::Lab`] → [`components`] → [`plan::Plan`] →
//! [`run`], which observes, acts and verifies through [`ports`] and says what happens as
//! [`event::Event`]s. [`exec`] implements the ports; [`report`] is the only place that prints.
//!
//! A module uses only modules of its own layer or below; `tests/layers.rs` checks it.
//!
//! | layer | modules |
//! | --- | --- |
//! | 0 | `fault` kinds of failure and exit codes; `fingerprint` what something was made of |
//! | 1 | `access` who may do what; `config` text → checked `Lab`; `images` the catalogue; `dags` folders and runs of DAGs; `jobs` Spark jobs; `smoke` question and answer |
//! | 2 | `flows` who may connect to whom, and what policies make of it; `render` `Lab` → kind configuration and manifests |
//! | 3 | `step` what is to be true |
//! | 4 | `components` one file an installed thing; `ports` the doors; `event` what happened |
//! | 5 | `plan` all steps in order; `exec` the real doors |
//! | 6 | `run` walks the plan |
//! | 7 | `report` events → people |
//! | 8 | `cli` one file a verb |

pub mod access;
pub mod cli;
pub mod components;
pub mod config;
pub mod dags;
pub mod event;
pub mod exec;
pub mod fault;
pub mod fingerprint;
pub mod flows;
pub mod images;
pub mod jobs;
pub mod plan;
pub mod ports;
pub mod render;
pub mod report;
pub mod run;
pub mod smoke;
pub mod step;

// The world in memory, which the tests of `tests/` use as well, knows this crate by its name.
#[cfg(test)]
extern crate self as lab;

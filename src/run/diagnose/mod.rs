//! Explains failures: who is to blame, and a folder with everything that shows why.

mod clock;
mod collect;
mod folder;
mod mask;
mod object;
mod pods;
mod quote;
mod scene;
mod sources;
mod summary;
mod suspects;

pub use collect::{Diagnosis, diagnose, without_engine};
pub use mask::Mask;
pub use pods::{reason, why_not_ready};
pub use quote::quote;
pub use scene::Scene;
pub use suspects::suspects;

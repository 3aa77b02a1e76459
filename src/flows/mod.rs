//! Who may connect to whom: a table by hand, and what network policies make of it.
//!
//! The [`Table`] says what is meant. [`predict`] says what rendered policies would do, without a cluster;
//! `lab verify network` tries what the cluster does. The table is never made from the policies: what is wrong in
//! them would be wrong in it. The nodes themselves have a table and a [`firewall`] of their own.

mod evaluate;
pub mod firewall;
mod party;
mod policy;
mod predict;
mod table;

pub use evaluate::{Sides, sides};
pub use party::{Party, Pod, among};
pub use policy::{Direction, NetworkPolicy, Peer, PolicyPort, Rule, settle};
pub use predict::{Wrong, predict};
pub use table::{Cell, Mark, Port, Protocol, Table};

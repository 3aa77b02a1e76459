//! Who may do what in the cluster: the table that was written by hand, and what roles and bindings grant.
//!
//! [`expected`] says what the Kubernetes API is to answer, cell by cell. [`Access`] computes what RBAC makes of a set of
//! objects, without a cluster. The two know nothing of each other: that they agree is what the tests are for.
//! [`upstream`] is what a cluster is born with of what concerns everybody.

mod grants;
mod table;

pub use grants::{Access, Grant, Subject, granted_by};
pub use table::{Answer, Cell, Place, Table};

/// The table of this version.
const TABLE: &str = include_str!("access.table");

/// What every role may do, and may not.
///
/// # Errors
/// When the table is malformed, which tests rule out.
pub fn expected() -> anyhow::Result<Table> {
    TABLE.parse()
}

/// Roles and bindings of the pinned version of Kubernetes, and of kubeadm, that people or everybody get something from.
/// Rules of aggregated roles are left out: the cluster makes them of the others.
///
/// # Errors
/// When the file is malformed, which tests rule out.
pub fn upstream() -> anyhow::Result<Vec<serde_json::Value>> {
    Ok(serde_json::from_str(include_str!("upstream.json"))?)
}

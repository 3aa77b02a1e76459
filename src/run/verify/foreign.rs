//! What somebody added that gives more than the lab does. It is theirs, so it stays; but they should know.

use anyhow::Result;
use futures::try_join;

use super::{access, network};
use crate::event::Warning;
use crate::plan::Plan;
use crate::ports::Ports;
use crate::run::Run;

/// Warns of each policy, binding and role of this kind.
///
/// # Errors
/// When the cluster does not answer.
pub async fn warn<P: Ports>(run: &Run<'_, P>, plan: &Plan) -> Result<()> {
    let (policies, access) = try_join!(network::foreign(run, plan), access::foreign(run, plan))?;
    for one in policies.into_iter().chain(access) {
        let detail = one.detail.map(|detail| format!("; {detail}")).unwrap_or_default();
        let what = format!("{} is not the lab's, and stays{detail}", one.subject);
        let next = format!("lab verify{}   (shows what it opens)", run.flags);
        run.sink.warn(Warning::new("not-of-the-lab", what).next(next));
    }
    Ok(())
}

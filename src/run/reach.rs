//! The way to a lab that stands: its kubeconfig.

use anyhow::Result;

use super::{Run, cluster};
use crate::exec::host;
use crate::fault::{Fault, Kind};
use crate::ports::Ports;

/// Makes sure that there is a kubeconfig: where the file was lost, kind makes it again.
///
/// # Errors
/// [`Kind::Step`] where there is no cluster.
pub async fn reach<P: Ports>(run: &Run<'_, P>) -> Result<()> {
    if run.kubeconfig().is_file() {
        return Ok(());
    }
    if cluster::containers(run).await?.is_empty() {
        let fault = Fault::new(Kind::Step, format!("lab {} is not up", run.lab.name));
        return Err(fault.next(format!("lab up{}", run.flags)).error());
    }
    host::make_private_folder(&run.state)?;
    cluster::fetch_kubeconfig(run).await
}

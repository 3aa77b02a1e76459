//! `lab up`

use anyhow::Result;

use super::args::UpArgs;
use super::session::Session;
use crate::components::Site;
use crate::exec::host::Machine;
use crate::{exec, plan, report, run};

pub async fn up(args: UpArgs) -> Result<()> {
    let session = Session::open(&args.lab).await?;
    let _lock = session.lock()?;
    let sink = report::sink(args.ci);
    let mut run = session.run(&*sink);
    run.force_smoke = args.smoke;
    run::check_host(&run, &Machine).await?;
    let plan = plan::up(&Site { lab: &session.lab, catalogue: &session.catalogue })?;
    run.up(&plan).await?;
    if let Some(path) = &args.merge_kubeconfig {
        exec::kind::merge(&session.lab.name, path).await?;
    }
    report::talk(&format!(
        "  kubectl --kubeconfig {} get nodes\n  lab run pi{1}\n  lab status{1}",
        run.kubeconfig().display(),
        session.flags
    ));
    Ok(())
}

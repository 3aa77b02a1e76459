//! A Git repository of DAGs, asked as Airflow asks it: from its pod, with its login.

use anyhow::{Result, anyhow};

use crate::components::AIRFLOW_NAMESPACE;
use crate::event::Outcome;
use crate::fault::{Fault, Kind};
use crate::ports::{Kube as _, Ports};
use crate::run::Context;
use crate::run::airflow::{DAG_PROCESSOR, ready_pod};

/// How long the repository may take to answer, in seconds.
const PATIENCE: &str = "20";
/// The exit code of `timeout` when it had to end the program.
const NO_ANSWER: i64 = 124;
/// The exit code of `git ls-remote --exit-code` when nothing has that name.
const NO_REFERENCE: i64 = 2;

/// Sees that Airflow can read the repository. Airflow itself says only in its log that it cannot.
///
/// # Errors
/// [`Kind::Step`] with what Git says.
pub async fn reach<P: Ports>(context: &Context<'_, P>, url: &str, reference: &str) -> Result<Outcome> {
    let kube = context.run.ports.kube();
    let pod = ready_pod(kube, DAG_PROCESSOR).await?;
    // A repository lists branches and tags, not each commit.
    let listed = if is_commit(reference) { "HEAD" } else { reference };
    let argv = ["timeout", PATIENCE, "git", "ls-remote", "--exit-code", "--", url, listed];
    let output = kube.exec(AIRFLOW_NAMESPACE, &pod, &argv, b"").await?;
    let why = match output.code {
        0 => return Ok(Outcome::Unchanged(format!("{reference} of {url}"))),
        NO_ANSWER => format!("it gives no answer within {PATIENCE} s"),
        NO_REFERENCE => format!("it has no branch or tag {reference}"),
        _ => output.quoted(),
    };
    let flags = &context.run.flags;
    let fault = Fault::new(Kind::Step, format!("Airflow cannot read the DAGs of {url}"));
    Err(anyhow!(why).context(fault.next(format!("mend the repository or spec.airflow.dags.git; lab up{flags}"))))
}

fn is_commit(reference: &str) -> bool {
    reference.len() == 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
}

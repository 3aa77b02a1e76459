//! A Git repository of DAGs, asked from where Airflow asks it.

use anyhow::{Result, anyhow};

use crate::components::AIRFLOW_NAMESPACE;
use crate::components::airflow::GIT_LOGIN;
use crate::config::Git;
use crate::event::Outcome;
use crate::fault::{Fault, Kind};
use crate::ports::{Kube as _, Ports};
use crate::run::airflow::{DAG_PROCESSOR, ready_pod};
use crate::run::{Context, secret};
use crate::step::ObjectName;

/// Lists a reference, as the pod is set up to, but with the login on standard input: the pod may have an older one for
/// another minute.
const LIST: &str = r#"login=$(cat)
GIT_CONFIG_VALUE_0='!f() { printf "%s\n" "$login"; }; f'
export login GIT_CONFIG_VALUE_0
exec timeout 20 git ls-remote --exit-code -- "$1" "$2""#;
/// The exit code of `timeout` when it had to end the program.
const NO_ANSWER: i64 = 124;
/// The exit code of `git ls-remote --exit-code` when nothing has that name.
const NO_REFERENCE: i64 = 2;

/// Sees that Airflow can read the repository. Airflow itself says only in its log that it cannot.
///
/// # Errors
/// [`Kind::Step`] with what Git says.
pub async fn reach<P: Ports>(context: &Context<'_, P>, repository: &Git) -> Result<Outcome> {
    let Git { url, reference, .. } = repository;
    let kube = context.run.ports.kube();
    let pod = ready_pod(kube, DAG_PROCESSOR).await?;
    // A repository lists branches and tags, not each commit.
    let listed = if is_commit(reference) { "HEAD" } else { reference };
    let argv = ["sh", "-c", LIST, "list", url, listed];
    let output = kube.exec(AIRFLOW_NAMESPACE, &pod, &argv, login(context, repository).await?.as_bytes()).await?;
    let why = match output.code {
        0 => return Ok(Outcome::Unchanged(format!("{reference} of {url}"))),
        NO_ANSWER => "it gives no answer within 20 s".to_owned(),
        NO_REFERENCE => format!("it has no branch or tag {reference}"),
        _ => output.quoted(),
    };
    let flags = &context.run.flags;
    let fault = Fault::new(Kind::Step, format!("Airflow cannot read the DAGs of {url}"));
    Err(anyhow!(why)
        .context(fault.next(format!("mend the repository, spec.airflow.dags.git or its Secret; lab up{flags}"))))
}

/// In the form in which Git's credential helpers speak.
async fn login<P: Ports>(context: &Context<'_, P>, repository: &Git) -> Result<String> {
    if repository.secret.is_empty() {
        return Ok(String::new());
    }
    let (kube, secret) = (context.run.ports.kube(), ObjectName::new(AIRFLOW_NAMESPACE, &repository.secret));
    let mut login = String::new();
    for key in GIT_LOGIN {
        let value = secret::value(kube, &secret, key).await?;
        login.push_str(&format!("{key}={}\n", value.trim_end_matches('\n')));
    }
    Ok(login)
}

fn is_commit(reference: &str) -> bool {
    reference.len() == 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
}

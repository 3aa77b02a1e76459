//! `lab verify access`: the cluster answers people as the table says.
//!
//! The live roles, bindings, accounts and the guard are compared; RBAC is asked about every cell of the table; what
//! admission decides is tried by requests that change nothing; and those who are to get nowhere try to.

mod added;
mod attempt;
mod guard;
mod objects;
mod outsiders;
mod people;
mod reviews;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::try_join;
use schemars::JsonSchema;
use serde::Serialize;

pub use attempt::{Attempt, Expected, Topic};
pub use objects::foreign;
pub use reviews::Review;

use super::seconds;
use crate::access::expected;
use crate::components::Site;
use crate::components::people::{home, people};
use crate::fault::{Fault, Kind};
use crate::plan::Plan;
use crate::ports::Ports;
use crate::run::diff::Difference;
use crate::run::people::{CertificateStatus, certificates, find, request};
use crate::run::{Context, Run};
use outsiders::Outsiders;

/// Eight times what it takes on a small machine.
const DEADLINE: Duration = Duration::from_mins(2);
/// Requests that are under way at the same time; each has a connection of its own.
const CONNECTIONS: usize = 8;

/// What was proved, and what was not.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Access {
    /// True where everything is as the table says.
    pub passed: bool,
    /// Roles, bindings, service accounts and the guard that are missing, changed, or not the lab's.
    pub objects: Vec<Difference>,
    /// Of each person. Who has none that can be used could not try anything.
    pub certificates: Vec<CertificateStatus>,
    /// What RBAC says, for every cell of the table, and for what no account may.
    pub reviews: Vec<Review>,
    /// Real requests, of which none changes anything.
    pub attempts: Vec<Attempt>,
    #[serde(rename = "seconds", serialize_with = "seconds")]
    #[schemars(with = "f64")]
    pub took: Duration,
}

/// Proves it.
///
/// # Errors
/// When the proof cannot be made: that is no verdict.
pub async fn access<P: Ports>(run: &Run<'_, P>, plan: &Plan) -> Result<Access> {
    let proved = run.within("verify", DEADLINE, async |context| {
        let kube = run.ports.kube();
        // An earlier run may have been cut short.
        request::withdraw(kube).await?;
        let proved = prove(context, plan).await;
        let left = request::withdraw(kube).await;
        let proved = proved?;
        left.map(|()| proved)
    });
    proved.await.map_err(|error| {
        let next = format!("lab status{}   (what is there)", run.flags);
        error.context(Fault::new(Kind::Step, "access could not be tried").next(next))
    })
}

async fn prove<P: Ports>(context: &Context<'_, P>, plan: &Plan) -> Result<Access> {
    let (run, started) = (context.run, Instant::now());
    let site = Site { lab: run.lab, catalogue: run.catalogue };
    let table = expected()?;
    let administrator = fs_err::read_to_string(run.kubeconfig())?;
    context.note("roles, bindings, accounts and the guard");
    let objects = objects::compare(run, plan).await?;

    let questions = reviews::questions(&site, &table, plan);
    context.note(format!("{} questions to RBAC", questions.len()));
    let (reviews, outsiders) =
        try_join!(reviews::ask(run.ports.kube(), &administrator, questions), Outsiders::make(context))?;

    let people = people(&site);
    let certificates = certificates(run, &people, run.lab.people.certificate_seconds, home(&site).as_deref())?;
    let mut kubeconfigs = BTreeMap::new();
    for certificate in certificates.iter().filter(|certificate| certificate.usable) {
        let (path, _) = find(run, &certificate.user)?;
        kubeconfigs.insert(certificate.user.clone(), fs_err::read_to_string(path)?);
    }
    let mut wanted = guard::attempts(run, &table, plan, &kubeconfigs).await?;
    wanted.extend(people::attempts(&site, &people, &kubeconfigs));
    wanted.extend(outsiders.attempts(&site));
    context.note(format!("{} requests", wanted.len()));
    let attempts = attempt::send(run.ports.kube(), &wanted).await?;

    let passed = objects.is_empty()
        && certificates.iter().all(|certificate| certificate.usable)
        && reviews.iter().all(Review::is_right)
        && attempts.iter().all(|attempt| attempt.right);
    Ok(Access { passed, objects, certificates, reviews, attempts, took: started.elapsed() })
}

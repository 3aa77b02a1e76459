//! How the certificates of people stand, as the files say.

use anyhow::Result;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::kubeconfig::{Cluster, Kubeconfig};
use super::{is_private, path};
use crate::config::Role;
use crate::ports::Ports;
use crate::run::Run;
use crate::step::Person;

/// A person's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CertificateStatus {
    pub user: String,
    pub role: Role,
    /// When it ends: RFC 3339, in UTC; none where there is no certificate that can be read.
    #[schemars(with = "Option<String>")]
    pub ends: Option<Timestamp>,
    /// False where it opens nothing: it is not there, has ended, or is of another cluster.
    pub usable: bool,
    /// Why the next `lab up` makes another one; none where it is good.
    pub renewal: Option<String>,
}

/// The certificate of each; the cluster is not asked.
///
/// # Errors
/// When the kubeconfig of the lab's administrator, which says what cluster it is, cannot be read.
pub fn certificates<P: Ports>(
    run: &Run<'_, P>,
    people: &[Person],
    lifetime: u32,
    namespace: Option<&str>,
) -> Result<Vec<CertificateStatus>> {
    let cluster = Cluster::of(&fs_err::read_to_string(run.kubeconfig())?)?;
    let now = Timestamp::now();
    let status = |person: &Person| {
        let path = path(run, &person.name);
        let lacking = |why: &str| CertificateStatus {
            user: person.name.clone(),
            role: person.role,
            ends: None,
            usable: false,
            renewal: Some(why.to_owned()),
        };
        let Ok(text) = fs_err::read_to_string(&path) else { return lacking("there is none") };
        let Ok(found) = Kubeconfig::read(&text) else { return lacking("it cannot be read") };
        let certificate = &found.certificate;
        let misfit = found.fits(&run.lab.name, person, namespace, &cluster);
        let usable = misfit.is_none() && certificate.ends > now;
        let open = (!is_private(&path)).then(|| "others can read it".to_owned());
        let renewal = open.or(misfit).or_else(|| certificate.why_not(person, lifetime, now));
        CertificateStatus { ends: Some(certificate.ends), usable, renewal, ..lacking("") }
    };
    Ok(people.iter().map(status).collect())
}

//! People: a client certificate of the cluster's own authority for each, in a kubeconfig that only its owner may read.

mod certificate;
pub mod kubeconfig;
pub mod request;
mod status;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use jiff::Timestamp;

pub use kubeconfig::merge;
pub use status::{CertificateStatus, certificates};

use self::kubeconfig::{Cluster, Kubeconfig};
use super::{Context, Run, cluster};
use crate::event::Outcome;
use crate::exec::host;
use crate::fault::{Fault, Kind};
use crate::ports::Ports;
use crate::step::Person;

/// Ends the names of the files, so that no other is ever taken for one.
const EXTENSION: &str = "kubeconfig";

pub async fn have<P: Ports>(
    context: &Context<'_, P>,
    people: &[Person],
    lifetime: u32,
    namespace: Option<&str>,
) -> Result<Outcome> {
    let run = context.run;
    request::withdraw(run.ports.kube()).await?;
    let stale = stale(run, people, lifetime, namespace)?;
    if !stale.is_empty() {
        protect(&run.people())?;
    }
    let cluster = Cluster::of(&fs_err::read_to_string(run.kubeconfig())?)?;
    try_join_all(stale.iter().map(async |(person, _)| {
        let (key, certificate) = request::issue(context, &person.name, &person.group, lifetime).await?;
        let text = kubeconfig::text(&run.lab.name, person, namespace, &cluster, &certificate, &key)?;
        cluster::write_private(&path(run, &person.name), &text)
    }))
    .await?;
    // Only now: what is in a file is worth more than a request that was answered.
    request::withdraw(run.ports.kube()).await?;
    let gone = gone(run, people)?;
    for path in &gone {
        fs_err::remove_file(path)?;
    }
    Ok(match (stale.len(), gone.len()) {
        (0, 0) => Outcome::Unchanged(format!("{} certificates are good", people.len())),
        (made, 0) => Outcome::Changed(format!("{made} of {} made", people.len())),
        (made, removed) => Outcome::Changed(format!("{made} of {} made, {removed} removed", people.len())),
    })
}

/// What is not as it is wanted.
pub enum Lack {
    /// This person has none.
    Missing(String),
    /// Of this person, and why.
    Stale(String, String),
    /// Of somebody who is not in the configuration.
    Unwanted(String),
    /// A request that a run left which was cut short.
    Request(String),
}

pub async fn lacking<P: Ports>(
    run: &Run<'_, P>,
    people: &[Person],
    lifetime: u32,
    namespace: Option<&str>,
) -> Result<Vec<Lack>> {
    let stale = stale(run, people, lifetime, namespace)?;
    let lack = |(person, why): (&Person, String)| {
        let name = person.name.clone();
        if path(run, &name).is_file() { Lack::Stale(name, why) } else { Lack::Missing(name) }
    };
    let mut found: Vec<Lack> = stale.into_iter().map(lack).collect();
    found.extend(gone(run, people)?.iter().filter_map(|path| Some(Lack::Unwanted(stem(path)?.to_owned()))));
    found.extend(request::left(run.ports.kube()).await?.into_iter().map(Lack::Request));
    Ok(found)
}

/// The kubeconfig of a person: where it is, and its context.
///
/// # Errors
/// [`Kind::Step`] where there is none, or one that has run out.
pub fn find<P: Ports>(run: &Run<'_, P>, name: &str) -> Result<(PathBuf, String)> {
    let path = path(run, name);
    let next = format!("lab up{}", run.flags);
    let there = path.is_file();
    let fault = |what: String| Fault::new(Kind::Step, what).next(&next);
    if !there {
        return Err(fault(format!("there is no kubeconfig of {name} yet")).error());
    }
    let found = Kubeconfig::read(&fs_err::read_to_string(&path)?)
        .with_context(|| fault(format!("{} cannot be used", path.display())))?;
    if found.certificate.ends <= Timestamp::now() {
        let what = format!("the certificate of {name} ran out at {}", found.certificate.ends);
        return Err(fault(what).error());
    }
    Ok((path, found.context))
}

/// Those whose kubeconfig is missing or not as it is wanted, and why.
fn stale<'a, P: Ports>(
    run: &Run<'_, P>,
    people: &'a [Person],
    lifetime: u32,
    namespace: Option<&str>,
) -> Result<Vec<(&'a Person, String)>> {
    let found = certificates(run, people, lifetime, namespace)?;
    Ok(people.iter().zip(found).filter_map(|(person, found)| Some((person, found.renewal?))).collect())
}

/// Kubeconfigs of people who are not in the configuration any more.
fn gone<P: Ports>(run: &Run<'_, P>, people: &[Person]) -> Result<Vec<PathBuf>> {
    let folder = run.people();
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        let of_nobody = |name: &str| people.iter().all(|person| person.name != name);
        if path.extension().is_some_and(|extension| extension == EXTENSION) && stem(&path).is_some_and(of_nobody) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn path<P: Ports>(run: &Run<'_, P>, name: &str) -> PathBuf {
    run.people().join(format!("{name}.{EXTENSION}"))
}

fn stem(path: &Path) -> Option<&str> {
    path.file_stem()?.to_str()
}

fn is_private(path: &Path) -> bool {
    fs_err::metadata(path).is_ok_and(|found| found.permissions().mode().trailing_zeros() >= 6)
}

/// A folder that only its owner may enter, whoever made it.
fn protect(folder: &Path) -> Result<()> {
    host::make_private_folder(folder)?;
    fs_err::set_permissions(folder, PermissionsExt::from_mode(0o700)).context("protecting the kubeconfigs of people")
}

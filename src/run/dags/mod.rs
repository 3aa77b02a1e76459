//! DAGs in their buckets.

mod check;
mod list;
mod logs;
mod push;
mod repository;

use anyhow::{Context as _, Result};
use include_dir::{Dir, include_dir};

use super::diff::State;
use super::{Context, store};
use crate::components::SAMPLE_DAGS_BUCKET;
use crate::dags::{Files, files};
use crate::event::Outcome;
use crate::fingerprint::Fingerprint;
use crate::jobs::Job;
use crate::ports::{Kube, Ports};

pub use list::{Listing, list};
pub use logs::{Wanted, logs};
pub use push::push;
pub use repository::reach as reach_repository;

/// The sample DAGs travel inside the binary.
static SAMPLES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/sample-dags");

/// Has the bucket of samples hold these and nothing else, and the bucket of jobs their input.
pub async fn have_samples<P: Ports>(context: &Context<'_, P>) -> Result<Outcome> {
    let kube = context.run.ports.kube();
    let mut changed = Vec::new();
    let pagerank = Job::sample("pagerank").context("the sample job is part of the binary")??;
    let folder = format!("{}/samples/pagerank/input", context.run.lab.object_store.bucket);
    for (name, content) in &pagerank.input {
        have(kube, &format!("{folder}/{name}"), content, &mut changed).await?;
    }
    changed.extend(sync(kube, SAMPLE_DAGS_BUCKET, &samples()).await?);
    Ok(match changed.len() {
        0 => Outcome::Unchanged("all there".to_owned()),
        count => Outcome::Changed(files(count)),
    })
}

/// The sample DAGs that are not as they are to be. Changes nothing.
pub async fn differences<K: Kube>(kube: &K) -> Result<Vec<(String, State)>> {
    let (wanted, mut found) = (samples(), Vec::new());
    if store::holds(kube, SAMPLE_DAGS_BUCKET, &wanted).await? {
        return Ok(found);
    }
    let there = store::list(kube, SAMPLE_DAGS_BUCKET).await?;
    for (path, content) in &wanted {
        match store::try_get(kube, &format!("{SAMPLE_DAGS_BUCKET}/{path}")).await? {
            None => found.push((path.clone(), State::Missing)),
            Some(live) if live != *content => found.push((path.clone(), State::Different)),
            Some(_) => {}
        }
    }
    let others = there.into_keys().filter(|path| !wanted.contains_key(path));
    found.extend(others.map(|path| (path, State::Unwanted)));
    Ok(found)
}

/// Changes with any of the sample DAGs.
pub fn samples_hash() -> String {
    let mut print = Fingerprint::default();
    for (path, content) in samples() {
        print.add(path);
        print.add(content);
    }
    print.hex()
}

fn samples() -> Files {
    let file = |file: &include_dir::File<'_>| (file.path().to_string_lossy().into_owned(), file.contents().to_vec());
    SAMPLES.files().map(file).collect()
}

/// Makes a bucket hold these files and no others; the paths that it changed.
pub async fn sync<K: Kube>(kube: &K, bucket: &str, files: &Files) -> Result<Vec<String>> {
    let mut changed = Vec::new();
    if store::holds(kube, bucket, files).await? {
        return Ok(changed);
    }
    for (path, content) in files {
        have(kube, &format!("{bucket}/{path}"), content, &mut changed).await?;
    }
    for path in store::list(kube, bucket).await?.into_keys() {
        if !files.contains_key(&path) {
            store::remove_one(kube, &format!("{bucket}/{path}")).await?;
            changed.push(path);
        }
    }
    Ok(changed)
}

/// Writes an object where it is not so already.
async fn have<K: Kube>(kube: &K, path: &str, content: &[u8], changed: &mut Vec<String>) -> Result<()> {
    if store::try_get(kube, path).await?.as_deref() != Some(content) {
        store::put(kube, path, content).await?;
        changed.push(path.to_owned());
    }
    Ok(())
}

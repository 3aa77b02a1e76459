//! `lab dags push`: a folder's files go into the bucket of DAGs when Airflow can load them all.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};

use super::check::{Found, FoundDag, check};
use super::{have, store};
use crate::components::DAGS_BUCKET;
use crate::dags::{Files, Folder, files};
use crate::event::{Outcome, Warning};
use crate::fault::{Fault, Kind};
use crate::ports::Ports;
use crate::run::Context;
use crate::run::airflow::dags::Dag;
use crate::run::airflow::{Airflow, pending};
use crate::run::wait::{Look, until};

/// Puts the files there, removes others where that is wished, and waits until Airflow has the new text.
///
/// # Errors
/// [`Kind::Config`] with file and line where a file cannot be loaded: then nothing was changed.
pub async fn push<P: Ports>(context: &Context<'_, P>, folder: &Folder, delete: bool) -> Result<Outcome> {
    let (kube, flags) = (context.run.ports.kube(), &context.run.flags);
    let airflow = Airflow::login(context.run).await?;
    let there = store::list(kube, DAGS_BUCKET).await?;
    let others: Vec<String> = there.into_keys().filter(|path| !folder.files.contains_key(path)).collect();
    let mut all = folder.files.clone();
    if !delete {
        for path in &others {
            all.insert(path.clone(), store::get(kube, &format!("{DAGS_BUCKET}/{path}")).await?);
        }
    }
    context.note(format!("Airflow loads {} to see what they hold", files(all.len())));
    let found = check(context, &all).await?;
    let before = airflow.dags().await?;
    if let Some(error) = refused(folder, &found, &before, flags) {
        return Err(error);
    }
    let mut changed = Vec::new();
    for (path, content) in &folder.files {
        context.note(format!("putting {path}"));
        have(kube, &format!("{DAGS_BUCKET}/{path}"), content, &mut changed).await?;
    }
    if delete {
        for path in &others {
            store::remove_one(kube, &format!("{DAGS_BUCKET}/{path}")).await?;
            changed.push(format!("{DAGS_BUCKET}/{path}"));
        }
    } else if !others.is_empty() {
        let what =
            format!("the bucket has {} that {} has not: {}", files(others.len()), folder.path, others.join(", "));
        let next = format!("lab dags push {} --delete{flags}   (removes them)", folder.path);
        context.run.sink.warn(Warning::new("other-dags", what).next(next));
    }
    let ids = found.dags.iter().map(|dag| dag.id.as_str()).collect::<Vec<_>>().join(", ");
    if changed.is_empty() {
        return Ok(Outcome::Unchanged(format!("all there ({}); DAGs: {ids}", files(folder.files.len()))));
    }
    let before = before.into_iter().map(|dag| (dag.id.clone(), dag)).collect();
    seen(context, &airflow, &all, &found.dags, &before).await?;
    Ok(Outcome::Changed(format!("{}; DAGs: {ids}", files(changed.len()))))
}

/// Why these files are not taken, none where they are.
fn refused(folder: &Folder, found: &Found, before: &[Dag], flags: &str) -> Option<anyhow::Error> {
    let mut problems: Vec<String> = found.errors.iter().map(|error| error.line_in(&folder.path)).collect();
    for FoundDag { id, file } in &found.dags {
        let other = before.iter().find(|dag| dag.id == *id).and_then(|dag| dag.bundle.as_deref());
        if let Some(bundle) = other.filter(|bundle| *bundle != DAGS_BUCKET) {
            problems.push(format!("{}/{file}: {bundle} has a DAG {id} already; choose another id", folder.path));
        }
    }
    if problems.is_empty() && found.dags.is_empty() {
        problems.push(format!("no file of {} holds a DAG", folder.path));
    }
    let what = "these DAG files are not taken; what runs stays as it is".to_owned();
    let next = format!("mend these lines; lab dags push {}{flags}", folder.path);
    (!problems.is_empty()).then(|| anyhow!(problems.join("\n")).context(Fault::new(Kind::Config, what).next(next)))
}

/// Waits until Airflow has read each DAG anew: its text is the file's, or the file was parsed since.
async fn seen<P: Ports>(
    context: &Context<'_, P>,
    airflow: &Airflow<'_, P>,
    files: &Files,
    dags: &[FoundDag],
    before: &BTreeMap<String, Dag>,
) -> Result<()> {
    for dag in dags {
        // It waits for the next look at the bucket otherwise; where this cannot be had, it does.
        if let Some(known) = before.get(&dag.id) {
            drop(airflow.parse(known).await);
        }
    }
    for FoundDag { id, file } in dags {
        until(context, async || {
            let look = async || {
                let Some(dag) = airflow.dag(id).await? else { return Ok(Some("Airflow has not seen it yet")) };
                if before.get(id).is_some_and(|old| dag.parsed <= old.parsed) {
                    return Ok(Some("Airflow has not parsed it again yet"));
                }
                let text = airflow.source(id).await?;
                let is_new = text.as_deref().map(str::as_bytes) == files.get(file).map(Vec::as_slice);
                anyhow::Ok((!is_new).then_some("Airflow has its text of before"))
            };
            match look().await {
                Ok(None) => Ok(Look::Done(())),
                Ok(Some(why)) => Ok(Look::Pending(format!("DAG {id}: {why}"))),
                Err(error) => pending(error),
            }
        })
        .await?;
    }
    Ok(())
}

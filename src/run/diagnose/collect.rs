//! The order in which a diagnosis is made: what there is, who is to blame, the summary, and then everything else.

use std::path::{Path, PathBuf};

use anyhow::Result;
use jiff::Timestamp;

use super::clock::Clock;
use super::folder::Folder;
use super::mask::Mask;
use super::scene::Scene;
use super::sources::Sources;
use super::summary::{Summary, known};
use super::suspects::suspects;
use crate::components::LABEL;
use crate::config::Lab;
use crate::event::Warning;
use crate::exec::host;
use crate::plan::Plan;
use crate::ports::{Clusters as _, Docker as _, Engine, Ports};
use crate::run::{Run, cluster};

/// What came of a diagnosis. No secret is in it.
pub struct Diagnosis {
    /// None where it could not be written.
    pub folder: Option<PathBuf>,
    /// The likeliest culprit, with events and last lines.
    pub culprit: Option<String>,
    /// Ids of the known failures that show.
    pub known: Vec<&'static str>,
    pub summary: String,
}

/// What a diagnosis is made from.
struct Seen {
    engine: Option<Engine>,
    scene: Scene,
    versions: Vec<String>,
}

/// Looks at everything, says who is to blame, and writes a folder. Changes nothing else, needs nothing to work,
/// and ends within a minute. `said` is the text of the error, empty where there is none.
pub async fn diagnose<P: Ports>(run: &Run<'_, P>, plan: &Plan, said: &str) -> Diagnosis {
    let clock = Clock::start();
    let mut mask = own_secrets(&run.state);
    let mut sources = Sources::default();
    let seen = look(run, &clock, &mut mask, &mut sources).await;
    let found = suspects(&seen.scene, said, Timestamp::now());
    let culprit = found.first().map(|one| mask.text(&one.to_string()));
    let known = known(&found, said).iter().map(|known| known.id).collect();
    let summary = || {
        let (scene, versions) = (&seen.scene, seen.versions.as_slice());
        let summary = Summary { lab: &run.lab.name, suspects: &found, said, scene, versions, missed: clock.missed() };
        mask.text(&summary.text())
    };
    let folder = match Folder::make(&run.state) {
        Ok(folder) => folder,
        Err(error) => {
            run.sink.warn(Warning::new("diagnostics", format!("no diagnostics could be written: {error:#}")));
            return Diagnosis { folder: None, culprit, known, summary: summary() };
        }
    };
    let written = async {
        // First of all, in case what follows is cut short.
        folder.write("summary.txt", &summary(), &mask)?;
        sources.lab(run.lab, plan, &run.state);
        if let Some(engine) = &seen.engine {
            sources.engine(run, engine, &seen.scene.containers, &clock).await;
        }
        sources.cluster(run, &seen.scene, &clock).await;
        sources.write(&folder, &mask)?;
        folder.write("summary.txt", &summary(), &mask)
    };
    if let Err(error) = written.await {
        run.sink.warn(Warning::new("diagnostics", format!("the diagnostics are not complete: {error:#}")));
    }
    Diagnosis { folder: Some(folder.path), culprit, known, summary: summary() }
}

/// Asks engine and cluster what there is; learns every secret.
async fn look<P: Ports>(run: &Run<'_, P>, clock: &Clock, mask: &mut Mask, sources: &mut Sources) -> Seen {
    let docker = run.ports.docker();
    let mut versions = vec![own_version()];
    let engine = clock.ask("the Docker engine", docker.engine()).await;
    let mut containers = Vec::new();
    if let Some(engine) = &engine {
        versions.push(format!("Docker engine {}, cgroup v{}", engine.version, engine.cgroup));
        let kinds = clock.ask("containers of the cluster", cluster::containers(run)).await;
        let label = format!("{LABEL}={}", run.lab.name);
        let own = clock.ask("containers of the lab", docker.containers(&label)).await;
        containers = kinds.into_iter().chain(own).flatten().collect();
    }
    sources.containers(run, &containers, clock, mask).await;
    versions.extend(clock.ask("kind", run.ports.clusters().version()).await.map(|version| format!("kind {version}")));
    let mut scene = if run.kubeconfig().is_file() {
        Scene::look(run.ports.kube(), clock, mask).await
    } else {
        clock.miss::<()>("the Kubernetes API", "there is no kubeconfig yet");
        Scene::default()
    };
    scene.containers = containers;
    scene.bucket.clone_from(&run.lab.object_store.bucket);
    Seen { engine, scene, versions }
}

/// As [`diagnose`], where there is no engine to ask: what this machine alone can say.
///
/// # Errors
/// When the folder cannot be written.
pub fn without_engine(lab: &Lab, plan: &Plan, state: &Path, said: &str) -> Result<Diagnosis> {
    let mask = own_secrets(state);
    let mut sources = Sources::default();
    sources.lab(lab, plan, state);
    let missed = vec!["everything in Docker and in the cluster: no engine answers".to_owned()];
    let scene = Scene::default();
    let summary = Summary { lab: &lab.name, suspects: &[], said, scene: &scene, versions: &[own_version()], missed };
    let summary = mask.text(&summary.text());
    let folder = Folder::make(state)?;
    folder.write("summary.txt", &summary, &mask)?;
    sources.write(&folder, &mask)?;
    let known = known(&[], said).iter().map(|known| known.id).collect();
    Ok(Diagnosis { folder: Some(folder.path), culprit: None, known, summary })
}

fn own_version() -> String {
    format!("lab {}", env!("CARGO_PKG_VERSION"))
}

/// The secrets of this machine and of the lab's kubeconfigs.
fn own_secrets(state: &Path) -> Mask {
    let mut mask = Mask::default();
    for secret in host::secrets(super::mask::is_secret_name) {
        mask.add(secret.as_bytes());
    }
    let people = fs_err::read_dir(state.join("people")).into_iter().flatten().flatten();
    for path in people.map(|entry| entry.path()).chain([state.join("kubeconfig")]) {
        if let Ok(text) = fs_err::read_to_string(path) {
            mask.add_kubeconfig(&text);
        }
    }
    mask
}

#[cfg(test)]
mod tests;

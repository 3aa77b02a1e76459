//! Images in the Docker engine: already there, pulled, or built.

use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Context, Run, build};
use crate::event::Outcome;
use crate::fault::{Fault, Kind};
use crate::images::{Catalogue, Image};
use crate::ports::{Docker, Ports};

/// How long a first pull may take to show any sign of life before the registry counts as out of reach.
const REACH: Duration = Duration::from_secs(10);

/// The image that nodes are made of.
const NODE: &str = "node";

/// Where images come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Source {
    /// What is here already, else the registry, else built from package registries.
    Auto,
    /// Image registries only.
    Registry,
    /// Built from package registries only.
    Build,
}

/// Where an image is at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum ImageState {
    /// Made from its recipe; `size` in bytes.
    Built {
        tag: String,
        size: u64,
    },
    /// From its upstream registry; `size` in bytes.
    Pulled {
        reference: String,
        size: u64,
    },
    Missing,
}

/// Looks for an image that this source allows.
pub async fn state<D: Docker>(docker: &D, catalogue: &Catalogue, name: &str, source: Source) -> Result<ImageState> {
    let image = catalogue.get(name)?;
    if source != Source::Registry || !image.upstream {
        let tag = catalogue.built_tag(name)?;
        if let Some(image) = docker.image(&tag).await? {
            return Ok(ImageState::Built { tag, size: image.size });
        }
    }
    if source != Source::Build && image.upstream {
        let mut found = None;
        for reference in &image.references {
            match docker.image(&pinned(image, reference)).await? {
                Some(image) => found = Some(image.size),
                None => return Ok(ImageState::Missing),
            }
        }
        if let (Some(size), Some(reference)) = (found, image.references.first()) {
            return Ok(ImageState::Pulled { reference: pinned(image, reference), size });
        }
    }
    Ok(ImageState::Missing)
}

/// The name to pull: with the digest where it is locked.
pub fn pinned(image: &Image, reference: &str) -> String {
    image.digest.as_ref().map_or_else(|| reference.to_owned(), |digest| format!("{reference}@{digest}"))
}

/// The name under which the engine holds an image.
pub async fn engine_reference<P: Ports>(run: &Run<'_, P>, name: &str) -> Result<String> {
    match state(run.ports.docker(), run.catalogue, name, run.source).await? {
        ImageState::Built { tag, .. } => Ok(tag),
        ImageState::Pulled { reference, .. } => Ok(reference),
        ImageState::Missing => bail!("image {name} is not in the Docker engine"),
    }
}

/// The names under which the engine holds what each reference of an image stands for.
pub async fn engine_references<P: Ports>(run: &Run<'_, P>, name: &str) -> Result<Vec<(String, String)>> {
    let image = run.catalogue.get(name)?;
    let held = state(run.ports.docker(), run.catalogue, name, run.source).await?;
    let pair = |reference: &String| match &held {
        ImageState::Built { tag, .. } => Ok((tag.clone(), reference.clone())),
        ImageState::Pulled { .. } => Ok((pinned(image, reference), reference.clone())),
        ImageState::Missing => Err(anyhow!("image {name} is not in the Docker engine")),
    };
    image.references.iter().map(pair).collect()
}

/// Those of these images that the nodes do not bring along.
pub async fn needed<P: Ports>(run: &Run<'_, P>, names: &[String]) -> Result<Vec<String>> {
    let node = state(run.ports.docker(), run.catalogue, NODE, run.source).await?;
    let mut needed = names.to_vec();
    if matches!(node, ImageState::Pulled { .. }) {
        needed.retain(|name| run.catalogue.get(name).is_ok_and(|image| !image.in_node));
    }
    Ok(needed)
}

/// The step `images`.
pub async fn have<P: Ports>(context: &Context<'_, P>, names: &[String]) -> Result<Outcome> {
    let run = context.run;
    let mut note = |note| context.note(note);
    let mut made = provide(run.ports, run.catalogue, &[NODE.to_owned()], run.source, &mut note).await?;
    let needed = needed(run, names).await?;
    made.extend(provide(run.ports, run.catalogue, &needed, run.source, &mut note).await?);
    Ok(match made.as_slice() {
        [] => Outcome::Unchanged("all there".to_owned()),
        made => Outcome::Changed(made.join(", ")),
    })
}

/// Makes sure that the engine holds these images; returns the names of those it got.
///
/// # Errors
/// When an image can neither be pulled nor built, as far as `source` allows.
pub async fn provide<P: Ports>(
    ports: &P,
    catalogue: &Catalogue,
    names: &[String],
    source: Source,
    note: &mut dyn FnMut(String),
) -> Result<Vec<String>> {
    let (mut missing, mut pullable) = (Vec::new(), Vec::new());
    for name in names {
        if state(ports.docker(), catalogue, name, source).await? == ImageState::Missing {
            missing.push(name.clone());
            pullable.extend(catalogue.get(name)?.upstream.then(|| name.clone()));
        }
    }
    let mut to_build = missing.clone();
    if source != Source::Build && !pullable.is_empty() {
        let failed = pull_all(ports, catalogue, &pullable, source, note).await?;
        to_build.retain(|name| !pullable.contains(name) || failed.contains(name));
    }
    if !to_build.is_empty() {
        build::all(ports, catalogue, &to_build, note).await?;
    }
    Ok(missing)
}

/// Pulls images; returns those that are to be built instead. When the very first cannot be pulled,
/// registries count as out of reach and none of the others is tried.
async fn pull_all<P: Ports>(
    ports: &P,
    catalogue: &Catalogue,
    names: &[String],
    source: Source,
    note: &mut dyn FnMut(String),
) -> Result<Vec<String>> {
    let mut failed = Vec::new();
    for (position, name) in names.iter().enumerate() {
        let heading = format!("pulling {name} ({} of {})", position + 1, names.len());
        note(heading.clone());
        let mut progress = |text| note(format!("{heading}: {text}"));
        let Err(error) = pull_image(ports.docker(), catalogue.get(name)?, &mut progress).await else { continue };
        if source == Source::Registry {
            let fault = Fault::new(Kind::Step, format!("image {name} cannot be pulled"));
            return Err(error.context(fault.next("lab up --images build   (makes all from package registries)")));
        }
        if position == 0 {
            note(format!("no image registry in reach ({error:#}); building instead"));
            return Ok(names.to_vec());
        }
        note(format!("{name} cannot be pulled ({error:#}); it will be built"));
        failed.push(name.clone());
    }
    Ok(failed)
}

async fn pull_image<D: Docker>(docker: &D, image: &Image, progress: &mut dyn FnMut(String)) -> Result<()> {
    for reference in &image.references {
        pull(docker, &pinned(image, reference), progress).await?;
    }
    Ok(())
}

/// Pulls, and gives up where nothing at all comes within [`REACH`].
pub async fn pull<D: Docker>(docker: &D, reference: &str, note: &mut dyn FnMut(String)) -> Result<()> {
    let heard = std::cell::Cell::new(false);
    let mut progress = |text: String| {
        heard.set(true);
        note(text);
    };
    let pull = docker.pull(reference, &mut progress);
    let silence = async {
        tokio::time::sleep(REACH).await;
        if heard.get() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        result = pull => result,
        () = silence => bail!("nothing came within {} s for {reference}", REACH.as_secs()),
    }
}

//! Images in the Docker engine: already there, pulled, or built.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow, bail};
use futures::future::join_all;
use schemars::JsonSchema;
use serde::Serialize;

use super::pull::{Failure, Trouble, digest, pull, reach};
use super::{Context, Run, build};
use crate::config::ImageSource;
use crate::event::{Outcome, Warning};
use crate::fault::{Fault, Kind};
use crate::images::{BUILT, Catalogue, Image, Lock, RECIPE, Supply, registry};
use crate::ports::{self, Docker, Ports};

/// The image that nodes are made of.
pub const NODE: &str = "node";

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

/// Looks for an image that this supply allows.
pub async fn state<D: Docker>(docker: &D, catalogue: &Catalogue, name: &str, supply: &Supply) -> Result<ImageState> {
    let image = catalogue.get(name)?;
    let may_be_built = supply.source != ImageSource::Registry || !image.upstream;
    let built = if may_be_built { built(docker, catalogue, name).await? } else { None };
    let pulled = if supply.can_pull(image) { pulled(docker, image, supply).await? } else { None };
    let found = if supply.prefers_pulled(image) { pulled.or(built) } else { built.or(pulled) };
    Ok(found.unwrap_or(ImageState::Missing))
}

async fn built<D: Docker>(docker: &D, catalogue: &Catalogue, name: &str) -> Result<Option<ImageState>> {
    let tag = catalogue.built_tag(name)?;
    Ok(docker.image(&tag).await?.map(|image| ImageState::Built { tag, size: image.size }))
}

/// An image of several references counts only with all of them.
async fn pulled<D: Docker>(docker: &D, image: &Image, supply: &Supply) -> Result<Option<ImageState>> {
    let mut found = None;
    for reference in image.references.iter().rev() {
        let reference = supply.pinned(image, reference);
        let Some(held) = docker.image(&reference).await? else { return Ok(None) };
        found = Some(ImageState::Pulled { reference, size: held.size });
    }
    Ok(found)
}

/// The name under which the engine holds an image.
pub async fn engine_reference<P: Ports>(run: &Run<'_, P>, name: &str) -> Result<String> {
    match state(run.ports.docker(), run.catalogue, name, run.supply).await? {
        ImageState::Built { tag, .. } => Ok(tag),
        ImageState::Pulled { reference, .. } => Ok(reference),
        ImageState::Missing => bail!("image {name} is not in the Docker engine"),
    }
}

/// The names under which the engine holds what each reference of an image stands for.
pub async fn engine_references<P: Ports>(run: &Run<'_, P>, name: &str) -> Result<Vec<(String, String)>> {
    let image = run.catalogue.get(name)?;
    let held = state(run.ports.docker(), run.catalogue, name, run.supply).await?;
    let pair = |reference: &String| match &held {
        ImageState::Built { tag, .. } => Ok((tag.clone(), reference.clone())),
        ImageState::Pulled { .. } => Ok((run.supply.pinned(image, reference), reference.clone())),
        ImageState::Missing => Err(anyhow!("image {name} is not in the Docker engine")),
    };
    image.references.iter().map(pair).collect()
}

/// Those of these images that the nodes do not bring along: only kind's own node image brings any.
pub async fn needed<P: Ports>(run: &Run<'_, P>, names: &[String]) -> Result<Vec<String>> {
    let docker = run.ports.docker();
    let mut needed = names.to_vec();
    if let ImageState::Pulled { reference, .. } = state(docker, run.catalogue, NODE, run.supply).await?
        && !is_ours(docker, &reference).await?
    {
        needed.retain(|name| run.catalogue.get(name).is_ok_and(|image| !image.in_node));
    }
    Ok(needed)
}

/// True where an image was made by a recipe of ours, here or for the registry that it was pulled from.
pub async fn is_ours<D: Docker>(docker: &D, reference: &str) -> Result<bool> {
    let labelled = |image: ports::Image| image.labels.contains_key(RECIPE);
    Ok(reference.starts_with(BUILT) || docker.image(reference).await?.is_some_and(labelled))
}

/// The step `images`.
pub async fn have<P: Ports>(context: &Context<'_, P>, names: &[String]) -> Result<Outcome> {
    let run = context.run;
    let mut note = |note| context.note(note);
    let mut warn = |warning| run.sink.warn(warning);
    let mut made = provide(run.ports, run.catalogue, &[NODE.to_owned()], run.supply, &mut note, &mut warn).await?;
    let needed = needed(run, names).await?;
    made.extend(provide(run.ports, run.catalogue, &needed, run.supply, &mut note, &mut warn).await?);
    Ok(match made.as_slice() {
        [] => Outcome::Unchanged("all there".to_owned()),
        made => Outcome::Changed(made.join(", ")),
    })
}

/// Makes sure that the engine holds these images; returns the names of those it got.
///
/// # Errors
/// When an image can neither be pulled nor built, as far as the supply allows.
pub async fn provide<P: Ports>(
    ports: &P,
    catalogue: &Catalogue,
    names: &[String],
    supply: &Supply,
    note: &mut dyn FnMut(String),
    warn: &mut dyn FnMut(Warning),
) -> Result<Vec<String>> {
    let (mut missing, mut wanted) = (Vec::new(), Vec::new());
    for name in names {
        let image = catalogue.get(name)?;
        let state = state(ports.docker(), catalogue, name, supply).await?;
        let spare = matches!(state, ImageState::Built { .. }) && supply.prefers_pulled(image);
        if state == ImageState::Missing {
            missing.push(name.clone());
        }
        if supply.can_pull(image) && (spare || state == ImageState::Missing) {
            wanted.push((image, spare));
        }
    }
    let pulled = pull_all(ports.docker(), &wanted, supply, note, warn).await?;
    let to_build: Vec<String> = missing.iter().filter(|name| !pulled.contains(name)).cloned().collect();
    if !to_build.is_empty() {
        build::all(ports, catalogue, &to_build, supply, note).await?;
    }
    Ok(names.iter().filter(|name| missing.contains(name) || pulled.contains(name)).cloned().collect())
}

/// Pulls images, each with whether there is another to use in its place; returns the names of those that came.
/// A registry that is of no use at all is asked only once.
async fn pull_all<D: Docker>(
    docker: &D,
    images: &[(&Image, bool)],
    supply: &Supply,
    note: &mut dyn FnMut(String),
    warn: &mut dyn FnMut(Warning),
) -> Result<Vec<String>> {
    let mut pulled = Vec::new();
    let source = |image: &Image| image.references.first().map(|name| supply.name(name)).unwrap_or_default();
    if supply.source == ImageSource::Auto {
        give_up_silent(docker, images.iter().map(|(image, _)| source(image)), supply, warn).await;
    }
    for (position, (image, spare)) in images.iter().enumerate() {
        let name = &image.name;
        let source = source(image);
        let registry = registry(&source);
        if supply.is_given_up(registry) {
            continue;
        }
        let heading = format!("pulling {name} ({} of {})", position + 1, images.len());
        note(heading.clone());
        let mut progress = |text| note(format!("{heading}: {text}"));
        let Err(failure) = pull_image(docker, image, supply, &mut progress).await else {
            pulled.push(name.clone());
            continue;
        };
        let lacks = failure.trouble == Trouble::Missing && !image.upstream;
        if supply.source == ImageSource::Registry && !spare && !lacks {
            return Err(refused(name, registry, failure));
        }
        if failure.trouble.is_of_registry() {
            supply.give_up(registry);
            warn(none_from(registry, &failure));
        } else {
            let Failure { trouble, error, .. } = &failure;
            let what = format!("{name} cannot be pulled from {registry}: {trouble} ({error:#}); it is built instead");
            warn(Warning::new("built-instead", what));
        }
    }
    Ok(pulled)
}

/// Asks the registries of some names all at once, where there are several, and gives up those that cannot be
/// reached: asked one after the other, each would take its ten seconds.
async fn give_up_silent<D: Docker>(
    docker: &D,
    names: impl Iterator<Item = String>,
    supply: &Supply,
    warn: &mut dyn FnMut(Warning),
) {
    let mut asked: BTreeMap<String, String> = BTreeMap::new();
    for name in names {
        asked.entry(registry(&name).to_owned()).or_insert(name);
    }
    asked.retain(|registry, _| !supply.is_given_up(registry));
    if asked.len() < 2 {
        return;
    }
    let answers = asked.iter().map(async |(registry, name)| (registry, reach(docker, name).await));
    for (registry, answer) in join_all(answers).await {
        if let Err(failure) = answer {
            supply.give_up(registry);
            warn(none_from(registry, &failure));
        }
    }
}

fn none_from(registry: &str, Failure { trouble, error, .. }: &Failure) -> Warning {
    let what = format!("no images from {registry}: {trouble} ({error:#}); they are built instead");
    Warning::new("built-instead", what)
}

async fn pull_image<D: Docker>(
    docker: &D,
    image: &Image,
    supply: &Supply,
    progress: &mut dyn FnMut(String),
) -> Result<(), Failure> {
    for reference in &image.references {
        pull(docker, &supply.pinned(image, reference), progress).await?;
    }
    Ok(())
}

fn refused(name: &str, registry: &str, failure: Failure) -> anyhow::Error {
    let what = format!("image {name} cannot be pulled from {registry}: {}", failure.trouble);
    failure.error.context(Fault::new(Kind::Step, what).next(failure.trouble.advice(registry)))
}

/// The digests that registries have for these images, and the names that they do not know.
///
/// # Errors
/// When a registry cannot be asked.
pub async fn lock<D: Docker>(
    docker: &D,
    catalogue: &Catalogue,
    names: &[String],
    supply: &Supply,
) -> Result<(Lock, Vec<String>)> {
    let (mut lock, mut unknown) = (Lock::new(), Vec::new());
    for name in names {
        let image = catalogue.get(name)?;
        for reference in image.references.iter().filter(|_| supply.has(image)) {
            let asked = supply.name(reference);
            match digest(docker, &asked).await {
                Ok(Some(digest)) => drop(lock.insert(reference.clone(), digest)),
                Ok(None) => unknown.push(asked),
                Err(failure) => return Err(refused(name, registry(&asked), failure)),
            }
        }
    }
    Ok((lock, unknown))
}

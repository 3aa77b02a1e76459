//! Building images, one after the other: on two cores, two compilers at once gain nothing.

use std::cell::RefCell;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::pull::pull;
use crate::fault::{Fault, Kind};
use crate::images::{Catalogue, Image, RECIPE, Supply, registry};
use crate::ports::{Build, Builder as _, Docker as _, Ports};

/// The pulled Debian that all recipes stand on.
const DEBIAN: &str = "docker.io/library/debian:trixie-slim";
/// How often a long instruction is heard of.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Builds those of these images, and of what they stand on, that the engine does not have.
pub async fn all<P: Ports>(
    ports: &P,
    catalogue: &Catalogue,
    names: &[String],
    supply: &Supply,
    note: &mut dyn FnMut(String),
) -> Result<()> {
    let mut todo = Vec::new();
    for image in catalogue.with_needs(names)? {
        let tag = catalogue.built_tag(&image.name)?;
        if ports.docker().image(&tag).await?.is_none() {
            todo.push((image, tag));
        }
    }
    let folder = tempfile::tempdir()?;
    for (position, (image, tag)) in todo.iter().enumerate() {
        let left: Vec<&str> = todo[position + 1..].iter().map(|(image, _)| image.name.as_str()).collect();
        let left = if left.is_empty() { "last one".to_owned() } else { format!("then {}", left.join(", ")) };
        let heading = format!("building {} ({} of {}, {left})", image.name, position + 1, todo.len());
        note(heading.clone());
        let mut build = Build {
            name: image.name.clone(),
            folder: catalogue.extract(&image.name, folder.path())?,
            tag: tag.clone(),
            contexts: contexts(catalogue, image)?,
            labels: vec![(RECIPE.to_owned(), catalogue.recipe(&image.name)?)],
        };
        if image.name == "base" {
            build.contexts.push(("debian".to_owned(), debian(ports, &build, supply).await?));
        }
        one(ports, &build, &heading, note).await?;
    }
    Ok(())
}

/// Builds one image, and says now and then how long it has taken.
async fn one<P: Ports>(ports: &P, build: &Build, heading: &str, note: &mut dyn FnMut(String)) -> Result<()> {
    let started = Instant::now();
    let (note, last) = (RefCell::new(note), RefCell::new("starts".to_owned()));
    let say = || {
        let text = format!("{heading}, {} s: {}", started.elapsed().as_secs(), last.borrow());
        note.borrow_mut()(text);
    };
    let mut progress = |text: String| {
        last.replace(text);
        say();
    };
    let heartbeat = async {
        let mut timer = tokio::time::interval(HEARTBEAT);
        timer.tick().await;
        loop {
            timer.tick().await;
            say();
        }
    };
    let built = tokio::select! {
        built = ports.builder().build(build, &mut progress) => built,
        never = heartbeat => never_ends(never),
    };
    built.with_context(|| {
        let next = format!("lab images build {}   (goes on from the last good instruction)", build.name);
        Fault::new(Kind::Step, format!("image {} cannot be built", build.name)).next(next)
    })
}

fn never_ends(never: Infallible) -> Result<()> {
    match never {}
}

/// The images that a recipe stands on, by the names it calls them.
fn contexts(catalogue: &Catalogue, image: &Image) -> Result<Vec<(String, String)>> {
    image.needs.iter().map(|need| Ok((need.clone(), catalogue.built_tag(need)?))).collect()
}

/// The Debian to stand on: pulled where that works, else made from packages.
async fn debian<P: Ports>(ports: &P, build: &Build, supply: &Supply) -> Result<String> {
    let made = build.tag.replace("lab/base:", "lab/debian:");
    let upstream = supply.name(DEBIAN);
    for reference in [&made, &upstream] {
        if ports.docker().image(reference).await?.is_some() {
            return Ok(reference.clone());
        }
    }
    if !supply.is_given_up(registry(&upstream)) && pull(ports.docker(), &upstream, &mut |_| {}).await.is_ok() {
        return Ok(upstream);
    }
    ports.builder().bootstrap(&build.folder.join("build"), &made).await?;
    Ok(made)
}

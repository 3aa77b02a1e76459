//! Images in the lab's registry.

use anyhow::Result;

use super::{Context, Run, images};
use crate::event::Outcome;
use crate::images::path_and_tag;
use crate::ports::{Docker as _, Ports, Registry as _};

pub async fn have<P: Ports>(context: &Context<'_, P>, names: &[String]) -> Result<Outcome> {
    let run = context.run;
    let docker = run.ports.docker();
    let mut pushed = Vec::new();
    for name in &images::needed(run, names).await? {
        take_back(run, name).await?;
        for Stale { held, reference, mark } in stale(run, name).await? {
            let (path, tag) = path_and_tag(&reference);
            let locals = names_to_push_under(run, path, [&mark, tag]);
            context.note(format!("pushing {reference}"));
            for local in &locals {
                docker.tag(&held, local).await?;
                let result = docker.push(local).await;
                docker.remove_tag(local).await?;
                result?;
            }
            pushed.push(reference);
        }
    }
    Ok(match pushed.len() {
        0 => Outcome::Unchanged("all there".to_owned()),
        count => Outcome::Changed(format!("{count} pushed")),
    })
}

/// The engine pushes only what has the registry's address in its name.
fn names_to_push_under(run: &Run<'_, impl Ports>, path: &str, tags: [&str; 2]) -> [String; 2] {
    tags.map(|tag| format!("127.0.0.1:{}/{path}:{tag}", run.lab.registry.port))
}

/// Removes the names under which a run that was cut short pushed an image.
async fn take_back<P: Ports>(run: &Run<'_, P>, name: &str) -> Result<()> {
    let docker = run.ports.docker();
    for (held, reference) in images::engine_references(run, name).await? {
        let (path, tag) = path_and_tag(&reference);
        let mark = mark(run, &held).await?;
        for local in names_to_push_under(run, path, [&mark, tag]) {
            if docker.image(&local).await?.is_some() {
                docker.remove_tag(&local).await?;
            }
        }
    }
    Ok(())
}

/// The tag that says which image of the engine another one is.
async fn mark<P: Ports>(run: &Run<'_, P>, held: &str) -> Result<String> {
    let id = run.ports.docker().image(held).await?.map(|image| image.id).unwrap_or_default();
    Ok(format!("id-{:.12}", id.trim_start_matches("sha256:")))
}

/// An image that the registry lacks, or has in another form.
pub struct Stale {
    /// Its name in the engine.
    held: String,
    pub reference: String,
    /// A second tag, which says which image of the engine the first one is.
    mark: String,
}

/// What of an image is to be pushed.
pub async fn stale<P: Ports>(run: &Run<'_, P>, name: &str) -> Result<Vec<Stale>> {
    let port = run.lab.registry.port;
    let mut stale = Vec::new();
    for (held, reference) in images::engine_references(run, name).await? {
        let (path, tag) = path_and_tag(&reference);
        let mark = mark(run, &held).await?;
        let digest = run.ports.registry().digest(port, path, tag).await?;
        if digest.is_none() || digest != run.ports.registry().digest(port, path, &mark).await? {
            stale.push(Stale { held, reference, mark });
        }
    }
    Ok(stale)
}

//! Images in the lab's registry.

use anyhow::Result;

use super::{Context, images};
use crate::event::Outcome;
use crate::images::path_and_tag;
use crate::ports::{Docker as _, Ports, Registry as _};

pub async fn have<P: Ports>(context: &Context<'_, P>, names: &[String]) -> Result<Outcome> {
    let run = context.run;
    let port = run.lab.registry.port;
    let docker = run.ports.docker();
    let mut pushed = Vec::new();
    for name in &images::needed(run, names).await? {
        for (held, reference) in images::engine_references(run, name).await? {
            let (path, tag) = path_and_tag(&reference);
            // A second tag says which image of the engine the first one is.
            let id = docker.image(&held).await?.map(|image| image.id).unwrap_or_default();
            let mark = format!("id-{:.12}", id.trim_start_matches("sha256:"));
            let digest = run.ports.registry().digest(port, path, tag).await?;
            if digest.is_some() && digest == run.ports.registry().digest(port, path, &mark).await? {
                continue;
            }
            context.note(format!("pushing {reference}"));
            for tag in [&mark, tag] {
                let local = format!("127.0.0.1:{port}/{path}:{tag}");
                docker.tag(&held, &local).await?;
                let result = docker.push(&local).await;
                docker.remove_tag(&local).await?;
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

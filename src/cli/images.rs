//! `lab images`

use anyhow::Result;
use clap::{Args as ClapArgs, Subcommand};

use super::args::OutputArgs;
use super::suggest;
use crate::event::{Event, Outcome, Sink};
use crate::exec::World;
use crate::fault::{Fault, Kind};
use crate::images::Catalogue;
use crate::ports::Ports as _;
use crate::report::{Format, ImageList, ListedImage, Reporter};
use crate::{report, run};

#[derive(Subcommand)]
pub enum ImagesVerb {
    /// Show every image, its version and where it is
    List(ImagesArgs),
    /// Build images from package registries alone
    Build(ImagesArgs),
    /// Pull images from their upstream registries
    Pull(ImagesArgs),
}

#[derive(ClapArgs)]
pub struct ImagesArgs {
    /// Only these images (default: all)
    #[arg(value_parser = suggest::IMAGES, hide_possible_values = true)]
    pub names: Vec<String>,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Plain lines, no colour, no live display
    #[arg(long)]
    pub ci: bool,
}

pub async fn images(verb: ImagesVerb, reporter: &Reporter) -> Result<()> {
    let catalogue = Catalogue::load()?;
    // Images belong to the engine, not to a lab: there is no cluster to know.
    let world = World::connect("/nonexistent".into()).await?;
    match verb {
        ImagesVerb::List(args) => list(&world, &catalogue, &args).await,
        ImagesVerb::Build(args) => provide(&world, &catalogue, &args, run::Source::Build, reporter).await,
        ImagesVerb::Pull(args) => provide(&world, &catalogue, &args, run::Source::Registry, reporter).await,
    }
}

fn names(catalogue: &Catalogue, args: &ImagesArgs) -> Result<Vec<String>> {
    for name in &args.names {
        if catalogue.get(name).is_err() {
            let all: Vec<&str> = catalogue.all().iter().map(|image| image.name.as_str()).collect();
            let what = format!("no image is called {name}; there are {}", all.join(", "));
            return Err(Fault::new(Kind::Usage, what).next("lab images list").error());
        }
    }
    if !args.names.is_empty() {
        return Ok(args.names.clone());
    }
    Ok(catalogue.all().iter().map(|image| image.name.clone()).collect())
}

async fn list(world: &World, catalogue: &Catalogue, args: &ImagesArgs) -> Result<()> {
    let mut images = Vec::new();
    for name in names(catalogue, args)? {
        let state = run::image_state(world.docker(), catalogue, &name, run::Source::Auto).await?;
        let image = catalogue.get(&name)?;
        let (version, references) = (image.version.clone(), image.references.clone());
        images.push(ListedImage { name, version, references, state });
    }
    let list = ImageList { images };
    match args.output.output {
        Format::Json => report::data(&report::json(&list)?),
        Format::Text => report::data(&report::images(&list)),
    }
    Ok(())
}

async fn provide(
    world: &World,
    catalogue: &Catalogue,
    args: &ImagesArgs,
    source: run::Source,
    sink: &dyn Sink,
) -> Result<()> {
    let mut names = names(catalogue, args)?;
    if source == run::Source::Registry {
        names.retain(|name| catalogue.get(name).is_ok_and(|image| image.upstream));
    }
    let started = std::time::Instant::now();
    let (id, title) = ("images".to_owned(), format!("{} images", names.len()));
    sink.emit(Event::StepStarted { id: id.clone(), title: title.clone() });
    let mut note = |note: String| sink.emit(Event::StepProgress { id: id.clone(), note });
    let made = run::provide(world, catalogue, &names, source, &mut note).await;
    let took = started.elapsed();
    match made {
        Ok(made) => {
            let outcome = match made.len() {
                0 => Outcome::Unchanged("all there".to_owned()),
                _ => Outcome::Changed(made.join(", ")),
            };
            sink.emit(Event::StepDone { id, title, outcome, took });
            Ok(())
        }
        Err(error) => {
            sink.emit(Event::StepFailed { id, title, took });
            Err(error)
        }
    }
}

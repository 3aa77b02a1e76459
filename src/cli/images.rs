//! `lab images`

use anyhow::Result;
use clap::{Args as ClapArgs, Subcommand};

use super::args::{LabArgs, MirrorArgs, ReportArgs};
use super::{session, suggest};
use crate::config::ImageSource;
use crate::event::{Event, Outcome, Sink};
use crate::exec::World;
use crate::fault::{Fault, Kind};
use crate::images::{Catalogue, Supply, print_lock};
use crate::ports::Ports as _;
use crate::report::{Format, ImageList, ListedImage, LockList, Reporter};
use crate::{report, run};

#[derive(Subcommand)]
pub enum ImagesVerb {
    /// Show every image, its version and where it is
    List(ListArgs),
    /// Build images from package registries alone
    Build(ImagesArgs),
    /// Pull images from their upstream registries, or from the mirror
    Pull(ImagesArgs),
    /// Print the digests that the registries have now, for --images-lock
    Lock(ImagesArgs),
}

#[derive(ClapArgs)]
pub struct ListArgs {
    /// Where images may come from, instead of the file's
    #[arg(long, value_enum)]
    pub images: Option<ImageSource>,
    #[command(flatten)]
    pub others: ImagesArgs,
}

#[derive(ClapArgs)]
pub struct ImagesArgs {
    /// Only these images (default: all)
    #[arg(value_parser = suggest::IMAGES, hide_possible_values = true)]
    pub names: Vec<String>,
    /// Configuration file, or one of the built-in full, small, ci: its `images`
    #[arg(long, value_name = "FILE")]
    pub config: Option<String>,
    #[command(flatten)]
    pub mirror: MirrorArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

pub async fn images(verb: ImagesVerb, reporter: &Reporter) -> Result<()> {
    let catalogue = Catalogue::load()?;
    let (args, source) = match &verb {
        ImagesVerb::List(args) => (&args.others, args.images),
        ImagesVerb::Build(args) => (args, Some(ImageSource::Build)),
        ImagesVerb::Pull(args) | ImagesVerb::Lock(args) => (args, Some(ImageSource::Registry)),
    };
    let supply = supply(&catalogue, args, source, reporter)?;
    // Images belong to the engine, not to a lab: there is no cluster to know.
    let world = World::connect("/nonexistent".into()).await?;
    match &verb {
        ImagesVerb::List(_) => list(&world, &catalogue, args, &supply).await,
        ImagesVerb::Build(_) | ImagesVerb::Pull(_) => provide(&world, &catalogue, args, &supply, reporter).await,
        ImagesVerb::Lock(_) => lock(&world, &catalogue, args, &supply).await,
    }
}

/// What the configuration and these flags say of images.
fn supply(
    catalogue: &Catalogue,
    args: &ImagesArgs,
    images: Option<ImageSource>,
    reporter: &Reporter,
) -> Result<Supply> {
    let (config, mirror) = (args.config.clone(), args.mirror.clone());
    let lab = LabArgs { config, name: None, subnet: None, api_port: None, registry_port: None, images, mirror };
    session::supply(&session::resolve(&lab, reporter)?, catalogue)
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

async fn list(world: &World, catalogue: &Catalogue, args: &ImagesArgs, supply: &Supply) -> Result<()> {
    let mut images = Vec::new();
    for name in names(catalogue, args)? {
        let state = run::image_state(world.docker(), catalogue, &name, supply).await?;
        let image = catalogue.get(&name)?;
        let (version, references) = (image.version.clone(), image.references.clone());
        images.push(ListedImage { name, version, references, state });
    }
    let list = ImageList { images };
    match args.report.data.output {
        Format::Json => report::data(&report::json(&list)?),
        Format::Text => report::data(&report::images(&list)),
    }
    Ok(())
}

async fn provide(
    world: &World,
    catalogue: &Catalogue,
    args: &ImagesArgs,
    supply: &Supply,
    sink: &dyn Sink,
) -> Result<()> {
    let mut names = names(catalogue, args)?;
    if supply.source == ImageSource::Registry {
        names.retain(|name| catalogue.get(name).is_ok_and(|image| supply.can_pull(image)));
    }
    let started = std::time::Instant::now();
    let (id, title) = ("images".to_owned(), format!("{} images", names.len()));
    sink.emit(Event::StepStarted { id: id.clone(), title: title.clone() });
    let mut note = |note: String| sink.emit(Event::StepProgress { id: id.clone(), note });
    let mut warn = |warning| sink.warn(warning);
    let made = run::provide(world, catalogue, &names, supply, &mut note, &mut warn).await;
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

async fn lock(world: &World, catalogue: &Catalogue, args: &ImagesArgs, supply: &Supply) -> Result<()> {
    let names = names(catalogue, args)?;
    let (lock, unknown) = run::lock(world.docker(), catalogue, &names, supply).await?;
    // For programs they are in the document.
    for name in unknown.iter().filter(|_| args.report.data.output == Format::Text) {
        report::talk(&format!("not there, so not locked: {name}"));
    }
    if lock.is_empty() && !unknown.is_empty() {
        let next = "push the images there, path and tag as upstream has them";
        return Err(Fault::new(Kind::Step, "no registry has any of these images").next(next).error());
    }
    report::data(&match args.report.data.output {
        Format::Text => print_lock(&lock)?,
        Format::Json => report::json(&LockList { digests: lock, unknown })?,
    });
    Ok(())
}

//! `lab diagnose`

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args as ClapArgs;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::args::{LabArgs, OutputArgs};
use super::session::{Session, resolve};
use crate::components::Site;
use crate::config::Lab;
use crate::exec::host;
use crate::fault::{self, Fault, Kind};
use crate::images::Catalogue;
use crate::plan::{self, Plan};
use crate::report::{self, Archive, Format, Reporter};
use crate::run::diagnose::{self, Diagnosis};

#[derive(ClapArgs)]
pub struct DiagnoseArgs {
    #[command(flatten)]
    pub lab: LabArgs,
    /// The archive to write (default: lab-<name>-<time>.tar.gz in this folder)
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Works beside another run of the same lab, and without an engine.
pub async fn diagnose(args: DiagnoseArgs, reporter: &Reporter) -> Result<()> {
    let lab = resolve(&args.lab, reporter)?;
    let plan = plan::up(&Site { lab: &lab, catalogue: &Catalogue::load()? })?;
    let diagnosis = match Session::of(&args.lab, lab.clone()).await {
        Ok(session) => diagnose::diagnose(&session.run(reporter), &plan, "").await,
        Err(error) if fault::kind(&error) == Kind::Host => alone(&lab, &plan, &error)?,
        Err(error) => return Err(error),
    };
    let folder = diagnosis.folder.context("the diagnostics were not written")?;
    let time = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = format!("lab-{}-{time}", lab.name);
    let archive = args.output_file.unwrap_or_else(|| format!("{name}.tar.gz").into());
    pack(&folder, &name, &archive).with_context(|| {
        let what = format!("cannot write {}", archive.display());
        Fault::new(Kind::Host, what).next("--output-file with a path that you may write")
    })?;
    if args.output.output == Format::Json {
        let archive = archive.display().to_string();
        let Diagnosis { culprit, known, .. } = diagnosis;
        let document = Archive { lab: lab.name, archive, culprit, known };
        report::data(&report::json(&document)?);
    } else {
        report::talk(&diagnosis.summary);
        report::data(&format!("{}\n", archive.display()));
    }
    Ok(())
}

fn alone(lab: &Lab, plan: &Plan, error: &anyhow::Error) -> Result<Diagnosis> {
    let home =
        host::state_home().context(Fault::new(Kind::Host, "neither LAB_STATE, XDG_STATE_HOME nor HOME is set"))?;
    diagnose::without_engine(lab, plan, &home.join(&lab.name), &format!("{error:#}"))
}

/// Packs a folder under a name of its own into an archive that only its owner may read.
fn pack(folder: &Path, name: &str, archive: &Path) -> Result<()> {
    use fs_err::os::unix::fs::OpenOptionsExt as _;
    let mut options = fs_err::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(archive)?;
    let mut builder = tar::Builder::new(GzEncoder::new(file, Compression::default()));
    builder.append_dir_all(name, folder)?;
    builder.into_inner()?.finish()?;
    Ok(())
}

//! What every verb needs: the resolved lab, the catalogue, the ports, the folder of state.

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use nix::fcntl::{Flock, FlockArg};

use super::args::{LabArgs, quoted};
use super::environment::Environment;
use crate::config::{self, Lab, Overrides, Resolved, Source};
use crate::event::Sink;
use crate::exec::{World, host};
use crate::fault::{Fault, Kind};
use crate::images::Catalogue;
use crate::report;
use crate::run::{self, Run};

/// The lab's lock, of the kernel: it ends with the process, however that ends.
pub type Lock = Flock<std::fs::File>;

/// One invocation's view of one lab.
pub struct Session {
    pub lab: Lab,
    pub catalogue: Catalogue,
    pub world: World,
    pub state: PathBuf,
    source: run::Source,
    /// The flags that name this lab, each with a space before it.
    pub flags: String,
}

/// Reads the configuration that flags and environment name.
///
/// # Errors
/// [`Kind::Config`] with every problem of it.
pub fn resolve(args: &LabArgs) -> Result<Lab> {
    Ok(resolved(args)?.lab)
}

/// The same, and where each value comes from.
///
/// # Errors
/// [`Kind::Config`] with every problem of it.
pub fn resolved(args: &LabArgs) -> Result<Resolved> {
    let environment = Environment::read();
    for warning in environment.warnings() {
        report::talk(&warning);
    }
    let name = args.config.as_deref().or(environment.get("LAB_CONFIG")).unwrap_or("full");
    let overrides = Overrides { variables: environment.variables.clone(), ..args.overrides() };
    let resolved = Source::named(name).and_then(|source| config::resolve(&source, &overrides));
    let resolved = resolved.map_err(|problems| refused("the configuration cannot be used", problems))?;
    if resolved.is_old() {
        report::talk(&old_version(&resolved.file, resolved.version));
    }
    Ok(resolved)
}

/// Problems of configurations as an error.
pub fn refused(
    what: &str,
    problems: impl std::fmt::Display + std::fmt::Debug + Send + Sync + 'static,
) -> anyhow::Error {
    let next = "mend these lines; lab config show --config full   (prints every field)";
    anyhow::Error::msg(problems).context(Fault::new(Kind::Config, what).next(next))
}

/// What is said of a file that is read for a while yet.
pub fn old_version(file: &str, version: &str) -> String {
    format!(
        "warning: {file} is written in {version}; lab config migrate {} shows it in {}",
        quoted(file),
        config::VERSION
    )
}

/// Where images come from: as the flag says, or else `LAB_IMAGES`.
fn images(args: &LabArgs) -> Result<run::Source> {
    let environment = Environment::read();
    let variable = environment.get("LAB_IMAGES").filter(|_| args.images.is_none());
    let chosen = variable.map(|word| <run::Source as ValueEnum>::from_str(word, false)).transpose();
    let chosen = chosen.map_err(|_| {
        let known: Vec<String> = run::Source::value_variants()
            .iter()
            .filter_map(ValueEnum::to_possible_value)
            .map(|value| value.get_name().to_owned())
            .collect();
        let what = format!("LAB_IMAGES: must be one of {}, got {:?}", known.join(", "), variable.unwrap_or_default());
        Fault::new(Kind::Usage, what).error()
    })?;
    Ok(args.images.or(chosen).unwrap_or(run::Source::Auto))
}

impl Session {
    pub async fn open(args: &LabArgs) -> Result<Self> {
        let lab = resolve(args)?;
        let home =
            host::state_home().context(Fault::new(Kind::Host, "neither LAB_STATE, XDG_STATE_HOME nor HOME is set"))?;
        let state = home.join(&lab.name);
        let world = World::connect(state.join("kubeconfig")).await?;
        Ok(Self { lab, catalogue: Catalogue::load()?, world, state, source: images(args)?, flags: args.typed() })
    }

    pub fn run<'a>(&'a self, sink: &'a dyn Sink) -> Run<'a, World> {
        Run {
            lab: &self.lab,
            catalogue: &self.catalogue,
            ports: &self.world,
            sink,
            source: self.source,
            state: self.state.clone(),
            flags: self.flags.clone(),
            force_smoke: false,
        }
    }

    /// Makes the folder of state, for its owner only.
    ///
    /// # Errors
    /// When it cannot be made.
    fn make_state(&self) -> Result<()> {
        host::make_private_folder(&self.state).with_context(|| unusable(&self.state))
    }

    /// Takes the lab's lock; it is held until the value is dropped or the process ends.
    ///
    /// # Errors
    /// [`Kind::Locked`] when another run holds it.
    pub fn lock(&self) -> Result<Lock> {
        let path = self.lock_path();
        loop {
            self.make_state()?;
            let file = host::open_private(&path).with_context(|| unusable(&path))?;
            let Ok(mut lock) = Flock::lock(file, FlockArg::LockExclusiveNonblock) else {
                let holder = fs_err::read_to_string(&path).unwrap_or_default();
                let what = format!("lab {} is in the hands of another run, process {holder}", self.lab.name);
                return Err(Fault::new(Kind::Locked, what).next("wait for it, or end it").error());
            };
            // The last holder may have removed the file between our opening and our locking it.
            if fs_err::metadata(&path).is_ok_and(|now| lock.metadata().is_ok_and(|ours| ours.ino() == now.ino())) {
                lock.set_len(0)?;
                write!(lock, "{}", std::process::id())?;
                return Ok(lock);
            }
        }
    }

    /// Removes the folder of state with the lock in it; true where more than the lock was there.
    ///
    /// # Errors
    /// When something in it cannot be removed.
    pub fn remove_state(&self) -> Result<bool> {
        fs_err::remove_file(self.lock_path())?;
        let more = fs_err::read_dir(&self.state)?.next().is_some();
        fs_err::remove_dir_all(&self.state)?;
        Ok(more)
    }

    fn lock_path(&self) -> PathBuf {
        self.state.join("lock")
    }
}

fn unusable(path: &Path) -> Fault {
    let next = "set LAB_STATE to a folder that you may write";
    Fault::new(Kind::Host, format!("cannot make {}", path.display())).next(next)
}

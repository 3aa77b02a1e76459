//! What every verb needs: the resolved lab, the catalogue, the ports, the folder of state.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::args::{LabArgs, quoted};
use super::environment::Environment;
use crate::config::{self, Lab, Overrides, Resolved, Source};
use crate::event::{Sink, Warning};
use crate::exec::lock::{self, Attempt};
use crate::exec::{World, host};
use crate::fault::{Fault, Kind};
use crate::images::{self, Catalogue, Supply};
use crate::report;
use crate::run::{Journal, Run};

/// One invocation's view of one lab.
pub struct Session {
    pub lab: Lab,
    pub catalogue: Catalogue,
    pub world: World,
    pub state: PathBuf,
    supply: Supply,
    /// The flags that name this lab, each with a space before it.
    pub flags: String,
}

/// Reads the configuration that flags and environment name.
///
/// # Errors
/// [`Kind::Config`] with every problem of it.
pub fn resolve(args: &LabArgs, sink: &dyn Sink) -> Result<Lab> {
    Ok(resolved(args, sink)?.lab)
}

/// The same, and where each value comes from.
///
/// # Errors
/// [`Kind::Config`] with every problem of it.
pub fn resolved(args: &LabArgs, sink: &dyn Sink) -> Result<Resolved> {
    let environment = Environment::read();
    environment.warnings().into_iter().for_each(|warning| sink.warn(warning));
    let name = args.config.as_deref().or(environment.get("LAB_CONFIG")).unwrap_or("full");
    let overrides = Overrides { variables: environment.variables.clone(), ..args.overrides() };
    let resolved = Source::named(name).and_then(|source| config::resolve(&source, &overrides));
    let resolved = resolved.map_err(|problems| refused("the configuration cannot be used", problems))?;
    if resolved.is_old() {
        sink.warn(old_version(&resolved.file, resolved.version));
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
pub fn old_version(file: &str, version: &str) -> Warning {
    let next = format!("lab config migrate {}   (shows it in {})", quoted(file), config::VERSION);
    Warning::new("old-configuration", format!("{file} is written in {version}")).next(next)
}

/// Where this lab's images come from, with the digests of its lock file.
///
/// # Errors
/// [`Kind::Config`] when the lock file cannot be used.
pub fn supply(lab: &Lab, catalogue: &Catalogue) -> Result<Supply> {
    if lab.images.lock.is_empty() {
        return Ok(Supply::new(&lab.images, None));
    }
    let text = fs_err::read_to_string(&lab.images.lock).map_err(anyhow::Error::new);
    let lock = text.and_then(|text| images::parse_lock(&text, catalogue)).with_context(|| {
        let what = format!("the lock file {} cannot be used", lab.images.lock);
        Fault::new(Kind::Config, what).next("lab images lock   (prints one)")
    })?;
    Ok(Supply::new(&lab.images, Some(lock)))
}

impl Session {
    pub async fn open(args: &LabArgs, sink: &dyn Sink) -> Result<Self> {
        Self::of(args, resolve(args, sink)?).await
    }

    /// The same, of a lab that was resolved before.
    pub async fn of(args: &LabArgs, lab: Lab) -> Result<Self> {
        let home =
            host::state_home().context(Fault::new(Kind::Host, "neither LAB_STATE, XDG_STATE_HOME nor HOME is set"))?;
        let state = home.join(&lab.name);
        let world = World::connect(state.join("kubeconfig")).await?;
        let catalogue = Catalogue::load()?;
        let supply = supply(&lab, &catalogue)?;
        Ok(Self { lab, catalogue, world, state, supply, flags: args.typed() })
    }

    pub fn run<'a>(&'a self, sink: &'a dyn Sink) -> Run<'a, World> {
        Run {
            lab: &self.lab,
            catalogue: &self.catalogue,
            ports: &self.world,
            sink,
            supply: &self.supply,
            state: self.state.clone(),
            flags: self.flags.clone(),
            force_smoke: false,
        }
    }

    /// Takes the lab's lock for a verb, until this process and the programs that it started have ended.
    ///
    /// # Errors
    /// [`Kind::Locked`] when another run holds it.
    pub async fn lock(&self, verb: &str, sink: &dyn Sink) -> Result<()> {
        let path = self.lock_path();
        let taken = lock::take(&path, verb, &mut |note| sink.warn(Warning::new("left-behind", note))).await;
        let holder = match taken.with_context(|| unusable(&path))? {
            Attempt::Taken => return Ok(()),
            Attempt::Held(holder) => {
                format!("{}, `{}`, since {}", holder.process, holder.verb, report::moment(holder.since))
            }
            Attempt::HeldBy(processes) if processes.is_empty() => "unknown".to_owned(),
            Attempt::HeldBy(processes) => processes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        let what = format!("lab {} is in the hands of another run, process {holder}", self.lab.name);
        Err(Fault::new(Kind::Locked, what).next("wait for it, or end it").error())
    }

    /// Removes the folder of state; true where more was in it than lock and journal.
    ///
    /// # Errors
    /// When something in it cannot be removed.
    pub fn remove_state(&self) -> Result<bool> {
        fs_err::remove_file(self.lock_path())?;
        Journal::remove(&self.state)?;
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
    Fault::new(Kind::Host, format!("cannot use {}", path.display())).next(next)
}

//! What every verb needs: the resolved lab, the catalogue, the ports, the folder of state.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::args::LabArgs;
use crate::config::{self, Lab};
use crate::event::Sink;
use crate::exec::{World, host};
use crate::fault::{Fault, Kind};
use crate::images::Catalogue;
use crate::run::Run;

/// One invocation's view of one lab.
pub struct Session {
    pub lab: Lab,
    pub catalogue: Catalogue,
    pub world: World,
    pub state: PathBuf,
    source: crate::run::Source,
}

/// Reads the configuration that the flags name.
///
/// # Errors
/// [`Kind::Config`] with every problem of it.
pub fn resolve(args: &LabArgs) -> Result<Lab> {
    let overrides = args.overrides();
    let built_in = match args.config.as_str() {
        "full" => Some(config::FULL),
        "small" => Some(config::SMALL),
        "ci" => Some(config::CI),
        _ => None,
    };
    let lab = match built_in {
        Some(text) => config::load(text, &format!("{} (built in)", args.config), &overrides),
        None => config::load_file(Path::new(&args.config), &overrides),
    };
    lab.map_err(|problems| {
        let fault = Fault::new(Kind::Config, "the configuration cannot be used");
        anyhow::Error::new(problems).context(fault.next("mend these lines; lab-configs/full.yaml shows every key"))
    })
}

impl Session {
    pub async fn open(args: &LabArgs) -> Result<Self> {
        let lab = resolve(args)?;
        let home =
            host::state_home().context(Fault::new(Kind::Host, "neither LAB_STATE, XDG_STATE_HOME nor HOME is set"))?;
        let state = home.join(&lab.name);
        let world = World::connect(state.join("kubeconfig")).await?;
        Ok(Self { lab, catalogue: Catalogue::load()?, world, state, source: args.images })
    }

    pub fn run<'a>(&'a self, sink: &'a dyn Sink) -> Run<'a, World> {
        Run {
            lab: &self.lab,
            catalogue: &self.catalogue,
            ports: &self.world,
            sink,
            source: self.source,
            state: self.state.clone(),
            force_smoke: false,
        }
    }

    /// Takes the lab's lock; it is held until the value is dropped or the process ends.
    ///
    /// # Errors
    /// [`Kind::Locked`] when another run holds it.
    pub fn lock(&self) -> Result<nix::fcntl::Flock<std::fs::File>> {
        let home = self.state.parent().context("the state folder has a parent")?;
        let mut folder = std::fs::DirBuilder::new();
        folder.recursive(true).mode(0o700);
        folder.create(&self.state).with_context(|| format!("creating {}", self.state.display()))?;
        // Beside the folder of state, which `down --all` removes.
        let path = home.join(format!("{}.lock", self.lab.name));
        if let Ok(mut lock) =
            nix::fcntl::Flock::lock(host::open_private(&path)?, nix::fcntl::FlockArg::LockExclusiveNonblock)
        {
            use std::io::Write as _;
            lock.set_len(0)?;
            write!(lock, "{}", std::process::id())?;
            Ok(lock)
        } else {
            let holder = fs_err::read_to_string(&path).unwrap_or_default();
            let what = format!("lab {} is in the hands of another run, process {holder}", self.lab.name);
            Err(Fault::new(Kind::Locked, what).next("wait for it, or end it").error())
        }
    }
}

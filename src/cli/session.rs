//! What every verb needs: the resolved lab, the catalogue, the ports, the folder of state.

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use nix::fcntl::{Flock, FlockArg};

use super::args::LabArgs;
use crate::config::{self, Lab};
use crate::event::Sink;
use crate::exec::{World, host};
use crate::fault::{Fault, Kind};
use crate::images::Catalogue;
use crate::run::Run;

/// The lab's lock, of the kernel: it ends with the process, however that ends.
pub type Lock = Flock<std::fs::File>;

/// One invocation's view of one lab.
pub struct Session {
    pub lab: Lab,
    pub catalogue: Catalogue,
    pub world: World,
    pub state: PathBuf,
    source: crate::run::Source,
    /// The flags that name this lab, each with a space before it.
    pub flags: String,
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
        Ok(Self { lab, catalogue: Catalogue::load()?, world, state, source: args.images, flags: args.typed() })
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

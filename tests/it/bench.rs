//! The engine on a world in memory, for what no fake tool can bring about.

use std::cell::RefCell;
use std::path::Path;

use lab::components::Site;
use lab::config::{self, ImageSource, Lab, Overrides};
use lab::event::{Ending, Event, Sink};
use lab::images::{Catalogue, Supply};
use lab::plan;
use lab::report::Junit;
use lab::run::{Run, down, status};

pub use crate::world::{JobEnd, Say, World};

/// A lab, its world, and what was said.
pub struct Bench {
    pub world: World,
    lab: Lab,
    catalogue: Catalogue,
    supply: Supply,
    said: RefCell<Vec<Event>>,
    junit: Option<Junit>,
    folder: tempfile::TempDir,
}

impl Sink for Bench {
    fn emit(&self, event: Event) {
        if let Some(junit) = &self.junit {
            junit.emit(event.clone());
        }
        self.said.borrow_mut().push(event);
    }
}

impl Bench {
    /// One control plane and one worker, all images there.
    pub fn small() -> Self {
        let catalogue = Catalogue::load().unwrap();
        let world = World::default();
        for image in catalogue.all() {
            world.state().add_image(&catalogue.built_tag(&image.name).unwrap());
        }
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("lab")).unwrap();
        Self {
            world,
            lab: config::load(config::SMALL, "test", &Overrides::default()).unwrap(),
            catalogue,
            supply: Supply::upstream(ImageSource::Auto),
            said: RefCell::default(),
            junit: None,
            folder,
        }
    }

    /// Keeps a JUnit report as well.
    pub fn with_junit(path: &Path) -> Self {
        Self { junit: Some(Junit::new(path).unwrap()), ..Self::small() }
    }

    pub fn said(&self) -> Vec<Event> {
        self.said.borrow().clone()
    }

    /// Makes the lab; the exit code.
    pub fn up(&self) -> u8 {
        let plan = plan::up(&Site { lab: &self.lab, catalogue: &self.catalogue }).unwrap();
        self.end(async { self.run().up(&plan).await })
    }

    pub fn down(&self) -> u8 {
        self.end(async { down::down(&self.run(), true).await?.check(true, "") })
    }

    pub fn status(&self) -> u8 {
        self.end(async { status::status(&self.run()).await.map(drop) })
    }

    fn run(&self) -> Run<'_, World> {
        Run {
            lab: &self.lab,
            catalogue: &self.catalogue,
            ports: &self.world,
            sink: self,
            supply: &self.supply,
            state: self.folder.path().join("lab"),
            flags: String::new(),
            force_smoke: false,
        }
    }

    /// Time stands still but for waiting.
    fn end(&self, work: impl Future<Output = anyhow::Result<()>>) -> u8 {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let ending = Ending::of(&runtime.enable_all().start_paused(true).build().unwrap().block_on(work));
        if let Some(junit) = &self.junit {
            junit.write(&ending).unwrap();
        }
        ending.exit_code
    }
}

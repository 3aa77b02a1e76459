//! The engine against a world in memory that fails on demand. Time stands still but for waiting.

mod access;
mod airflow;
mod apply;
mod cluster;
mod credentials;
mod dag_run;
mod dags;
mod diff;
mod doctor;
mod down;
mod failures;
mod firewall;
mod images;
mod job;
mod logins;
mod logs;
mod matrix;
mod network;
mod nodes;
mod open;
mod people;
mod pods;
mod smoke;
mod status;
mod stubborn;
mod up;
#[path = "../../../tests/world/mod.rs"]
pub mod world;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use anyhow::Result;

use crate::components::Site;
use crate::config::{self, ImageSource, Lab, Overrides};
use crate::event::{Event, Sink};
use crate::fault::{self, Fault};
use crate::images::{Catalogue, Supply};
use crate::plan::{self, Plan};
use crate::run::Run;
use crate::step::{Action, Step};
use world::World;

/// Read once: its hashes take time.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::load().unwrap());

/// A lab, its world, and what was said.
pub struct Bench {
    pub lab: Lab,
    pub catalogue: Catalogue,
    pub world: World,
    pub said: Said,
    pub supply: Supply,
    pub force_smoke: bool,
    pub folder: tempfile::TempDir,
}

impl Bench {
    /// One control plane and one worker.
    pub fn small() -> Self {
        Self::of(config::SMALL)
    }

    /// Three control planes, three workers and a load balancer.
    fn full() -> Self {
        Self::of(config::FULL)
    }

    /// All images are in the engine already, as after a first run.
    fn of(text: &str) -> Self {
        let bench = Self {
            lab: config::load(text, "test", &Overrides::default()).unwrap(),
            catalogue: CATALOGUE.clone(),
            world: World::default(),
            said: Said::default(),
            supply: Supply::upstream(ImageSource::Auto),
            force_smoke: false,
            folder: tempfile::tempdir().unwrap(),
        };
        fs_err::create_dir(bench.run().state).unwrap();
        for image in bench.catalogue.all() {
            bench.world.state().add_image(&bench.catalogue.built_tag(&image.name).unwrap());
        }
        bench
    }

    pub fn run(&self) -> Run<'_, World> {
        Run {
            lab: &self.lab,
            catalogue: &self.catalogue,
            ports: &self.world,
            sink: &self.said,
            supply: &self.supply,
            state: self.folder.path().join("lab"),
            flags: " --name lab".to_owned(),
            force_smoke: self.force_smoke,
        }
    }

    /// The plan, without what is inside the long CRDs; made once for each configuration.
    pub fn plan(&self) -> Plan {
        static PLANS: Mutex<BTreeMap<String, Vec<Step>>> = Mutex::new(BTreeMap::new());
        let make = || {
            let mut plan = plan::up(&Site { lab: &self.lab, catalogue: &self.catalogue }).unwrap();
            plan.steps.iter_mut().for_each(shorten);
            plan.steps
        };
        let mut plans = PLANS.lock().unwrap();
        let steps = plans.entry(serde_json::to_string(&self.lab).unwrap()).or_insert_with(make);
        Plan { lab: self.lab.name.clone(), steps: steps.clone() }
    }

    async fn up(&self) -> Result<()> {
        self.run().up(&self.plan()).await
    }

    /// Makes the lab, and forgets how.
    pub async fn made(self) -> Self {
        self.up().await.unwrap();
        self.world.heal();
        self.said.forget();
        self
    }

    /// Carries out one action with a deadline of a minute.
    async fn act(&self, action: Action) -> Result<()> {
        let deadline = Duration::from_mins(1);
        let step = Step { id: "test", title: "test".to_owned(), needs: vec![], deadline, action };
        self.run().up(&Plan { lab: self.lab.name.clone(), steps: vec![step] }).await
    }
}

fn shorten(step: &mut Step) {
    if let Action::Apply { objects, .. } = &mut step.action {
        for object in objects.iter_mut().filter(|object| object["kind"] == "CustomResourceDefinition") {
            object["spec"] = serde_json::Value::Null;
        }
    }
}

/// The whole text of an error, and its exit code.
fn told(error: &anyhow::Error) -> (u8, String) {
    (fault::kind(error).exit_code(), format!("{error:#}"))
}

/// What the error says to type next.
fn next(error: &anyhow::Error) -> String {
    error.downcast_ref::<Fault>().and_then(|fault| fault.next.clone()).unwrap_or_default()
}

/// What was said in the meantime.
#[derive(Default)]
pub struct Said(RefCell<Vec<Event>>);

impl Sink for Said {
    fn emit(&self, event: Event) {
        self.0.borrow_mut().push(event);
    }
}

impl Said {
    fn forget(&self) {
        self.0.borrow_mut().clear();
    }

    fn started(&self) -> Vec<String> {
        let id = |event: &Event| match event {
            Event::StepStarted { id, .. } => Some(id.clone()),
            _ => None,
        };
        self.0.borrow().iter().filter_map(id).collect()
    }

    fn warnings(&self) -> Vec<String> {
        let warning = |event: &Event| match event {
            Event::Warning(warning) => Some(warning.to_string()),
            _ => None,
        };
        self.0.borrow().iter().filter_map(warning).collect()
    }

    fn notes(&self) -> Vec<String> {
        let note = |event: &Event| match event {
            Event::StepProgress { note, .. } => Some(note.clone()),
            _ => None,
        };
        self.0.borrow().iter().filter_map(note).collect()
    }
}

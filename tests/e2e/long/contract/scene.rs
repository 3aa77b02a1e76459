//! What the questions are asked about: a small lab, behind doors of one kind or the other.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use lab::components::Site;
use lab::config::{self, ImageSource, Overrides};
use lab::event::{Event, Sink};
use lab::images::{Catalogue, Supply};
use lab::plan::{self, Plan};
use lab::run::Run;

use super::NAME;
use super::answers::Answers;
use super::hands::Hands;

pub struct Scene<'a, P> {
    pub ports: &'a P,
    pub lab: config::Lab,
    pub catalogue: Catalogue,
    supply: Supply,
    /// The lab's folder of state.
    pub state: PathBuf,
}

impl<'a, P: Hands> Scene<'a, P> {
    pub fn new(ports: &'a P, state: &Path) -> Self {
        let overrides = Overrides {
            name: Some(NAME.to_owned()),
            subnet: Some("172.30.80.0/24".to_owned()),
            api_port: Some(16580),
            registry_port: Some(15180),
            ..Overrides::default()
        };
        Self {
            ports,
            lab: config::load(config::SMALL, "small", &overrides).expect("a configuration"),
            catalogue: Catalogue::load().expect("the catalogue"),
            supply: Supply::upstream(ImageSource::Auto),
            state: state.to_owned(),
        }
    }

    /// The name of an image in the engine.
    pub fn image(&self, name: &str) -> String {
        self.catalogue.built_tag(name).expect("a recipe")
    }

    fn run<'r>(&'r self, sink: &'r dyn Sink) -> Run<'r, P> {
        Run {
            lab: &self.lab,
            catalogue: &self.catalogue,
            ports: self.ports,
            sink,
            supply: &self.supply,
            state: self.state.clone(),
            flags: String::new(),
            force_smoke: false,
        }
    }

    /// Carries out a plan; how many of its steps changed something.
    pub async fn carry_out(&self, plan: &Plan) -> anyhow::Result<usize> {
        let changed = Changed::default();
        self.run(&changed).up(plan).await?;
        Ok(changed.0.get())
    }

    /// Makes the lab; the second time there is nothing to do.
    pub async fn up(&self, answers: &mut Answers) {
        let site = Site { lab: &self.lab, catalogue: &self.catalogue };
        let plan = plan::up(&site).expect("a plan");
        answers.about("up");
        answers.told("of what there is now", self.carry_out(&plan).await.map(|changed| changed > 0));
        answers.told("once more", self.carry_out(&plan).await.map(|changed| changed > 0));
    }
}

/// Counts the steps that changed something.
#[derive(Default)]
struct Changed(Cell<usize>);

impl Sink for Changed {
    fn emit(&self, event: Event) {
        if let Event::RunDone { changed, .. } = event {
            self.0.set(changed);
        }
    }
}

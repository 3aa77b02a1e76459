//! Walks a plan: runs each step as soon as its needs are met, and stops at the first failure.

mod addresses;
pub mod airflow;
pub mod applications;
mod apply;
mod audit;
mod bucket;
mod build;
mod cluster;
mod credentials;
pub mod dag_run;
pub mod dags;
pub mod diagnose;
mod diff;
pub mod doctor;
pub mod down;
mod firewall;
mod fits;
pub mod forward;
mod images;
pub mod job;
mod journal;
pub mod logins;
pub mod logs;
mod network;
mod nodes;
pub mod open;
pub mod people;
mod policies;
mod prefetch;
mod pull;
mod push;
mod reach;
mod record;
mod registry;
mod remains;
mod secret;
mod smoke;
pub mod status;
mod store;
pub mod verify;
mod wait;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

pub use diff::{Diff, Difference, State as DiffState, diff};
pub use doctor::check_host;
pub use images::{ImageState, lock, provide, state as image_state};
pub use journal::Journal;
pub use pull::Trouble;
pub use reach::reach;
pub use record::Record;

use crate::config::Lab;
use crate::event::{Event, Outcome, Planned, Sink};
use crate::fault::{self, Fault, Kind};
use crate::images::{Catalogue, Supply};
use crate::plan::Plan;
use crate::ports::Ports;
use crate::step::{Action, Step};

/// Everything a run works with.
pub struct Run<'a, P: Ports> {
    pub lab: &'a Lab,
    pub catalogue: &'a Catalogue,
    pub ports: &'a P,
    pub sink: &'a dyn Sink,
    pub supply: &'a Supply,
    /// This lab's folder of state: kubeconfig, diagnostics.
    pub state: PathBuf,
    /// The flags that name this lab, each with a space before it: for the next command to type.
    pub flags: String,
    /// Run the smoke job although its last verdict still holds.
    pub force_smoke: bool,
}

impl<P: Ports> Run<'_, P> {
    pub fn kubeconfig(&self) -> PathBuf {
        self.state.join("kubeconfig")
    }

    /// The folder with the kubeconfigs of people.
    pub fn people(&self) -> PathBuf {
        self.state.join("people")
    }

    /// Carries out a plan.
    ///
    /// # Errors
    /// The first failed step's error; steps that run beside it are dropped.
    pub async fn up(&self, plan: &Plan) -> Result<()> {
        let started = Instant::now();
        let named = |step: &Step| Planned { id: step.id.to_owned(), title: step.title.clone() };
        self.sink.emit(Event::RunStarted { lab: plan.lab.clone(), steps: plan.steps.iter().map(named).collect() });
        let (mut done, mut begun, mut changed) = (BTreeSet::new(), BTreeSet::new(), 0);
        let mut running = FuturesUnordered::new();
        loop {
            for step in &plan.steps {
                if step.needs.iter().all(|need| done.contains(need)) && begun.insert(step.id) {
                    running.push(self.step(step));
                }
            }
            let Some(finished) = running.next().await else { break };
            // The others stand still from here on: nothing is cleaned up before it has been looked at.
            let (id, outcome) = match finished {
                (step, Ok(outcome)) => (step.id, outcome),
                (step, Err(error)) => return Err(self.explained(plan, step, error).await),
            };
            changed += usize::from(matches!(outcome, Outcome::Changed(_)));
            done.insert(id);
        }
        self.sink.emit(Event::RunDone {
            lab: plan.lab.clone(),
            changed,
            unchanged: done.len() - changed,
            took: started.elapsed(),
        });
        Ok(())
    }

    async fn step<'s>(&self, step: &'s Step) -> (&'s Step, Result<Outcome>) {
        let started = Instant::now();
        self.sink.emit(Event::StepStarted { id: step.id.to_owned(), title: step.title.clone() });
        let result = self.within(step.id, step.deadline, async |context| context.act(&step.action).await).await;
        let (id, title, took) = (step.id.to_owned(), step.title.clone(), started.elapsed());
        match result {
            Ok(outcome) => {
                self.sink.emit(Event::StepDone { id, title, outcome: outcome.clone(), took });
                (step, Ok(outcome))
            }
            Err(error) => {
                self.sink.emit(Event::StepFailed { id, title: title.clone(), took });
                if fault::kind(&error) != Kind::Bug {
                    return (step, Err(error));
                }
                let flags = &self.flags;
                let next = format!("lab up{flags}   (goes on from here); lab status{flags}   (what is there)");
                let fault = Fault::new(Kind::Step, format!("step {}: {title}", step.id)).next(next);
                (step, Err(error.context(fault)))
            }
        }
    }

    /// Does one thing that ends in time, or says what it saw last.
    pub async fn within<T>(
        &self,
        id: &'static str,
        deadline: Duration,
        work: impl AsyncFnOnce(&Context<'_, P>) -> Result<T>,
    ) -> Result<T> {
        let context = Context { run: self, id, seen: RefCell::default() };
        tokio::time::timeout(deadline, work(&context)).await.unwrap_or_else(|_| {
            let seen = context.seen.borrow();
            let why = if seen.is_empty() { "nothing was seen".to_owned() } else { format!("last seen: {seen}") };
            Err(anyhow!("not done within {} s; {why}", deadline.as_secs()))
        })
    }

    /// Adds to a step's error who is to blame, what is known of it, and where everything is written down.
    async fn explained(&self, plan: &Plan, step: &Step, mut error: anyhow::Error) -> anyhow::Error {
        if matches!(fault::kind(&error), Kind::Step | Kind::Verification) {
            let said = format!("{error:#}");
            let diagnosis = diagnose::diagnose(self, plan, &said).await;
            let new = |line: &&str| line.trim_start().strip_prefix("log: ").is_none_or(|line| !said.contains(line));
            let culprit = diagnosis.culprit.filter(|_| step.action.uses_pods());
            if let Some(fault) = error.downcast_mut::<Fault>() {
                fault.culprit = culprit.map(|text| text.lines().filter(new).collect::<Vec<_>>().join("\n"));
                fault.diagnostics = diagnosis.folder;
            }
        }
        fault::recognise(&mut error);
        error
    }
}

/// What an action works with: the run, and where to say what it sees.
pub struct Context<'a, P: Ports> {
    pub run: &'a Run<'a, P>,
    id: &'static str,
    seen: RefCell<String>,
}

impl<P: Ports> Context<'_, P> {
    /// Says what the step sees or does now; a timeout quotes the last of these.
    pub fn note(&self, note: impl Into<String>) {
        let note = note.into();
        if *self.seen.borrow() != note {
            self.seen.borrow_mut().clone_from(&note);
            self.run.sink.emit(Event::StepProgress { id: self.id.to_owned(), note });
        }
    }

    async fn act(&self, action: &Action) -> Result<Outcome> {
        match action {
            Action::Images { names } => images::have(self, names).await,
            Action::Remains => remains::settle(self).await,
            Action::Network => network::have(self).await,
            Action::Registry => registry::have(self).await,
            Action::Push { names } => push::have(self, names).await,
            Action::Cluster { config } => cluster::have(self, config).await,
            Action::Prefetch { references } => prefetch::have(self, references).await,
            Action::Addresses => addresses::pin(self).await,
            Action::Firewall => firewall::have(self).await,
            Action::NodesReady => nodes::ready(self).await,
            Action::Credentials { secrets } => credentials::have(self, secrets).await,
            Action::Apply { objects, ready } => apply::have(self, objects, ready).await,
            Action::Policies { objects } => policies::have(self, objects).await,
            Action::People { people, lifetime_seconds, namespace } => {
                people::have(self, people, *lifetime_seconds, namespace.as_deref()).await
            }
            Action::Buckets { grants, secret } => bucket::have(self, grants, secret).await,
            Action::Secret { secret, keys } => secret::expect(self, secret, keys).await,
            Action::GitRepository { repository } => dags::reach_repository(self, repository).await,
            Action::SampleDags => dags::have_samples(self).await,
            Action::Smoke => smoke::have(self).await,
            Action::PushDags { folder, delete } => dags::push(self, folder, *delete).await,
            Action::RunDag { order, wait } => dag_run::have(self, order, *wait).await,
            Action::Job(job) => {
                let finished = job::run(self, job, &job::unique_name(&job.name)).await?;
                Ok(Outcome::Changed(format!("{} completed", finished.application)))
            }
        }
    }
}

#[cfg(test)]
mod tests;

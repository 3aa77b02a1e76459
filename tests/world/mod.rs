//! A world in memory behind the ports: it works until a test scripts a call to fail, hang or answer wrongly,
//! and it remembers every call.

mod admission;
pub mod airflow;
mod amounts;
mod certificates;
mod containers;
mod dags;
mod docker;
mod firewall;
mod kube;
mod object_store;
mod registry;
mod requests;
pub mod restricted;
mod spark;
mod state;
mod tools;

use std::cell::{Cell, RefCell, RefMut};

use anyhow::{Result, bail};
use tokio::sync::Notify;

use lab::ports::{Output, Ports};

pub use spark::JobEnd;
pub use state::{State, container};
pub use tools::Machine;

/// What a scripted call does instead of its work.
#[derive(Clone, Debug)]
pub enum Say {
    Fail(&'static str),
    /// Does its work, and fails then.
    FailAfter(&'static str),
    /// Never comes back.
    Hang,
    /// Does its work, and never comes back.
    HangAfter,
    /// The caller is killed before the call does its work; until [`World::revive`] nobody else gets an answer.
    Kill,
    /// The caller is killed when half of the work is done: so many parts of it.
    KillHalfway(usize),
    /// The caller is killed when the work is done.
    KillAfter,
    /// The answer of an exec.
    Answer(Output),
}

struct Line {
    /// How the call's text begins.
    call: String,
    say: Say,
    /// After how many calls it begins to hold, and for how many.
    skip: usize,
    left: usize,
}

#[derive(PartialEq)]
enum Effect {
    Reads,
    Changes,
}

#[derive(Default)]
pub struct World {
    state: RefCell<State>,
    calls: RefCell<Vec<(String, bool)>>,
    script: RefCell<Vec<Line>>,
    /// What the call of this number does.
    numbered: RefCell<Option<(usize, Say)>>,
    killed: Cell<bool>,
    kill: Notify,
}

impl World {
    pub fn state(&self) -> RefMut<'_, State> {
        self.state.borrow_mut()
    }

    /// Every call whose text begins so does this.
    pub fn script(&self, call: &str, say: Say) {
        self.script_times(call, usize::MAX, say);
    }

    /// The next calls whose text begins so do this.
    pub fn script_times(&self, call: &str, left: usize, say: Say) {
        self.script_after(call, 0, left, say);
    }

    /// As [`World::script_times`], from a later call on.
    pub fn script_after(&self, call: &str, skip: usize, left: usize, say: Say) {
        self.script.borrow_mut().push(Line { call: call.to_owned(), say, skip, left });
    }

    /// The call of this number, counted from now on and from 1, does this.
    pub fn script_number(&self, number: usize, say: Say) {
        self.numbered.replace(Some((self.calls.borrow().len() + number, say)));
    }

    /// Waits until the caller is to be killed: drop it then.
    pub async fn killed(&self) {
        self.kill.notified().await;
    }

    /// A new caller gets answers again.
    pub fn revive(&self) {
        self.killed.set(false);
    }

    /// Everything works again, and all calls are forgotten.
    pub fn heal(&self) {
        self.numbered.take();
        self.script.borrow_mut().clear();
        self.calls.borrow_mut().clear();
    }

    /// All calls so far.
    pub fn calls(&self) -> Vec<String> {
        self.calls.borrow().iter().map(|(text, _)| text.clone()).collect()
    }

    /// The calls that change something.
    pub fn changes(&self) -> Vec<String> {
        self.calls.borrow().iter().filter(|(_, changes)| *changes).map(|(text, _)| text.clone()).collect()
    }

    /// How many calls begin so.
    pub fn count(&self, call: &str) -> usize {
        self.calls.borrow().iter().filter(|(text, _)| text.starts_with(call)).count()
    }

    async fn read<T>(&self, text: String, work: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        self.call(text, Effect::Reads, work).await
    }

    async fn change<T>(&self, text: String, work: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        self.call(text, Effect::Changes, work).await
    }

    async fn call<T>(&self, text: String, effect: Effect, work: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        if self.killed.get() {
            return std::future::pending().await;
        }
        self.calls.borrow_mut().push((text.clone(), effect == Effect::Changes));
        let say = self.scripted(&text);
        // Real doors let others run meanwhile. A kill comes at once: whoever dropped this call would do so unkilled.
        if !matches!(say, Some(Say::Kill | Say::KillHalfway(_) | Say::KillAfter)) {
            tokio::task::yield_now().await;
        }
        if self.killed.get() {
            return std::future::pending().await;
        }
        match say {
            Some(Say::Fail(why)) => bail!(why),
            Some(Say::FailAfter(why)) => {
                work(&mut self.state())?;
                bail!(why)
            }
            Some(Say::Hang) => std::future::pending().await,
            Some(Say::HangAfter) => {
                work(&mut self.state())?;
                std::future::pending().await
            }
            Some(Say::Kill) => self.die().await,
            Some(Say::KillHalfway(parts)) => {
                self.state().halfway = Some(parts);
                drop(work(&mut self.state()));
                self.state().halfway = None;
                self.die().await
            }
            Some(Say::KillAfter) => {
                drop(work(&mut self.state()));
                self.die().await
            }
            Some(Say::Answer(output)) => {
                self.state().answer = Some(output);
                work(&mut self.state())
            }
            None => work(&mut self.state()),
        }
    }

    async fn die<T>(&self) -> T {
        self.killed.set(true);
        self.kill.notify_one();
        std::future::pending().await
    }

    fn scripted(&self, text: &str) -> Option<Say> {
        let now = self.calls.borrow().len();
        if let Some((_, say)) = self.numbered.borrow_mut().take_if(|(number, _)| *number == now) {
            return Some(say);
        }
        let mut script = self.script.borrow_mut();
        let line = script.iter_mut().find(|line| line.left > 0 && text.starts_with(&line.call))?;
        if line.skip > 0 {
            line.skip -= 1;
            return None;
        }
        line.left -= 1;
        Some(line.say.clone())
    }
}

impl Ports for World {
    type Docker = Self;
    type Clusters = Self;
    type Kube = Self;
    type Registry = Self;
    type Builder = Self;

    fn docker(&self) -> &Self {
        self
    }
    fn clusters(&self) -> &Self {
        self
    }
    fn kube(&self) -> &Self {
        self
    }
    fn registry(&self) -> &Self {
        self
    }
    fn builder(&self) -> &Self {
        self
    }
}

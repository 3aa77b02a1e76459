//! Images from registries, through the engine: patience with what passes, and an end to what does not.

mod trouble;

use std::cell::Cell;
use std::time::Duration;

use anyhow::{Error, anyhow};
use tokio::time::{Instant, sleep, sleep_until, timeout};

pub use trouble::Trouble;

use crate::ports::Docker;

/// How long a registry may take to show any sign of life before it counts as out of reach.
const REACH: Duration = Duration::from_secs(10);
/// How long a pull that had begun may stand still. The engine itself would wait for ever.
const STALL: Duration = Duration::from_mins(1);
/// How often a registry is asked that has passing trouble.
const TRIES: u32 = 4;

/// Why a registry gave nothing.
#[derive(Debug)]
pub struct Failure {
    pub trouble: Trouble,
    /// The engine's own words.
    pub error: Error,
    /// Parts of the image had come already. The engine has then tried several times by itself.
    begun: bool,
}

impl Failure {
    fn of(error: Error, begun: bool) -> Self {
        Self { trouble: Trouble::of(&format!("{error:#}")), error, begun }
    }

    fn silent() -> Self {
        Self { trouble: Trouble::Silent, error: anyhow!("nothing came within {} s", REACH.as_secs()), begun: false }
    }

    /// How long to wait before the next try, none where another would be in vain.
    fn wait(&self, tries: u32) -> Option<Duration> {
        let first = if self.trouble == Trouble::Limit { 4.0 } else { 1.0 };
        // Not all at the same moment, where a whole class has begun together.
        let jitter = rand::random_range(0.75..1.25);
        let again = self.trouble.passes() && !self.begun && tries < TRIES;
        again.then(|| Duration::from_secs_f64(first * f64::from(1 << (tries - 1)) * jitter))
    }
}

/// Pulls what a name stands for; with a digest in it, that and nothing else.
pub async fn pull<D: Docker>(docker: &D, name: &str, note: &mut dyn FnMut(String)) -> Result<(), Failure> {
    let mut tries = 1;
    loop {
        let Err(failure) = once(docker, name, note).await else { return Ok(()) };
        let Some(wait) = failure.wait(tries) else { return Err(compare(docker, name, failure).await) };
        note(format!("{} ({:#}); next try in {} s", failure.trouble, failure.error, wait.as_secs().max(1)));
        sleep(wait).await;
        tries += 1;
    }
}

/// Sees whether the registry of a name can be reached; what else it has to say is of no interest here.
///
/// # Errors
/// When it cannot.
pub async fn reach<D: Docker>(docker: &D, name: &str) -> Result<(), Failure> {
    match timeout(REACH, docker.remote_digest(name)).await {
        Err(_) => Err(Failure::silent()),
        Ok(Err(error)) => {
            let failure = Failure::of(error, false);
            if failure.trouble.is_of_registry() { Err(failure) } else { Ok(()) }
        }
        Ok(Ok(_)) => Ok(()),
    }
}

/// The digest that a registry has under a name, none where it has no such image.
pub async fn digest<D: Docker>(docker: &D, name: &str) -> Result<Option<String>, Failure> {
    let mut tries = 1;
    loop {
        let answer = timeout(REACH, docker.remote_digest(name)).await;
        let failure = match answer {
            Ok(Ok(digest)) => return Ok(digest),
            Ok(Err(error)) => Failure::of(error, false),
            Err(_) => Failure::silent(),
        };
        let Some(wait) = failure.wait(tries) else { return Err(failure) };
        sleep(wait).await;
        tries += 1;
    }
}

async fn once<D: Docker>(docker: &D, name: &str, note: &mut dyn FnMut(String)) -> Result<(), Failure> {
    let started = Instant::now();
    let heard = Cell::new(None);
    let mut progress = |text: String| {
        heard.set(Some(Instant::now()));
        note(text);
    };
    let pull = docker.pull(name, &mut progress);
    let silence = async {
        loop {
            let deadline = heard.get().map_or(started + REACH, |last| last + STALL);
            if Instant::now() >= deadline {
                return;
            }
            sleep_until(deadline).await;
        }
    };
    tokio::select! {
        result = pull => result.map_err(|error| Failure::of(error, heard.get().is_some())),
        () = silence => Err(match heard.get() {
            None => Failure::silent(),
            Some(_) => Failure {
                trouble: Trouble::Stalled,
                error: anyhow!("nothing more came for {} s", STALL.as_secs()),
                begun: true,
            },
        }),
    }
}

/// A digest that is not there may be one that has become another: then both are named.
async fn compare<D: Docker>(docker: &D, name: &str, failure: Failure) -> Failure {
    let Some((tagged, locked)) = name.split_once('@').filter(|_| failure.trouble == Trouble::Missing) else {
        return failure;
    };
    match timeout(REACH, docker.remote_digest(tagged)).await {
        Ok(Ok(Some(found))) if found != locked => {
            let error = anyhow!("{tagged} is locked at {locked}, and the registry has {found}");
            Failure { trouble: Trouble::Digest, error, begun: false }
        }
        _ => failure,
    }
}

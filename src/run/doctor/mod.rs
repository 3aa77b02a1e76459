//! The examination of a machine: look, judge, and say how to mend what is in the way. Nothing is made.
//!
//! [`facts`] looks, [`values`] replaces what was seen where a test wants it, [`checks`] lists the judges.

mod checks;
mod engine;
mod facts;
mod features;
mod finding;
mod neighbours;
mod plumbing;
mod repair;
mod room;
mod values;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::{Run, images};
use crate::components::LABEL;
use crate::config::Lab;
use crate::fault::{Fault, Kind};
use crate::images::{Catalogue, Supply};
use crate::ports::{Docker as _, Host, Ports};
use checks::Case;
use facts::{Facts, Trial};
use images::ImageState;
use values::Values;

pub use facts::routes;
pub use finding::{Finding, Fix, Level};
#[cfg(test)]
pub use values::KEYS;

/// How long a privileged container may take to start and end.
const TRIAL: Duration = Duration::from_mins(1);

/// What is examined, and the doors through which.
pub struct Examination<'a, P: Ports, H: Host> {
    pub lab: &'a Lab,
    pub catalogue: &'a Catalogue,
    pub supply: &'a Supply,
    /// The lab's folder of state.
    pub state: &'a Path,
    /// The flags that name this lab, each with a space before it.
    pub flags: &'a str,
    /// Why there is none, where no engine can be reached.
    pub docker: Result<&'a P::Docker, &'a anyhow::Error>,
    pub clusters: &'a P::Clusters,
    pub builder: &'a P::Builder,
    pub host: &'a H,
}

/// When a privileged container is tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Try {
    Always,
    /// Where no cluster proves already that it works, and nothing is in the way.
    BeforeACluster,
}

impl<'a, P: Ports, H: Host> Examination<'a, P, H> {
    pub fn of(run: &'a Run<'a, P>, host: &'a H) -> Self {
        Self {
            lab: run.lab,
            catalogue: run.catalogue,
            supply: run.supply,
            state: &run.state,
            flags: &run.flags,
            docker: Ok(run.ports.docker()),
            clusters: run.ports.clusters(),
            builder: run.ports.builder(),
            host,
        }
    }

    /// Every finding, in a fixed order. A privileged container is tried for a moment, and nothing else made.
    ///
    /// # Errors
    /// [`Kind::Usage`] when the injected values cannot be used.
    pub async fn findings(&self) -> Result<Vec<Finding>> {
        self.examine(Try::Always).await
    }

    /// Applies the safe fixes; returns what was done and what could not be, in words.
    pub async fn fix(&self, findings: &[Finding]) -> Vec<String> {
        repair::apply(self, findings).await
    }

    async fn examine(&self, when: Try) -> Result<Vec<Finding>> {
        let values = Values::read(self.host)?;
        let mut facts = facts::look(self, &values).await;
        values.inject(&mut facts)?;
        let first = self.judge(&facts);
        let wanted = when == Try::Always || (facts.cluster().is_empty() && first.iter().all(Finding::passes));
        if facts.trial != Trial::Untried(facts::NOT_YET) || !wanted {
            return Ok(first);
        }
        facts.trial = self.try_privileged().await;
        Ok(self.judge(&facts))
    }

    fn judge(&self, facts: &Facts) -> Vec<Finding> {
        let case = Case { lab: self.lab, flags: self.flags, source: self.supply.source, facts };
        checks::CHECKS.iter().map(|check| check.finding(&case)).collect()
    }

    /// Runs a privileged container of an image that is here already, for a moment.
    async fn try_privileged(&self) -> Trial {
        let Ok(docker) = self.docker else { return Trial::Untried("no Docker engine answers") };
        let Some(image) = self.image_with_mount(docker).await else {
            return Trial::Untried("no image of the lab is here yet to try it with");
        };
        let name = facts::trial_container(self.lab);
        // Mounting is what ordinary containers may not.
        let argv = ["mount", "-t", "tmpfs", "none", "/tmp"];
        let label = (LABEL, self.lab.name.as_str());
        let tried = tokio::time::timeout(TRIAL, async {
            // A run that was cut short may have left it.
            let left = docker.containers(&format!("{LABEL}={}", self.lab.name)).await?;
            if left.iter().any(|container| container.name == name) {
                docker.remove_container(&name).await?;
            }
            docker.try_privileged(&name, &image, label, &argv).await
        });
        match tried.await {
            Ok(Ok(output)) if output.code == 0 => Trial::Granted,
            Ok(Ok(output)) => Trial::Refused(format!("mount ended with {}: {}", output.code, output.stderr.trim())),
            Ok(Err(error)) => Trial::Refused(format!("{error:#}")),
            Err(_) => Trial::Refused(format!("it did not end within {} s", TRIAL.as_secs())),
        }
    }

    async fn image_with_mount(&self, docker: &P::Docker) -> Option<String> {
        for name in ["probe", "node"] {
            match images::state(docker, self.catalogue, name, self.supply).await {
                Ok(ImageState::Built { tag, .. }) => return Some(tag),
                Ok(ImageState::Pulled { reference, .. }) => return Some(reference),
                Ok(ImageState::Missing) | Err(_) => {}
            }
        }
        None
    }
}

/// The gate of `lab up`: what must hold before anything is made. What does not stop it is said as a warning.
///
/// # Errors
/// [`Kind::Host`], listing everything that is in the way.
pub async fn check_host<P: Ports>(run: &Run<'_, P>, host: &impl Host) -> Result<()> {
    let findings = Examination::of(run, host).examine(Try::BeforeACluster).await?;
    let in_the_way: Vec<String> =
        findings.iter().filter(|finding| !finding.passes()).map(|finding| format!("\n  {finding}")).collect();
    if in_the_way.is_empty() {
        let warnings = findings.into_iter().filter(|finding| finding.level == Level::Warning);
        warnings.for_each(|finding| run.sink.warn(finding.into()));
        return Ok(());
    }
    let what = format!("not fit for lab {}:{}", run.lab.name, in_the_way.concat());
    let next = format!("make setup   (brings what is missing), or as said above; lab doctor{}   (says why)", run.flags);
    Err(Fault::new(Kind::Host, what).next(next).error())
}

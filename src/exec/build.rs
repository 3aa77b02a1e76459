//! Building images with buildx.

mod settings;

use std::path::Path;

use anyhow::{Context as _, Result};

use super::host;
use super::process::Command;
use crate::ports::{Build, Builder};

pub struct Buildx;

impl Builder for Buildx {
    async fn version(&self) -> Result<String> {
        let text = Command::new("docker").args(["buildx", "version"]).output().await?;
        // `github.com/docker/buildx v0.29.1 <commit>`
        Ok(text.split_whitespace().nth(1).unwrap_or_default().trim_start_matches('v').to_owned())
    }

    async fn bootstrap(&self, script: &Path, tag: &str) -> Result<()> {
        // The tag comes last: half a Debian, or none, must not be taken for one by the next run.
        let pipeline = r#"set -o pipefail; id=$(bash "$0" | docker import -) && docker tag "$id" "$1""#;
        let script = script.to_string_lossy();
        let command = Command::new("bash").args(["-c", pipeline, &script, tag]);
        command.output().await.context("making a Debian root file system")?;
        Ok(())
    }

    async fn build(&self, build: &Build, progress: &mut dyn FnMut(String)) -> Result<()> {
        let mut command = Command::new("docker")
            .args(["buildx", "build", "--load", "--progress", "plain", "--provenance", "false"])
            .args(["--tag", &build.tag]);
        for (name, image) in &build.contexts {
            command = command.args(["--build-context".to_owned(), format!("{name}=docker-image://{image}")]);
        }
        for (name, value) in &build.labels {
            command = command.args(["--label".to_owned(), format!("{name}={value}")]);
        }
        for (name, value) in settings::shared() {
            // Only the name: buildx takes the value from the environment, so it stays out of argv.
            command = command.args(["--build-arg", name]).environment(name, &value);
        }
        if let Some(bundle) = host::ca_bundle() {
            command = command.args(["--secret".to_owned(), format!("id=ca,src={}", bundle.display())]);
        }
        // Mirrors and proxies of Maven stand in a file, often with a password.
        let settings = host::variable("HOME").map(|home| Path::new(&home).join(".m2/settings.xml"));
        if let Some(settings) = settings.filter(|path| path.is_file()) {
            command = command.args(["--secret".to_owned(), format!("id=maven-settings,src={}", settings.display())]);
        }
        let mut line = |text: &str| {
            if let Some(text) = summary(text) {
                progress(text);
            }
        };
        command
            .args([build.folder.to_string_lossy()])
            .run(&mut line)
            .await
            .with_context(|| format!("building image {}", build.name))?;
        Ok(())
    }
}

/// The longest instruction that is shown whole, in characters.
const SHOWN: usize = 90;

/// The instruction that a line of BuildKit's plain progress announces, none for other lines.
pub fn summary(line: &str) -> Option<String> {
    let (_, text) = line.strip_prefix('#')?.split_once(' ')?;
    let housekeeping = ["[internal]", "[context "].iter().any(|start| text.starts_with(start));
    if housekeeping || !text.starts_with('[') {
        return None;
    }
    // Mounts say how a step runs; the step itself comes after them.
    let words = text.split_whitespace().filter(|word| !word.starts_with("--mount="));
    Some(words.collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect())
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn only_instructions_are_shown() {
        let line = "#12 [build 3/4] RUN --mount=type=cache,target=/x go build";
        assert_eq!(summary(line).as_deref(), Some("[build 3/4] RUN go build"));
        assert_eq!(summary("#3 [context base] load metadata"), None);
        assert_eq!(summary("#12 1.403 go: downloading"), None);
        assert_eq!(summary("#1 [internal] load build definition"), None);
        assert_eq!(summary("plain"), None);
    }
}

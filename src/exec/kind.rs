//! The kind program.

use anyhow::{Result, anyhow};

use super::host;
use super::process::Command;
use crate::ports::{ClusterSpec, Clusters};

pub struct Kind;

impl Clusters for Kind {
    async fn version(&self) -> Result<String> {
        let text = Command::new("kind").args(["version"]).output().await?;
        let version = text.split_whitespace().find_map(|word| word.strip_prefix('v'));
        version.map(str::to_owned).ok_or_else(|| anyhow!("`kind version` printed {text:?}"))
    }

    async fn create(&self, cluster: &ClusterSpec<'_>, progress: &mut dyn FnMut(String)) -> Result<()> {
        let config = tempfile_with(cluster.config)?;
        let mut command = Command::new("kind");
        if host::has_proxy() {
            let direct = host::without_proxy(cluster.direct);
            // kind reads the first, programs in the nodes the one or the other.
            command = command.environment("NO_PROXY", &direct).environment("no_proxy", &direct);
        }
        command
            .args(["create", "cluster", "--name", cluster.name])
            .args(["--config", &config.path().to_string_lossy()])
            .args(["--image", cluster.image])
            .args(["--kubeconfig", &cluster.kubeconfig.to_string_lossy()])
            // A failed cluster is kept until its logs are read; `up` removes it on the next run.
            .args(["--retain"])
            .environment("KIND_EXPERIMENTAL_DOCKER_NETWORK", cluster.network)
            .run(&mut |line| progress(line.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()))
            .await?;
        Ok(())
    }

    async fn kubeconfig(&self, name: &str) -> Result<String> {
        Command::new("kind").args(["get", "kubeconfig", "--name", name]).output().await
    }
}

/// Merges a cluster's context into a kubeconfig file of the user's choice.
///
/// # Errors
/// When kind cannot write it.
pub async fn merge(name: &str, kubeconfig: &std::path::Path) -> Result<()> {
    let path = kubeconfig.to_string_lossy();
    Command::new("kind").args(["export", "kubeconfig", "--name", name, "--kubeconfig", &path]).output().await?;
    Ok(())
}

fn tempfile_with(text: &str) -> Result<tempfile::NamedTempFile> {
    let file = tempfile::NamedTempFile::new()?;
    fs_err::write(file.path(), text)?;
    Ok(file)
}

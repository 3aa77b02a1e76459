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
            let already = host::variable("NO_PROXY").or_else(|| host::variable("no_proxy"));
            let direct = without_proxy(already, cluster.direct);
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
        let text = Command::new("kind").args(["get", "kubeconfig", "--name", name]).output().await?;
        // It prints one line more than it writes.
        Ok(format!("{}\n", text.trim_end()))
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

/// The value of `NO_PROXY` with more hosts and ranges in it.
fn without_proxy(already: Option<String>, more: &[String]) -> String {
    already.into_iter().chain(more.iter().cloned()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::without_proxy;

    #[test]
    fn what_needed_no_proxy_before_still_needs_none() {
        let more = ["registry.lab".to_owned(), "172.29.0.0/24".to_owned()];
        assert_eq!(without_proxy(None, &more), "registry.lab,172.29.0.0/24");
        assert_eq!(
            without_proxy(Some(".example,10.0.0.1".to_owned()), &more),
            ".example,10.0.0.1,registry.lab,172.29.0.0/24"
        );
    }
}

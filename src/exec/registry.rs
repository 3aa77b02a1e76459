//! The lab's registry, over HTTP on loopback.

use anyhow::{Context as _, Result, bail};
use reqwest::StatusCode;

use crate::ports::Registry;

/// Manifest types that Docker pushes; without them a registry converts or refuses.
const ACCEPT: &str = "application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.index.v1+json";

pub struct HttpRegistry {
    client: reqwest::Client,
}

impl HttpRegistry {
    pub fn new() -> Result<Self> {
        // Loopback is never reached through a proxy.
        let client = reqwest::Client::builder().no_proxy().timeout(std::time::Duration::from_secs(10)).build()?;
        Ok(Self { client })
    }
}

impl Registry for HttpRegistry {
    async fn digest(&self, port: u16, repository: &str, tag: &str) -> Result<Option<String>> {
        let url = format!("http://127.0.0.1:{port}/v2/{repository}/manifests/{tag}");
        let answer =
            self.client.head(&url).header("Accept", ACCEPT).send().await.context("asking the lab's registry")?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::OK => {
                let digest = answer.headers().get("docker-content-digest").context("registry sent no digest")?;
                Ok(Some(digest.to_str()?.to_owned()))
            }
            status => bail!("the lab's registry answered {status} to {url}"),
        }
    }
}

#[cfg(test)]
mod tests;

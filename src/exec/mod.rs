//! The only modules that touch the outside.

pub mod browser;
pub mod build;
pub mod docker;
pub mod host;
pub mod kind;
pub mod kube;
pub mod lock;
pub mod process;
pub mod registry;
pub mod shared;

use std::path::PathBuf;

use anyhow::Result;

use crate::fault::{Fault, Kind};
use crate::ports::Ports;

/// The real world.
pub struct World {
    docker: docker::Bollard,
    kind: kind::Kind,
    kube: kube::KubeApi,
    registry: registry::HttpRegistry,
    builder: build::Buildx,
}

impl World {
    /// Connects to the Docker engine; the Kubernetes API is connected to when first used.
    ///
    /// # Errors
    /// [`Kind::Host`] when no engine answers.
    pub async fn connect(kubeconfig: PathBuf) -> Result<Self> {
        let docker = docker::Bollard::connect().await.map_err(|error| {
            let fault = if format!("{error:#}").to_lowercase().contains("permission denied") {
                Fault::new(Kind::Host, "no permission to use the Docker engine")
                    .next("add yourself to the group docker (`sudo usermod -aG docker $USER`, then log in again)")
            } else {
                Fault::new(Kind::Host, "no Docker engine answers").next("make setup   (installs or starts it)")
            };
            error.context(fault)
        })?;
        Ok(Self {
            docker,
            kind: kind::Kind,
            kube: kube::KubeApi::new(kubeconfig),
            registry: registry::HttpRegistry::new()?,
            builder: build::Buildx,
        })
    }
}

impl Ports for World {
    type Docker = docker::Bollard;
    type Clusters = kind::Kind;
    type Kube = kube::KubeApi;
    type Registry = registry::HttpRegistry;
    type Builder = build::Buildx;

    fn docker(&self) -> &Self::Docker {
        &self.docker
    }
    fn clusters(&self) -> &Self::Clusters {
        &self.kind
    }
    fn kube(&self) -> &Self::Kube {
        &self.kube
    }
    fn registry(&self) -> &Self::Registry {
        &self.registry
    }
    fn builder(&self) -> &Self::Builder {
        &self.builder
    }
}

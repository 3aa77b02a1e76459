//! The Docker engine, through its API.

pub mod answers;
mod credentials;

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, anyhow, bail};
use bollard::errors::Error;
use bollard::exec::StartExecResults;
use bollard::models::{
    ContainerCreateBody, EndpointIpamConfig, EndpointSettings, ExecConfig, HostConfig, Ipam, IpamConfig,
    NetworkConnectRequest, NetworkCreateRequest, NetworkDisconnectRequest, NetworkingConfig, PortBinding,
    RestartPolicy, RestartPolicyNameEnum, VolumeCreateRequest,
};
use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, CreateContainerOptionsBuilder, CreateImageOptionsBuilder,
    ListContainersOptionsBuilder, ListVolumesOptionsBuilder, LogsOptionsBuilder, PushImageOptionsBuilder,
    RemoveContainerOptionsBuilder, TagImageOptionsBuilder, UploadToContainerOptionsBuilder,
};
use futures::StreamExt as _;

use self::answers::{Lines, container, found, own_words, sorted, split_tag};
use super::process::Command;
use crate::ports::{Container, ContainerSpec, Docker, Engine, Image, LogQuery, Network, Output};

/// A connection to the engine that the `docker` program would use.
pub struct Bollard {
    client: bollard::Docker,
    /// Reached through a socket file.
    local: bool,
}

impl Bollard {
    /// Connects to `DOCKER_HOST`, or to the endpoint of the current Docker context.
    pub async fn connect() -> Result<Self> {
        let endpoint = context_endpoint().await;
        let client = match &endpoint {
            Some(host) => bollard::Docker::connect_with_host(host),
            None => bollard::Docker::connect_with_defaults(),
        }?;
        let client = client.negotiate_version().await?;
        let endpoint = endpoint.or_else(|| super::host::variable("DOCKER_HOST"));
        let local = endpoint.is_none_or(|endpoint| endpoint.starts_with("unix:"));
        Ok(Self { client: client.with_request_modifier(credentials::url_safe), local })
    }
}

/// bollard knows `DOCKER_HOST` but not Docker contexts, which Docker Desktop and rootless engines use.
async fn context_endpoint() -> Option<String> {
    if super::host::variable("DOCKER_HOST").is_some() {
        return None;
    }
    let format = "{{.Endpoints.docker.Host}}";
    let output = Command::new("docker").args(["context", "inspect", "--format", format]).output().await.ok()?;
    let host = output.trim().to_owned();
    (!host.is_empty()).then_some(host)
}

impl Docker for Bollard {
    async fn engine(&self) -> Result<Engine> {
        let info = self.client.info().await?;
        let proxies = [&info.http_proxy, &info.https_proxy];
        Ok(Engine {
            proxied: proxies.into_iter().flatten().any(|proxy| !proxy.is_empty()),
            version: info.server_version.unwrap_or_default(),
            cgroup: info.cgroup_version.map(|version| version.to_string()).unwrap_or_default(),
            cpus: info.ncpu.unwrap_or_default().unsigned_abs(),
            memory: info.mem_total.unwrap_or_default().unsigned_abs(),
            root: info.docker_root_dir.unwrap_or_default(),
            kernel: info.kernel_version.unwrap_or_default(),
            security: info.security_options.unwrap_or_default(),
            local: self.local,
        })
    }

    async fn networks(&self) -> Result<Vec<Network>> {
        let networks = self.client.list_networks(None::<bollard::query_parameters::ListNetworksOptions>).await?;
        let subnet = |ipam: Option<Ipam>| {
            let configs = ipam.and_then(|ipam| ipam.config).unwrap_or_default();
            configs.into_iter().filter_map(|config| config.subnet).find(|subnet| subnet.contains('.'))
        };
        Ok(networks
            .into_iter()
            .map(|network| Network {
                name: network.name.unwrap_or_default(),
                subnet: subnet(network.ipam).unwrap_or_default(),
                labels: sorted(network.labels),
            })
            .collect())
    }

    async fn create_network(&self, network: &Network) -> Result<()> {
        let config = IpamConfig { subnet: Some(network.subnet.clone()), ..Default::default() };
        let request = NetworkCreateRequest {
            name: network.name.clone(),
            driver: Some("bridge".to_owned()),
            ipam: Some(Ipam { config: Some(vec![config]), ..Default::default() }),
            labels: Some(network.labels.clone().into_iter().collect()),
            ..Default::default()
        };
        self.client.create_network(request).await.with_context(|| format!("creating network {}", network.name))?;
        Ok(())
    }

    async fn remove_network(&self, name: &str) -> Result<()> {
        found(self.client.remove_network(name).await).with_context(|| format!("removing network {name}"))?;
        Ok(())
    }

    async fn containers(&self, label: &str) -> Result<Vec<Container>> {
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let mut containers: Vec<Container> =
            self.client.list_containers(Some(options)).await?.into_iter().map(container).collect();
        containers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(containers)
    }

    async fn all_containers(&self) -> Result<Vec<Container>> {
        let options = ListContainersOptionsBuilder::new().all(true).build();
        Ok(self.client.list_containers(Some(options)).await?.into_iter().map(container).collect())
    }

    async fn run_container(&self, spec: &ContainerSpec) -> Result<()> {
        // Loopback only: nothing of a lab listens for the neighbours.
        let binding = |(port, inside): (u16, u16)| {
            let binding = PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some(port.to_string()) };
            (format!("{inside}/tcp"), Some(vec![binding]))
        };
        let restart = RestartPolicy { name: Some(RestartPolicyNameEnum::UNLESS_STOPPED), maximum_retry_count: None };
        let endpoint = EndpointSettings {
            aliases: Some(spec.aliases.clone()),
            ipam_config: Some(EndpointIpamConfig {
                ipv4_address: Some(spec.address.to_string()),
                ..Default::default()
            }),
            ..Default::default()
        };
        let body = ContainerCreateBody {
            image: Some(spec.image.clone()),
            hostname: Some(spec.name.clone()),
            labels: Some(spec.labels.clone().into_iter().collect()),
            entrypoint: (!spec.command.is_empty()).then(|| spec.command.clone()),
            exposed_ports: spec.port.map(|(_, inside)| vec![format!("{inside}/tcp")]),
            host_config: Some(HostConfig {
                binds: spec.volume.as_ref().map(|(volume, path)| vec![format!("{volume}:{path}")]),
                port_bindings: spec.port.map(|port| HashMap::from([binding(port)])),
                restart_policy: spec.command.is_empty().then_some(restart),
                cap_add: Some(spec.capabilities.clone()),
                network_mode: Some(spec.network.clone()),
                ..Default::default()
            }),
            networking_config: Some(NetworkingConfig {
                endpoints_config: Some(HashMap::from([(spec.network.clone(), endpoint)])),
            }),
            ..Default::default()
        };
        let options = CreateContainerOptionsBuilder::new().name(&spec.name).build();
        self.client
            .create_container(Some(options), body)
            .await
            .with_context(|| format!("creating container {}", spec.name))?;
        self.start_container(&spec.name).await
    }

    async fn try_privileged(&self, name: &str, image: &str, label: (&str, &str), argv: &[&str]) -> Result<Output> {
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            entrypoint: Some(argv.iter().map(|&word| word.to_owned()).collect()),
            cmd: Some(Vec::new()),
            labels: Some(HashMap::from([(label.0.to_owned(), label.1.to_owned())])),
            host_config: Some(HostConfig {
                privileged: Some(true),
                network_mode: Some("none".to_owned()),
                // As kind does, so that an engine with user namespaces is no hindrance.
                userns_mode: Some("host".to_owned()),
                ..Default::default()
            }),
            ..Default::default()
        };
        let options = CreateContainerOptionsBuilder::new().name(name).build();
        self.client
            .create_container(Some(options), body)
            .await
            .with_context(|| format!("creating container {name}"))?;
        let ended = async {
            self.start_container(name).await?;
            let wait = None::<bollard::query_parameters::WaitContainerOptions>;
            let code = match Box::pin(self.client.wait_container(name, wait)).next().await {
                Some(Ok(_)) | None => 0,
                Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. })) => code,
                Some(Err(error)) => return Err(error.into()),
            };
            Ok(Output { code, stderr: self.logs(name, 5).await?, ..Output::default() })
        };
        let ended = ended.await;
        self.remove_container(name).await?;
        ended
    }

    async fn start_container(&self, name: &str) -> Result<()> {
        self.client
            .start_container(name, None::<bollard::query_parameters::StartContainerOptions>)
            .await
            .with_context(|| format!("starting container {name}"))
    }

    async fn remove_container(&self, name: &str) -> Result<()> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        found(self.client.remove_container(name, Some(options)).await)
            .with_context(|| format!("removing container {name}"))?;
        Ok(())
    }

    async fn volumes(&self, label: &str) -> Result<Vec<String>> {
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListVolumesOptionsBuilder::new().filters(&filters).build();
        let volumes = self.client.list_volumes(Some(options)).await?.volumes.unwrap_or_default();
        Ok(volumes.into_iter().map(|volume| volume.name).collect())
    }

    async fn volume_labels(&self, name: &str) -> Result<Option<BTreeMap<String, String>>> {
        Ok(found(self.client.inspect_volume(name).await)?.map(|volume| volume.labels.into_iter().collect()))
    }

    async fn create_volume(&self, name: &str, label: (&str, &str)) -> Result<()> {
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(HashMap::from([(label.0.to_owned(), label.1.to_owned())])),
            ..Default::default()
        };
        self.client.create_volume(request).await.with_context(|| format!("creating volume {name}"))?;
        Ok(())
    }

    async fn remove_volume(&self, name: &str) -> Result<()> {
        let options = None::<bollard::query_parameters::RemoveVolumeOptions>;
        found(self.client.remove_volume(name, options).await).with_context(|| format!("removing volume {name}"))?;
        Ok(())
    }

    async fn pin_address(&self, container: &str, network: &str, address: Ipv4Addr, aliases: &[String]) -> Result<()> {
        let request = NetworkDisconnectRequest { container: container.to_owned(), force: Some(true) };
        match self.client.disconnect_network(network, request).await {
            // Cut off before.
            Err(Error::DockerResponseServerError { message, .. })
                if message.contains("is not connected to network") => {}
            done => done.with_context(|| format!("disconnecting {container} from {network}"))?,
        }
        let endpoint = EndpointSettings {
            aliases: Some(aliases.to_vec()),
            ipam_config: Some(EndpointIpamConfig { ipv4_address: Some(address.to_string()), ..Default::default() }),
            ..Default::default()
        };
        let request = NetworkConnectRequest { container: container.to_owned(), endpoint_config: Some(endpoint) };
        self.client
            .connect_network(network, request)
            .await
            .with_context(|| format!("connecting {container} to {network} as {address}"))
    }

    async fn exec(&self, container: &str, argv: &[&str]) -> Result<Output> {
        let config = ExecConfig {
            cmd: Some(argv.iter().map(|&word| word.to_owned()).collect()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..Default::default()
        };
        let id = self.client.create_exec(container, config).await?.id;
        let StartExecResults::Attached { mut output, .. } = self.client.start_exec(&id, None).await? else {
            bail!("exec in {container} was detached");
        };
        let mut result = Output::default();
        while let Some(chunk) = output.next().await {
            match chunk? {
                bollard::container::LogOutput::StdErr { message } => {
                    result.stderr.push_str(&String::from_utf8_lossy(&message));
                }
                other => result.stdout.extend_from_slice(&other.into_bytes()),
            }
        }
        result.code = self.client.inspect_exec(&id).await?.exit_code.unwrap_or(-1);
        Ok(result)
    }

    async fn has_file(&self, container: &str, path: &str) -> Result<bool> {
        let options = ContainerArchiveInfoOptionsBuilder::new().path(path).build();
        let info = found(self.client.get_container_archive_info(container, Some(options)).await);
        Ok(info.with_context(|| format!("looking for {path} in {container}"))?.is_some())
    }

    async fn write_file(&self, container: &str, path: &str, content: &[u8]) -> Result<()> {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path.trim_start_matches('/'), content)?;
        let options = UploadToContainerOptionsBuilder::new().path("/").build();
        let body = bollard::body_full(archive.into_inner()?.into());
        self.client
            .upload_to_container(container, Some(options), body)
            .await
            .with_context(|| format!("writing {path} in {container}"))
    }

    async fn image(&self, reference: &str) -> Result<Option<Image>> {
        let Some(image) = found(self.client.inspect_image(reference).await)? else { return Ok(None) };
        Ok(Some(Image {
            id: image.id.unwrap_or_default(),
            labels: sorted(image.config.and_then(|config| config.labels)),
            size: image.size.unwrap_or_default().unsigned_abs(),
        }))
    }

    async fn tag(&self, from: &str, reference: &str) -> Result<()> {
        let (repository, tag) = split_tag(reference);
        let options = TagImageOptionsBuilder::new().repo(repository).tag(tag).build();
        self.client.tag_image(from, Some(options)).await.with_context(|| format!("tagging {from} as {reference}"))
    }

    async fn remove_tag(&self, reference: &str) -> Result<()> {
        let options = None::<bollard::query_parameters::RemoveImageOptions>;
        found(self.client.remove_image(reference, options, None).await)
            .with_context(|| format!("removing tag {reference}"))?;
        Ok(())
    }

    async fn push(&self, reference: &str) -> Result<()> {
        let (repository, tag) = split_tag(reference);
        let options = PushImageOptionsBuilder::new().tag(tag).build();
        let mut stream = Box::pin(self.client.push_image(repository, Some(options), None));
        while let Some(info) = stream.next().await {
            info.with_context(|| format!("pushing {reference}"))?;
        }
        Ok(())
    }

    async fn pull(&self, reference: &str, progress: &mut dyn FnMut(String)) -> Result<()> {
        let options = CreateImageOptionsBuilder::new().from_image(reference).build();
        let mut stream = Box::pin(self.client.create_image(Some(options), None, credentials::of(reference).await));
        while let Some(info) = stream.next().await {
            let info = info.map_err(own_words)?;
            if let Some(status) = info.status {
                // Counts the seconds down; one line of it says enough.
                let waits = status.starts_with("Retrying in ");
                progress(if waits { "the connection broke, the engine tries again".to_owned() } else { status });
            }
        }
        self.image(reference).await?.ok_or_else(|| anyhow!("{reference} is not there after its pull"))?;
        Ok(())
    }

    async fn remote_digest(&self, reference: &str) -> Result<Option<String>> {
        let answer = self.client.inspect_registry_image(reference, credentials::of(reference).await).await;
        match answer {
            Ok(answer) => Ok(answer.descriptor.digest),
            // A registry that lets nobody know what it has gets the same code.
            Err(Error::DockerResponseServerError { status_code: 404, message }) if !message.contains("denied") => {
                Ok(None)
            }
            Err(error) => Err(own_words(error)),
        }
    }

    async fn logs(&self, container: &str, lines: usize) -> Result<String> {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail(&lines.to_string()).build();
        let mut stream = Box::pin(self.client.logs(container, Some(options)));
        let mut text = String::new();
        while let Some(chunk) = stream.next().await {
            text.push_str(&chunk?.to_string());
        }
        Ok(text)
    }

    async fn read_log(&self, container: &str, query: &LogQuery, line: &mut dyn FnMut(String)) -> Result<()> {
        let tail = query.tail.map_or_else(|| "all".to_owned(), |lines| lines.to_string());
        let mut options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail(&tail).follow(query.follow);
        if let Some(since) = query.since {
            let from = jiff::Timestamp::now().as_second() - i64::try_from(since.as_secs())?;
            options = options.since(i32::try_from(from)?);
        }
        let mut stream = Box::pin(self.client.logs(container, Some(options.build())));
        let mut lines = Lines::default();
        while let Some(chunk) = stream.next().await {
            lines.add(&chunk.with_context(|| format!("reading the log of {container}"))?.into_bytes(), line);
        }
        lines.end(line);
        Ok(())
    }

    async fn inspect(&self, container: &str) -> Result<serde_json::Value> {
        let options = None::<bollard::query_parameters::InspectContainerOptions>;
        let answer = self.client.inspect_container(container, options).await;
        Ok(serde_json::to_value(answer.with_context(|| format!("inspecting {container}"))?)?)
    }
}

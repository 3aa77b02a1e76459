//! The engine of the world in memory.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, bail};

use super::containers::{exec, holder, seen, start};
use super::kube::tail;
use super::registry::{held, listens, loopback};
use super::{State, World};
use lab::components::LABEL;
use lab::config::Subnet;
use lab::images::{RECIPE, path_and_tag};
use lab::ports::{Address, Container, ContainerSpec, Docker, Engine, Image, LogQuery, Network, Output};

impl Docker for World {
    async fn engine(&self) -> Result<Engine> {
        self.read("engine".to_owned(), |state| Ok(state.engine.clone())).await
    }

    async fn networks(&self) -> Result<Vec<Network>> {
        self.read("networks".to_owned(), |state| Ok(state.networks.clone())).await
    }

    async fn create_network(&self, network: &Network) -> Result<()> {
        let add = |state: &mut State| {
            let subnet = |network: &Network| network.subnet.parse::<Subnet>().ok();
            for there in &state.networks {
                if there.name == network.name {
                    bail!("network with name {} already exists", network.name);
                }
                if subnet(there).zip(subnet(network)).is_some_and(|(one, other)| one.overlaps(other)) {
                    bail!("invalid pool request: Pool overlaps with other one on this address space");
                }
            }
            state.networks.push(network.clone());
            Ok(())
        };
        self.change(format!("create network {}", network.name), add).await
    }

    async fn remove_network(&self, name: &str) -> Result<()> {
        let remove = |state: &mut State| {
            if state.containers.iter().any(|one| one.running && one.addresses.contains_key(name)) {
                bail!("network {name} has active endpoints");
            }
            state.networks.retain(|network| network.name != name);
            Ok(())
        };
        self.change(format!("remove network {name}"), remove).await
    }

    async fn containers(&self, label: &str) -> Result<Vec<Container>> {
        let (key, value) = label.split_once('=').context("a label")?;
        let list = |state: &mut State| {
            let has = |container: &&Container| container.labels.get(key).is_some_and(|found| found == value);
            let mut found: Vec<Container> = state.containers.iter().filter(has).map(seen).collect();
            found.sort_by(|one, other| one.name.cmp(&other.name));
            Ok(found)
        };
        self.read(format!("containers {label}"), list).await
    }

    async fn all_containers(&self) -> Result<Vec<Container>> {
        self.read("all containers".to_owned(), |state| Ok(state.containers.iter().map(seen).collect())).await
    }

    async fn try_privileged(&self, name: &str, image: &str, _: (&str, &str), argv: &[&str]) -> Result<Output> {
        let run = |state: &mut State| {
            state.images.get(image).with_context(|| format!("No such image: {image}"))?;
            let code = i64::from(argv == ["false"]);
            Ok(state.answer.take().unwrap_or(Output { code, ..Output::default() }))
        };
        self.change(format!("try privileged {name}"), run).await
    }

    async fn run_container(&self, spec: &ContainerSpec) -> Result<()> {
        let run = |state: &mut State| {
            state.images.get(&spec.image).with_context(|| format!("No such image: {}", spec.image))?;
            if state.container_names().contains(&spec.name.as_str()) {
                bail!("Conflict. The container name \"/{}\" is already in use", spec.name);
            }
            let address = Address { current: Some(spec.address), pinned: Some(spec.address) };
            state.containers.push(Container {
                id: format!("id of {}", spec.name),
                name: spec.name.clone(),
                running: false,
                image: spec.image.clone(),
                labels: spec.labels.clone(),
                home: spec.network.clone(),
                addresses: BTreeMap::from([(spec.network.clone(), address)]),
                ports: spec.port.iter().map(|(port, inside)| (*inside, *port)).collect(),
            });
            // The engine makes the volume where there is none.
            if let Some((volume, _)) = &spec.volume {
                state.volumes.entry(volume.clone()).or_default();
                state.mounts.insert(spec.name.clone(), volume.clone());
            }
            state.logs.entry(spec.name.clone()).or_insert_with(|| "listening\n".to_owned());
            if state.ends_after(1) { Ok(()) } else { start(state, &spec.name) }
        };
        self.change(format!("run container {}", spec.name), run).await
    }

    async fn start_container(&self, name: &str) -> Result<()> {
        self.change(format!("start container {name}"), |state| start(state, name)).await
    }

    async fn remove_container(&self, name: &str) -> Result<()> {
        let remove = |state: &mut State| {
            state.containers.retain(|container| container.name != name);
            state.mounts.remove(name);
            state.files.retain(|(container, _), _| container != name);
            state.packet_rules.remove(name);
            state.pulled.retain(|(container, _)| container != name);
            if !state.containers.iter().any(|container| container.name.contains("-control-plane")) {
                state.forget_cluster();
            }
            Ok(())
        };
        self.change(format!("remove container {name}"), remove).await
    }

    async fn volumes(&self, label: &str) -> Result<Vec<String>> {
        let (_, value) = label.split_once('=').context("a label")?;
        let list = |state: &mut State| {
            Ok(state.volumes.iter().filter(|(_, label)| *label == value).map(|(name, _)| name.clone()).collect())
        };
        self.read(format!("volumes {label}"), list).await
    }

    async fn volume_labels(&self, name: &str) -> Result<Option<BTreeMap<String, String>>> {
        let labels = |state: &mut State| {
            let label = |value: &String| (!value.is_empty()).then(|| (LABEL.to_owned(), value.clone()));
            Ok(state.volumes.get(name).map(|value| label(value).into_iter().collect()))
        };
        self.read(format!("volume {name}"), labels).await
    }

    async fn create_volume(&self, name: &str, label: (&str, &str)) -> Result<()> {
        let add = |state: &mut State| {
            state.volumes.entry(name.to_owned()).or_insert_with(|| label.1.to_owned());
            Ok(())
        };
        self.change(format!("create volume {name}"), add).await
    }

    async fn remove_volume(&self, name: &str) -> Result<()> {
        let remove = |state: &mut State| {
            if state.mounts.values().any(|volume| volume == name) {
                bail!("remove {name}: volume is in use");
            }
            state.volumes.remove(name);
            Ok(())
        };
        self.change(format!("remove volume {name}"), remove).await
    }

    async fn pin_address(&self, container: &str, network: &str, address: Ipv4Addr, _: &[String]) -> Result<()> {
        let pin = |state: &mut State| {
            let cut_off = state.ends_after(1);
            let taken = holder(state, network, address).is_some_and(|holder| holder != container);
            let Ok(pinned) = state.existing(container) else { bail!("endpoint {container} not found") };
            let addresses = &mut pinned.addresses;
            addresses.remove(network);
            if taken {
                bail!("Address already in use");
            }
            if !cut_off {
                addresses.insert(network.to_owned(), Address { current: Some(address), pinned: Some(address) });
            }
            Ok(())
        };
        self.change(format!("pin {container} {address}"), pin).await
    }

    async fn exec(&self, container: &str, argv: &[&str]) -> Result<Output> {
        // Scripts are long; their last argument says enough.
        let words: Vec<&str> = argv.iter().copied().filter(|word| !word.contains(' ')).collect();
        let text = format!("exec {container} {}", words.join(" "));
        let work = |state: &mut State| exec(state, container, argv);
        if argv[0] == "sh" { self.change(text, work).await } else { self.read(text, work).await }
    }

    async fn has_file(&self, container: &str, path: &str) -> Result<bool> {
        let file = (container.to_owned(), path.to_owned());
        self.read(format!("has {container} {path}"), |state| Ok(state.files.contains_key(&file))).await
    }

    async fn write_file(&self, container: &str, path: &str, content: &[u8]) -> Result<()> {
        let write = |state: &mut State| {
            state.existing(container)?;
            state.files.insert((container.to_owned(), path.to_owned()), content.to_vec());
            Ok(())
        };
        self.change(format!("write {container} {path}"), write).await
    }

    async fn image(&self, reference: &str) -> Result<Option<Image>> {
        self.read(format!("image {reference}"), |state| Ok(state.images.get(reference).cloned())).await
    }

    async fn tag(&self, from: &str, reference: &str) -> Result<()> {
        let tag = |state: &mut State| {
            let image = state.images.get(from).cloned().with_context(|| format!("No such image: {from}"))?;
            state.images.insert(reference.to_owned(), image);
            Ok(())
        };
        self.change(format!("tag {reference}"), tag).await
    }

    async fn remove_tag(&self, reference: &str) -> Result<()> {
        let remove = |state: &mut State| {
            state.images.remove(reference);
            Ok(())
        };
        self.change(format!("remove tag {reference}"), remove).await
    }

    async fn push(&self, reference: &str) -> Result<()> {
        let push = |state: &mut State| {
            let image = state.images.get(reference);
            let image = image.with_context(|| format!("An image does not exist locally with the tag: {reference}"))?;
            listens(state, reference)?;
            let (path, tag) = path_and_tag(reference);
            state.registry.insert(format!("{path}:{tag}"), image.id.clone());
            Ok(())
        };
        self.change(format!("push {reference}"), push).await
    }

    async fn pull(&self, reference: &str, progress: &mut dyn FnMut(String)) -> Result<()> {
        let pull = |state: &mut State| {
            if let Some(id) = held(state, reference)? {
                progress("Downloading".to_owned());
                state.images.insert(reference.to_owned(), Image { id, size: 1_000_000, ..Image::default() });
                return Ok(());
            }
            if !state.upstream.contains(reference) {
                bail!(if loopback(reference).is_some() { "manifest not found" } else { "no such host" });
            }
            progress("Downloading".to_owned());
            state.flood(progress);
            state.add_image(reference);
            if state.upstream_is_ours
                && let Some(image) = state.images.get_mut(reference)
            {
                image.labels.insert(RECIPE.to_owned(), "the hash of a recipe".to_owned());
            }
            Ok(())
        };
        self.change(format!("pull {reference}"), pull).await
    }

    async fn remote_digest(&self, reference: &str) -> Result<Option<String>> {
        let look = |state: &mut State| {
            let own = held(state, reference)?;
            Ok(own.or_else(|| state.remote.get(reference).cloned()))
        };
        self.read(format!("digest of {reference}"), look).await
    }

    async fn logs(&self, container: &str, lines: usize) -> Result<String> {
        let query = LogQuery { tail: lines.try_into().ok(), ..LogQuery::default() };
        let log = |state: &mut State| {
            state.existing(container)?;
            Ok(tail(state, container, &query).join("\n") + "\n")
        };
        self.read(format!("logs {container}"), log).await
    }

    async fn read_log(&self, container: &str, query: &LogQuery, line: &mut dyn FnMut(String)) -> Result<()> {
        let read = |state: &mut State| {
            state.existing(container)?;
            Ok(tail(state, container, query))
        };
        let log = self.read(format!("log of {container}"), read).await?;
        log.into_iter().for_each(line);
        Ok(())
    }

    async fn inspect(&self, container: &str) -> Result<serde_json::Value> {
        let look = |state: &mut State| {
            let environment = state.environment.get(container).cloned().unwrap_or_default();
            let found = state.existing(container)?;
            Ok(serde_json::json!({
                "Name": format!("/{}", found.name), "State": { "Running": found.running }, "Config": { "Env": environment },
            }))
        };
        self.read(format!("inspect {container}"), look).await
    }
}

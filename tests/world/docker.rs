//! The engine of the world in memory.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, bail};

use super::kube::tail;
use super::{State, World};
use lab::components::LABEL;
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
            state.networks.push(network.clone());
            Ok(())
        };
        self.change(format!("create network {}", network.name), add).await
    }

    async fn remove_network(&self, name: &str) -> Result<()> {
        let remove = |state: &mut State| {
            if state.containers.iter().any(|container| container.addresses.contains_key(name)) {
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
            let mut found: Vec<Container> = state.containers.iter().filter(has).cloned().collect();
            found.sort_by(|one, other| one.name.cmp(&other.name));
            Ok(found)
        };
        self.read(format!("containers {label}"), list).await
    }

    async fn all_containers(&self) -> Result<Vec<Container>> {
        self.read("all containers".to_owned(), |state| Ok(state.containers.clone())).await
    }

    async fn try_privileged(&self, name: &str, image: &str, _: (&str, &str), _: &[&str]) -> Result<Output> {
        let run = |state: &mut State| {
            state.images.get(image).with_context(|| format!("no image {image}"))?;
            Ok(state.answer.take().unwrap_or_default())
        };
        self.change(format!("try privileged {name}"), run).await
    }

    async fn run_container(&self, spec: &ContainerSpec) -> Result<()> {
        let run = |state: &mut State| {
            state.images.get(&spec.image).with_context(|| format!("no image {}", spec.image))?;
            if !state.networks.iter().any(|network| network.name == spec.network) {
                bail!("no network {}", spec.network);
            }
            let address = Address { current: Some(spec.address), pinned: Some(spec.address) };
            state.containers.push(Container {
                id: format!("id of {}", spec.name),
                name: spec.name.clone(),
                running: !state.ends_after(1),
                image: spec.image.clone(),
                labels: spec.labels.clone(),
                home: spec.network.clone(),
                addresses: BTreeMap::from([(spec.network.clone(), address)]),
                ports: BTreeMap::from([(spec.port.1, spec.port.0)]),
            });
            Ok(())
        };
        self.change(format!("run container {}", spec.name), run).await
    }

    async fn start_container(&self, name: &str) -> Result<()> {
        let start = |state: &mut State| {
            let lives = !state.dying.contains(name);
            state.container(name).running = lives;
            Ok(())
        };
        self.change(format!("start container {name}"), start).await
    }

    async fn remove_container(&self, name: &str) -> Result<()> {
        let remove = |state: &mut State| {
            state.containers.retain(|container| container.name != name);
            state.files.retain(|(container, _), _| container != name);
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
            Ok(state.volumes.get(name).map(|value| BTreeMap::from([(LABEL.to_owned(), value.clone())])))
        };
        self.read(format!("volume {name}"), labels).await
    }

    async fn create_volume(&self, name: &str, label: (&str, &str)) -> Result<()> {
        let add = |state: &mut State| {
            state.volumes.insert(name.to_owned(), label.1.to_owned());
            Ok(())
        };
        self.change(format!("create volume {name}"), add).await
    }

    async fn remove_volume(&self, name: &str) -> Result<()> {
        let remove = |state: &mut State| {
            state.volumes.remove(name);
            Ok(())
        };
        self.change(format!("remove volume {name}"), remove).await
    }

    async fn pin_address(&self, container: &str, network: &str, address: Ipv4Addr, _: &[String]) -> Result<()> {
        let pin = |state: &mut State| {
            let cut_off = state.ends_after(1);
            let addresses = &mut state.container(container).addresses;
            addresses.remove(network);
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
            let image = state.images.get(from).cloned().with_context(|| format!("no image {from}"))?;
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
            let image = state.images.get(reference).with_context(|| format!("no image {reference}"))?;
            let (path, tag) = path_and_tag(reference);
            state.registry.insert(format!("{path}:{tag}"), image.id.clone());
            Ok(())
        };
        self.change(format!("push {reference}"), push).await
    }

    async fn pull(&self, reference: &str, progress: &mut dyn FnMut(String)) -> Result<()> {
        let pull = |state: &mut State| {
            if !state.upstream.contains(reference) {
                bail!("no such host");
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
        self.read(format!("digest of {reference}"), |state| Ok(state.remote.get(reference).cloned())).await
    }

    async fn logs(&self, container: &str, _: usize) -> Result<String> {
        self.read(format!("logs {container}"), |state| Ok(state.logs.get(container).cloned().unwrap_or_default())).await
    }

    async fn read_log(&self, container: &str, query: &LogQuery, line: &mut dyn FnMut(String)) -> Result<()> {
        let log = self.read(format!("log of {container}"), |state| Ok(tail(state, container, query))).await?;
        log.into_iter().for_each(line);
        Ok(())
    }

    async fn inspect(&self, container: &str) -> Result<serde_json::Value> {
        let look = |state: &mut State| {
            let found = state.containers.iter().find(|one| one.name == container);
            let found = found.with_context(|| format!("no container {container}"))?;
            let environment = state.environment.get(container).cloned().unwrap_or_default();
            Ok(serde_json::json!({
                "Name": found.name, "State": { "Running": found.running }, "Config": { "Env": environment },
            }))
        };
        self.read(format!("inspect {container}"), look).await
    }
}

fn exec(state: &mut State, container: &str, argv: &[&str]) -> Result<Output> {
    if let Some(answer) = state.answer.take() {
        return Ok(answer);
    }
    if !state.containers.iter().any(|one| one.name == container && one.running) {
        bail!("container {container} is not running");
    }
    let here = |value: &str| (container.to_owned(), value.to_owned());
    let done = |yes: bool| Output { code: i64::from(!yes), ..Output::default() };
    Ok(match argv {
        ["timeout", ..] => done(true),
        ["cat", path] => match state.files.get(&here(path)) {
            Some(content) => Output { stdout: content.clone(), ..done(true) },
            None => done(false),
        },
        ["ctr", ..] => {
            let pulled = state.pulled.iter().filter(|(node, _)| node == container);
            let list: Vec<&str> = pulled.map(|(_, reference)| reference.as_str()).collect();
            Output { stdout: list.join("\n").into_bytes(), ..done(true) }
        }
        ["sh", "-c", _, reference] => {
            let (path, tag) = path_and_tag(reference);
            let there = state.registry.contains_key(&format!("{path}:{tag}"));
            if there {
                state.pulled.insert(here(reference));
            }
            done(there)
        }
        _ => bail!("nobody taught this world {argv:?}"),
    })
}

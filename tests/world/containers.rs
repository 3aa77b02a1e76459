//! Containers of the world in memory: how they are listed, start, and carry out commands.

use std::net::Ipv4Addr;

use anyhow::{Result, bail};

use super::{State, firewall};
use lab::components::firewall::UNIT;
use lab::images::path_and_tag;
use lab::ports::{Container, Output};

/// A container as the engine lists it: what is stopped has no address, and without an address there are no ports.
pub fn seen(container: &Container) -> Container {
    let mut seen = container.clone();
    if !seen.running {
        seen.addresses.values_mut().for_each(|address| address.current = None);
    }
    if seen.addresses.values().all(|address| address.current.is_none()) {
        seen.ports.clear();
    }
    seen
}

pub fn start(state: &mut State, name: &str) -> Result<()> {
    let Container { running, home, addresses, ports, .. } = state.existing(name)?.clone();
    if running {
        return Ok(());
    }
    if !state.networks.iter().any(|network| network.name == home) {
        bail!("network {home} not found");
    }
    let pinned = addresses.get(&home).and_then(|address| address.pinned);
    if pinned.is_some_and(|address| holder(state, &home, address).is_some()) {
        bail!("Address already in use");
    }
    let mut others = state.containers.iter().filter(|one| one.running);
    if others.any(|one| one.ports.values().any(|port| ports.values().any(|own| own == port))) {
        bail!("port is already allocated");
    }
    let lives = !state.dying.contains(name);
    state.container(name).running = lives;
    firewall::start(state, name);
    Ok(())
}

/// Who has an address now.
pub fn holder<'a>(state: &'a State, network: &str, address: Ipv4Addr) -> Option<&'a str> {
    let has = |one: &&Container| one.addresses.get(network).is_some_and(|own| own.current == Some(address));
    state.containers.iter().filter(|one| one.running).find(has).map(|one| one.name.as_str())
}

pub fn exec(state: &mut State, container: &str, argv: &[&str]) -> Result<Output> {
    if let Some(answer) = state.answer.take() {
        return Ok(answer);
    }
    if !state.existing(container)?.running {
        bail!("container {container} is not running");
    }
    let here = |value: &str| (container.to_owned(), value.to_owned());
    let done = |yes: bool| Output { code: i64::from(!yes), ..Output::default() };
    Ok(match argv {
        ["timeout", ..] => done(true),
        ["kubectl", ..] => {
            let late = state.late_api_servers.get_mut(container).filter(|looks| **looks > 0);
            let known = late.is_none();
            if let Some(looks) = late {
                *looks -= 1;
            }
            Output { stderr: if known { String::new() } else { "Forbidden".to_owned() }, ..done(known) }
        }
        ["no-such-program"] => {
            Output { code: 127, stdout: b"executable file not found in $PATH".to_vec(), ..done(false) }
        }
        ["cat", path] => match state.files.get(&here(path)) {
            Some(content) => Output { stdout: content.clone(), ..done(true) },
            None => done(false),
        },
        ["ctr", ..] => {
            let pulled = state.pulled.iter().filter(|(node, _)| node == container);
            let list: Vec<&str> = pulled.map(|(_, reference)| reference.as_str()).collect();
            Output { stdout: list.join("\n").into_bytes(), ..done(true) }
        }
        ["bash", "-c", _, rules, unit] => firewall::look(state, container, [rules, unit]),
        ["sh", "-c", _, UNIT] => firewall::enable(state, container),
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

//! Containers: how they come, stop, and go.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use lab::components::LABEL;
use lab::ports::{Container, ContainerSpec, Docker as _};

use super::answers::Answers;
use super::hands::Hands;
use super::networks::{VOLUME, network};
use super::scene::Scene;
use super::{NAME, PORTS};

pub const ONE: &str = "lab-contract-one";
pub const TWO: &str = "lab-contract-two";

/// A registry that nobody uses: it runs until it is stopped.
pub fn spec<P: Hands>(scene: &Scene<'_, P>, name: &str, address: u8, port: u16) -> ContainerSpec {
    ContainerSpec {
        name: name.to_owned(),
        image: scene.image("registry"),
        network: NAME.to_owned(),
        aliases: vec![format!("{name}.lab")],
        address: Ipv4Addr::new(172, 30, 80, address),
        labels: BTreeMap::from([(LABEL.to_owned(), NAME.to_owned())]),
        volume: Some((VOLUME.to_owned(), "/var/lib/registry".to_owned())),
        port: Some((port, 5000)),
        command: vec![],
        capabilities: vec![],
    }
}

pub async fn ask<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers) {
    let docker = scene.ports.docker();
    answers.about("container");
    let one = spec(scene, ONE, 200, PORTS[0]);
    answers.told("run one", docker.run_container(&one).await);
    look(scene, answers, ONE).await;
    answers.told("its volume, which was not there", docker.volume_labels(VOLUME).await);
    answers.told("run it once more", docker.run_container(&one).await);
    let two = spec(scene, TWO, 201, PORTS[1]);
    for (question, refused) in [
        ("run another on its port", ContainerSpec { port: one.port, ..two.clone() }),
        ("run another at its address", ContainerSpec { address: one.address, ..two.clone() }),
        ("run another of no image", ContainerSpec { image: "lab/nothing:1".to_owned(), ..two.clone() }),
        ("run another on no network", ContainerSpec { network: "lab-contract-2".to_owned(), ..two.clone() }),
    ] {
        answers.told(question, docker.run_container(&refused).await);
        let left = docker.containers(&format!("{LABEL}={NAME}")).await;
        let runs = |list: Vec<Container>| list.into_iter().find(|one| one.name == TWO).map(|one| one.running);
        answers.told("is something of it left, and does it run", left.map(runs));
        answers.told("remove it", docker.remove_container(TWO).await);
    }
    answers.told("remove its network", docker.remove_network(NAME).await);
    answers.told("remove its volume", docker.remove_volume(VOLUME).await);
    answers.told("start one that runs", docker.start_container(ONE).await);
    scene.ports.stop(ONE);
    answers.add("stop it", "by hand");
    look(scene, answers, ONE).await;
    answers.told("start it again", docker.start_container(ONE).await);
    look(scene, answers, ONE).await;
    answers.told("start one that is not there", docker.start_container(TWO).await);
    scene.ports.stop(ONE);
    answers.told("remove the network of one that is stopped", docker.remove_network(NAME).await);
    answers.told("start it without its network", docker.start_container(ONE).await);
    answers.told("remove one", docker.remove_container(ONE).await);
    answers.told("remove one that is not there", docker.remove_container(ONE).await);
    answers.told("its volume", docker.volume_labels(VOLUME).await);
    answers.told("remove its volume", docker.remove_volume(VOLUME).await);
    let subnet = scene.lab.cluster.subnet.to_string();
    answers.told("make the network again", docker.create_network(&network(NAME, &subnet)).await);
}

/// What the engine's list says of a container, whichever way it is asked for.
pub async fn look<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers, name: &str) {
    let docker = scene.ports.docker();
    let find = |list: Vec<Container>| list.into_iter().find(|container| container.name == name);
    let labelled = docker.containers(&format!("{LABEL}={NAME}")).await.map(find);
    let all = docker.all_containers().await.map(find);
    answers.add("is it the same among all", labelled.as_ref().ok() == all.as_ref().ok());
    answers.told("look at it", labelled.map(|found| found.as_ref().map(describe)));
}

/// Everything but the id, the image and the labels.
pub fn describe(container: &Container) -> Vec<String> {
    let state = if container.running { "running" } else { "not running" };
    let mut found = vec![state.to_owned(), format!("home {}", container.home)];
    for (network, address) in &container.addresses {
        let text = |address: Option<Ipv4Addr>| address.map_or_else(|| "none".to_owned(), |address| address.to_string());
        found.push(format!("on {network} {}, pinned {}", text(address.current), text(address.pinned)));
    }
    found.extend(container.ports.iter().map(|(inside, outside)| format!("port {inside} at {outside}")));
    found
}

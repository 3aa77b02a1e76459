//! Addresses that are pinned.

use std::net::Ipv4Addr;

use lab::ports::Docker as _;

use super::answers::Answers;
use super::containers::{ONE, TWO, look, spec};
use super::hands::Hands;
use super::scene::Scene;
use super::{NAME, PORTS};

pub async fn ask<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers) {
    let docker = scene.ports.docker();
    let address = |last| Ipv4Addr::new(172, 30, 80, last);
    let pin = async |name: &str, last| docker.pin_address(name, NAME, address(last), &[]).await;
    answers.about("address");
    for (name, last, port) in [(ONE, 200, PORTS[0]), (TWO, 201, PORTS[1])] {
        answers.told("run one", docker.run_container(&spec(scene, name, last, port)).await);
    }
    answers.told("give it another", pin(ONE, 210).await);
    look(scene, answers, ONE).await;
    answers.told("give it the same once more", pin(ONE, 210).await);
    answers.told("give it the other's", pin(ONE, 201).await);
    look(scene, answers, ONE).await;
    answers.told("give it its own back", pin(ONE, 210).await);
    look(scene, answers, ONE).await;
    scene.ports.stop(ONE);
    answers.add("stop it", "by hand");
    answers.told("give it another", pin(ONE, 211).await);
    look(scene, answers, ONE).await;
    answers.told("start it", docker.start_container(ONE).await);
    look(scene, answers, ONE).await;
    for name in [ONE, TWO] {
        answers.told("remove it", docker.remove_container(name).await);
    }
    answers.told("give one to what is not there", pin(TWO, 201).await);
    answers.told("remove the volume", docker.remove_volume(super::networks::VOLUME).await);
}

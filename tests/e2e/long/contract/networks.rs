//! The engine itself, its networks and its volumes.

use std::collections::BTreeMap;

use anyhow::Result;
use lab::components::LABEL;
use lab::ports::{Docker as _, Engine, Network};
use serde_json::json;

use super::NAME;
use super::answers::Answers;
use super::hands::Hands;
use super::scene::Scene;

/// A volume of the questions.
pub const VOLUME: &str = "lab-contract-data";

pub fn network(name: &str, subnet: &str) -> Network {
    let labels = BTreeMap::from([(LABEL.to_owned(), NAME.to_owned())]);
    Network { name: name.to_owned(), subnet: subnet.to_owned(), labels }
}

pub async fn ask<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers) {
    let docker = scene.ports.docker();
    answers.about("engine");
    let said = |engine: Engine| {
        let texts = [&engine.version, &engine.cgroup, &engine.root, &engine.kernel].map(|text| !text.is_empty());
        json!({ "texts": texts, "cpus": engine.cpus > 0, "memory": engine.memory > 0, "local": engine.local })
    };
    answers.value("what does it say of itself", docker.engine().await.map(said));

    answers.about("network");
    let subnet = scene.lab.cluster.subnet.to_string();
    answers.told("make one", docker.create_network(&network(NAME, &subnet)).await);
    answers.told("look at it", found(scene, NAME).await);
    answers.told("make it once more", docker.create_network(&network(NAME, &subnet)).await);
    answers
        .told("make another in its range", docker.create_network(&network("lab-contract-2", "172.30.80.128/25")).await);
    answers.told("look at that", found(scene, "lab-contract-2").await);
    answers.told("remove what is not there", docker.remove_network("lab-contract-2").await);

    answers.about("volume");
    answers.told("labels of what is not there", docker.volume_labels(VOLUME).await);
    answers.told("make one", docker.create_volume(VOLUME, (LABEL, NAME)).await);
    answers.told("make it once more, for another lab", docker.create_volume(VOLUME, (LABEL, "another")).await);
    answers.told("its labels", docker.volume_labels(VOLUME).await);
    answers.told("those of the lab", docker.volumes(&format!("{LABEL}={NAME}")).await);
    answers.told("those of another lab", docker.volumes(&format!("{LABEL}=another")).await);
    answers.told("remove it", docker.remove_volume(VOLUME).await);
    answers.told("remove what is not there", docker.remove_volume(VOLUME).await);
}

/// Range and labels of a network.
async fn found<P: Hands>(scene: &Scene<'_, P>, name: &str) -> Result<Option<(String, BTreeMap<String, String>)>> {
    let networks = scene.ports.docker().networks().await?;
    let found = networks.into_iter().find(|network| network.name == name);
    Ok(found.map(|network| (network.subnet, network.labels)))
}

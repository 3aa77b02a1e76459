//! The kind program: the lab's cluster goes, and comes once more.

use std::convert::Infallible;
use std::time::Duration;

use lab::components::KIND_LABEL;
use lab::components::people::audit_policy;
use lab::ports::{ClusterSpec, Clusters as _, Container, Docker as _, Kind, Kube as _};
use lab::render;
use serde_json::{Value, json};

use super::NAME;
use super::answers::Answers;
use super::containers::describe;
use super::hands::Hands;
use super::scene::Scene;

pub async fn ask<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers) {
    let (docker, kind) = (scene.ports.docker(), scene.ports.clusters());
    answers.about("kind");
    remove_nodes(scene, answers).await;
    let is_version = |version: String| version.split('.').filter_map(|part| part.parse::<u32>().ok()).count();
    answers.told("which version", kind.version().await.map(is_version));
    answers.told("kubeconfig of what is not there", kind.kubeconfig(NAME).await);
    let path = scene.state.join("kubeconfig");
    // kind merges with what is there.
    fs_err::remove_file(&path).expect("the kubeconfig of the cluster before");
    let (config, image) = (render::kind_config(&scene.lab).expect("a configuration"), scene.image("node"));
    let spec =
        ClusterSpec { name: NAME, config: &config, image: &image, network: NAME, kubeconfig: &path, direct: &[] };
    // Loopback: no registry of other people is asked for it.
    let missing = ClusterSpec { image: "127.0.0.1:9/nothing:1", ..spec };
    answers.told("a cluster of no image", kind.create(&missing, &mut drop).await);
    let mut said = 0;
    let spec = ClusterSpec { image: &image, ..missing };
    let mut count = |_| said += 1;
    let created = tokio::select! {
        created = kind.create(&spec, &mut count) => created,
        never = keep_handing_out(scene) => match never {},
    };
    answers.told("a cluster", created);
    answers.add("does it say how far it is", said > 0);
    let nodes = docker.containers(&format!("{KIND_LABEL}={NAME}")).await;
    answers.told("its containers", nodes.map(|list| list.iter().map(kept).collect::<Vec<_>>()));
    let written = fs_err::read_to_string(&path).unwrap_or_default();
    answers.told("is its kubeconfig what was written", kind.kubeconfig(NAME).await.map(|text| text == written));
    let nodes = scene.ports.kube().list(&Kind::NODE, None, "").await;
    let ready = |node: &Value| {
        let conditions = node["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ready = conditions.iter().find(|one| one["type"] == "Ready").map(|one| &one["status"]);
        json!({ node["metadata"]["name"].as_str().unwrap_or_default(): ready })
    };
    answers.value("its nodes, without a network plugin", nodes.map(|list| list.iter().map(ready).collect()));
    answers.told("the same once more", kind.create(&spec, &mut drop).await);
    let node = format!("{NAME}-control-plane");
    scene.ports.stop(&node);
    answers.told("kubeconfig of one that is stopped", kind.kubeconfig(NAME).await.map(|text| text == written));
    remove_nodes(scene, answers).await;
    answers.told("kubeconfig of what is gone", kind.kubeconfig(NAME).await);
}

/// As `lab up` does it: the API server does not start before it has its policy of what to write down.
async fn keep_handing_out<P: Hands>(scene: &Scene<'_, P>) -> Infallible {
    let (docker, node) = (scene.ports.docker(), format!("{NAME}-control-plane"));
    let policy = audit_policy().expect("a policy");
    loop {
        // Of a container that is not there yet nobody knows.
        if docker.has_file(&node, render::AUDIT_POLICY).await.is_ok_and(|there| !there) {
            drop(docker.write_file(&node, render::AUDIT_POLICY, policy.as_bytes()).await);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn remove_nodes<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers) {
    for role in ["control-plane", "worker"] {
        answers.told("remove a node", scene.ports.docker().remove_container(&format!("{NAME}-{role}")).await);
    }
}

/// What a container is called, and what is known of it before it is made: not its address.
fn kept(container: &Container) -> (String, bool, Vec<String>) {
    let mut container = container.clone();
    let had_address = container.addresses.values_mut().filter_map(|address| address.current.take()).count() == 1;
    (container.name.clone(), had_address, describe(&container))
}

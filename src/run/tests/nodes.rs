//! Nodes: Ready, with DNS, with their images and their addresses.

use super::world::Say;
use super::{Bench, told};
use crate::ports::Output;
use crate::step::Action;

fn exit(code: i64) -> Output {
    Output { code, stderr: "not now".to_owned(), ..Output::default() }
}

#[tokio::test(start_paused = true)]
async fn a_node_without_dns_is_named() {
    let bench = Bench::full();
    bench.world.script("exec lab-worker2 timeout", Say::Answer(exit(1)));
    let (code, text) = told(&bench.up().await.unwrap_err());
    assert_eq!(code, 5);
    let expected = "not done within 300 s; last seen: lab-worker2: cluster DNS does not answer (exit 1)";
    assert!(text.starts_with("step nodes: ") && text.ends_with(expected), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_not_ready_is_named() {
    let bench = Bench::small().made().await;
    let key = ["Node", "", "lab-worker"].map(str::to_owned);
    bench.world.state().objects.get_mut(&key).unwrap()["status"]["conditions"][0]["status"] = "False".into();
    let (_, text) = told(&bench.act(Action::NodesReady).await.unwrap_err());
    assert!(text.ends_with("1 of 2 nodes not Ready; lab-worker: network plugin not ready"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_has_not_joined_is_missed() {
    let bench = Bench::small().made().await;
    bench.world.state().objects.remove(&["Node", "", "lab-worker"].map(str::to_owned));
    let (_, text) = told(&bench.act(Action::NodesReady).await.unwrap_err());
    assert!(text.ends_with("last seen: 1 of 2 nodes have joined"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn dns_and_containerd_that_are_late_are_waited_for() {
    let bench = Bench::small();
    bench.world.script_times("exec lab-worker timeout", 5, Say::Answer(exit(1)));
    bench.world.script_times("exec lab-worker ctr", 5, Say::Answer(exit(1)));
    bench.up().await.unwrap();
    assert_eq!(bench.world.count("exec lab-worker timeout"), 6);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_a_worker_cannot_pull_is_named() {
    let bench = Bench::full();
    bench.world.script("exec lab-worker3 sh -c ghcr.io", Say::Answer(exit(1)));
    let (code, text) = told(&bench.up().await.unwrap_err());
    let expected = "lab-worker3 cannot pull ghcr.io/kubeflow/spark-operator/controller:2.5.2: not now";
    assert!(code == 5 && text.starts_with("step prefetch: ") && text.ends_with(expected), "{code} {text}");
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_pinned_stays_as_it_is() {
    let bench = Bench::full().made().await;
    bench.world.state().container("lab-worker2").addresses.get_mut("lab").unwrap().pinned = None;
    bench.act(Action::Addresses).await.unwrap();
    let changes = bench.world.changes();
    let pins: Vec<&String> = changes.iter().filter(|call| !call.starts_with("write lab-worker2 ")).collect();
    assert!(pins.len() == 1 && pins[0].starts_with("pin lab-worker2 172.29.0."), "{changes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_container_without_address_is_named() {
    let bench = Bench::small().made().await;
    bench.world.state().container("lab-worker").addresses.get_mut("lab").unwrap().current = None;
    let (_, text) = told(&bench.act(Action::Addresses).await.unwrap_err());
    assert!(text.ends_with("container lab-worker has no address on network lab"), "{text}");
}

//! Taking a lab down, whole, half-made, and where something resists.

use anyhow::Result;

use super::world::{Say, World, container};
use super::{Bench, next, told};
use crate::ports::Network;
use crate::run::Run;
use crate::run::down::{Down, down as look_and_remove};

/// Takes it down; an error where something is left.
async fn down(run: &Run<'_, World>, all: bool) -> Result<Down> {
    let down = look_and_remove(run, all).await?;
    down.check(all, &run.flags)?;
    Ok(down)
}

#[tokio::test(start_paused = true)]
async fn down_removes_the_cluster_and_keeps_the_registry() {
    let bench = Bench::full().made().await;
    let gone = down(&bench.run(), false).await.unwrap();
    assert_eq!((gone.removed.len(), gone.left.len()), (9, 0), "{gone:?}");
    let kept: Vec<String> = gone.kept.iter().map(ToString::to_string).collect();
    assert_eq!(kept, ["container lab-registry", "volume lab-registry", "network lab"]);
    assert_eq!(bench.world.state().container_names(), ["lab-registry"]);
    assert!(!bench.run().kubeconfig().exists());
    assert_eq!(bench.world.state().networks.len(), 1);
    bench.up().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn down_all_leaves_nothing_but_images() {
    let bench = Bench::full().made().await;
    let images = bench.world.state().images.clone();
    down(&bench.run(), true).await.unwrap();
    let state = bench.world.state();
    assert!(state.containers.is_empty() && state.volumes.is_empty() && state.networks.is_empty());
    assert_eq!(state.images, images);
}

#[tokio::test(start_paused = true)]
async fn down_twice_is_fine() {
    for all in [false, true] {
        let bench = Bench::small().made().await;
        down(&bench.run(), all).await.unwrap();
        bench.world.heal();
        let again = down(&bench.run(), all).await.unwrap();
        assert_eq!((again.removed.len(), again.kept.is_empty()), (0, all), "{again:?}");
        assert_eq!(bench.world.changes(), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn down_works_on_what_a_failed_up_left() {
    for call in ["create network", "run container", "push", "create cluster", "pin", "apply", "exec minio-0"] {
        let bench = Bench::small();
        bench.world.script(call, Say::FailAfter("cut off"));
        bench.up().await.unwrap_err();
        bench.world.heal();
        down(&bench.run(), true).await.unwrap_or_else(|error| panic!("{call}: {error:#}"));
        let state = bench.world.state();
        assert!(state.containers.is_empty() && state.volumes.is_empty() && state.networks.is_empty(), "{call}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_resists_is_named_and_all_the_rest_goes() {
    let bench = Bench::full().made().await;
    bench.world.script("remove container lab-worker2", Say::Fail("device busy"));
    let error = down(&bench.run(), true).await.unwrap_err();
    let (code, text) = told(&error);
    assert_eq!(code, 7);
    assert!(text.starts_with("lab lab is not gone: container lab-worker2: device busy"), "{text}");
    assert!(next(&error).starts_with("lab down --all --name lab"), "{}", next(&error));
    assert_eq!(bench.world.state().container_names(), ["lab-worker2"]);
    assert!(bench.world.state().volumes.is_empty());
    bench.world.heal();
    down(&bench.run(), true).await.unwrap();
    assert!(bench.world.state().containers.is_empty() && bench.world.state().networks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn neighbours_are_not_touched() {
    let bench = Bench::small().made().await;
    let theirs = Network { name: "kind".to_owned(), subnet: "172.18.0.0/16".to_owned(), ..Network::default() };
    {
        let mut state = bench.world.state();
        state.networks.push(theirs.clone());
        // Another kind cluster of the same name, a lab of another name, and a guest on our network.
        state.containers.push(container("lab", "lab-worker9", "kind", 9));
        state.containers.push(container("lab2", "lab2-worker", "lab2", 9));
        state.volumes.insert("lab2-registry".to_owned(), "lab2".to_owned());
    }
    down(&bench.run(), true).await.unwrap();
    let state = bench.world.state();
    assert_eq!(state.container_names(), ["lab-worker9", "lab2-worker"]);
    assert_eq!(state.networks, [theirs]);
    assert_eq!(state.volumes.keys().collect::<Vec<_>>(), ["lab2-registry"]);
}

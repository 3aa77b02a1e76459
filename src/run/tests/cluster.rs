//! The kind cluster: made, made again, never removed once it was finished.

use std::os::unix::fs::PermissionsExt as _;

use super::world::{Say, container};
use super::{Bench, next, told};
use crate::config::Cni;
use crate::exec::shared;
use crate::ports::Docker as _;
use crate::run::cluster;

const ENVOY: &str = "docker.io/envoyproxy/envoy:v1.36.2";

#[tokio::test(start_paused = true)]
async fn a_cluster_that_was_never_finished_is_made_again() {
    let bench = Bench::full();
    bench.world.script_times("create cluster", 1, Say::FailAfter("kubeadm join timed out"));
    let (code, text) = told(&bench.up().await.unwrap_err());
    assert!(code == 5 && text.contains("kubeadm join timed out"), "{code} {text}");
    bench.up().await.unwrap();
    assert_eq!(bench.world.count("remove container"), 7);
    assert!(bench.said.notes().iter().any(|note| note.contains("never finished")));
}

#[tokio::test(start_paused = true)]
async fn leftovers_without_a_control_plane_are_made_again() {
    let bench = Bench::small();
    bench.world.script_times("create cluster", 1, Say::FailAfter("cut off"));
    bench.up().await.unwrap_err();
    bench.world.state().containers.retain(|one| one.name != "lab-control-plane");
    bench.up().await.unwrap();
    assert_eq!(bench.world.count("remove container lab-worker"), 1);
}

/// Brings a finished cluster into trouble; `up` must fail and remove nothing.
async fn in_trouble(trouble: impl FnOnce(&Bench)) -> (u8, String) {
    let bench = Bench::full().made().await;
    trouble(&bench);
    let before: Vec<String> = bench.world.state().containers.iter().map(|one| one.id.clone()).collect();
    let error = bench.up().await.unwrap_err();
    let changes = bench.world.changes();
    assert!(!changes.iter().any(|call| call.starts_with("remove container")), "{changes:?}");
    assert!(!changes.iter().any(|call| call.starts_with("create cluster")), "{changes:?}");
    let after: Vec<String> = bench.world.state().containers.iter().map(|one| one.id.clone()).collect();
    assert_eq!(after, before);
    told(&error)
}

#[tokio::test(start_paused = true)]
async fn a_finished_cluster_whose_api_is_down_stays() {
    let (code, text) = in_trouble(|bench| bench.world.script("list Node", Say::Fail("connection refused"))).await;
    assert_eq!(code, 5);
    assert!(text.contains("last seen: the API does not answer yet: connection refused"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_finished_cluster_whose_api_hangs_stays() {
    let (code, _) = in_trouble(|bench| bench.world.script("list Node", Say::Hang)).await;
    assert_eq!(code, 5);
}

#[tokio::test(start_paused = true)]
async fn a_finished_cluster_with_other_nodes_than_configured_stays() {
    let mut bench = Bench::full().made().await;
    bench.lab.cluster.workers = 2;
    let error = bench.up().await.unwrap_err();
    let (code, text) = told(&error);
    assert!(code == 3 && text.contains("has other nodes than the configuration: lab-control-plane, "), "{code} {text}");
    assert!(next(&error).starts_with("lab down --name lab, then lab up --name lab"), "{}", next(&error));
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_finished_cluster_whose_first_node_dies_at_once_stays() {
    let (code, text) = in_trouble(|bench| {
        bench.world.state().stop_all();
        bench.world.state().dying.insert("lab-control-plane".to_owned());
    })
    .await;
    assert!(code == 5 && text.contains("lab-control-plane"), "{code} {text}");
}

#[tokio::test(start_paused = true)]
async fn a_finished_cluster_that_lost_a_node_stays() {
    for lost in ["lab-control-plane", "lab-control-plane2", "lab-worker"] {
        let (code, text) = in_trouble(|bench| {
            let mut state = bench.world.state();
            state.containers.retain(|one| one.name != lost);
            state.files.retain(|(container, _), _| container != lost);
        })
        .await;
        assert!(code == 3 && text.contains("has other nodes than the configuration"), "{lost}: {code} {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_finished_cluster_that_cannot_be_asked_stays() {
    let (code, _) = in_trouble(|bench| {
        bench.world.script("has lab-control-plane /kind/lab-finished", Say::Fail("engine is busy"));
    })
    .await;
    assert_eq!(code, 5);
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_cluster_of_the_same_name_is_not_touched() {
    let bench = Bench::small();
    bench.world.state().containers.push(container("lab", "lab-control-plane", "kind", 9));
    bench.world.state().containers[0].running = false;
    let theirs = bench.world.state().containers.clone();
    let (_, text) = told(&bench.up().await.unwrap_err());
    assert!(text.contains("already exist"), "{text}");
    assert_eq!(bench.world.state().containers[0], theirs[0]);
    let touched = bench.world.changes().into_iter().any(|call| call.contains("lab-control-plane"));
    assert!(!touched, "{:?}", bench.world.changes());
}

#[tokio::test(start_paused = true)]
async fn the_token_by_which_nodes_join_goes_when_they_have_joined() {
    let bench = Bench::small();
    bench.world.script_times("delete Secret/kube-system/bootstrap-token-abcdef", 2, Say::Fail("connection refused"));
    bench.up().await.unwrap();
    assert!(bench.world.state().object("Secret", "kube-system", "bootstrap-token-abcdef").is_none());
    assert_eq!(bench.world.count("delete Secret/kube-system/bootstrap-token-abcdef"), 3);
}

#[tokio::test(start_paused = true)]
async fn the_load_balancers_name_is_lent_to_kind_and_taken_back() {
    let bench = Bench::full();
    bench.world.script_times("create cluster", 1, Say::Fail("no"));
    for _ in 0..2 {
        drop(bench.up().await);
        assert!(bench.world.image(ENVOY).await.unwrap().is_none());
    }
    assert_eq!(bench.world.count(&format!("tag {ENVOY}")), 2);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_another_lab_still_needs_stays_until_that_is_done() {
    let bench = Bench::full();
    let other = shared::join(&bench.folder.path().join("load-balancer.lock")).await.unwrap();
    bench.up().await.unwrap();
    assert!(bench.world.image(ENVOY).await.unwrap().is_some());
    other.leave(async || bench.world.remove_tag(ENVOY).await).await.unwrap();
    assert!(bench.world.image(ENVOY).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_name_that_a_killed_run_left_is_taken_back() {
    let bench = Bench::full();
    let held = bench.catalogue.built_tag("load-balancer").unwrap();
    let left = bench.world.state().images[&held].clone();
    bench.world.state().images.insert(ENVOY.to_owned(), left);
    bench.up().await.unwrap();
    assert!(bench.world.image(ENVOY).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn kindnet_needs_kinds_own_node_image() {
    let mut bench = Bench::small();
    bench.lab.cluster.cni = Cni::Kindnet;
    let (code, text) = told(&bench.up().await.unwrap_err());
    assert!(code == 3 && text.starts_with("spec.cluster.cni: kindnet comes only inside"), "{code} {text}");
    assert_eq!(bench.world.count("create cluster"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_users_own_load_balancer_image_is_left_alone() {
    let bench = Bench::full();
    bench.world.state().add_image(ENVOY);
    bench.up().await.unwrap();
    assert!(bench.world.image(ENVOY).await.unwrap().is_some());
    assert_eq!(bench.world.count(&format!("tag {ENVOY}")), 0);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_died_is_quoted() {
    let bench = Bench::small();
    bench.world.state().dying.insert("lab-worker".to_owned());
    bench.world.state().logs.insert("lab-worker".to_owned(), "Failed to create control group\n".to_owned());
    bench.world.script("create cluster", Say::FailAfter("could not find a log line"));
    let (_, text) = told(&bench.up().await.unwrap_err());
    assert!(text.contains("node lab-worker died; its last lines:\nFailed to create control group"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_kubeconfig_is_private_and_comes_back_when_it_is_lost() {
    let bench = Bench::small().made().await;
    let path = bench.run().kubeconfig();
    for _ in 0..2 {
        assert_eq!(fs_err::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs_err::remove_file(&path).unwrap();
        bench.up().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn names_are_those_that_kind_gives() {
    let names = cluster::expected(&Bench::full().run());
    let expected = "lab-control-plane lab-control-plane2 lab-control-plane3 lab-external-load-balancer \
                    lab-worker lab-worker2 lab-worker3";
    assert_eq!(names.join(" "), expected);
    assert_eq!(cluster::expected(&Bench::small().run()), ["lab-control-plane", "lab-worker"]);
}

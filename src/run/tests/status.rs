//! What `lab status` sees.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Bench;
use super::world::Say;
use crate::run::people::find;
use crate::run::status::{Status, status};

async fn seen(bench: &Bench) -> Status {
    let status = status(&bench.run()).await.unwrap();
    assert_eq!(bench.world.changes(), Vec::<String>::new(), "looking changes nothing");
    status
}

#[tokio::test(start_paused = true)]
async fn a_lab_that_stands_is_healthy() {
    let bench = Bench::full().made().await;
    let status = seen(&bench).await;
    assert!(status.healthy, "{status:?}");
    assert_eq!((status.nodes.len(), status.components.len()), (6, 8));
    assert_eq!(status.api.as_deref(), Some("https://127.0.0.1:16443"));
    assert_eq!(status.registry.as_deref(), Some("http://127.0.0.1:15000"));
    assert_eq!(
        (status.nodes[0].name.as_str(), status.nodes[0].address.as_deref()),
        ("lab-control-plane", Some("172.29.0.2"))
    );
    assert!(status.smoke.unwrap().verdict.passed);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_not_healthy() {
    let status = seen(&Bench::small()).await;
    assert!(!status.healthy && status.api.is_none() && status.registry.is_none() && status.kubeconfig.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_stopped_node_is_named() {
    let bench = Bench::full().made().await;
    bench.world.state().container("lab-worker2").running = false;
    let status = seen(&bench).await;
    assert!(!status.healthy);
    let waiting: Vec<_> = status.nodes.iter().filter(|node| !node.ready).collect();
    assert_eq!(waiting.len(), 1);
    assert_eq!((waiting[0].name.as_str(), waiting[0].detail.as_str()), ("lab-worker2", "container is stopped"));
}

#[tokio::test(start_paused = true)]
async fn an_api_that_hangs_is_said_to_and_holds_nothing_up() {
    for call in ["list Node", "get Deployment", "get ConfigMap/lab-system/lab"] {
        let bench = Bench::small().made().await;
        bench.world.script(call, Say::Hang);
        let started = Instant::now();
        let status = seen(&bench).await;
        assert!(started.elapsed() < Duration::from_secs(6), "{call}: {:?}", started.elapsed());
        assert!(!status.healthy && status.nodes.len() == 2, "{call}: {status:?}");
        assert_eq!(status.unseen, ["the Kubernetes API does not answer within 5 s"], "{call}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_ports_are_those_that_the_lab_has() {
    for (mut bench, front) in [(Bench::small(), "lab-control-plane"), (Bench::full(), "lab-external-load-balancer")] {
        bench.lab.cluster.api_port = 17443;
        bench.lab.registry.port = 17000;
        let mut bench = bench.made().await;
        (bench.lab.cluster.api_port, bench.lab.registry.port) = (16443, 15000);
        // kind gives every control plane of several a port of its own.
        bench.world.state().container("lab-control-plane").ports.entry(6443).or_insert(41000);
        let status = seen(&bench).await;
        assert_eq!(status.api.as_deref(), Some("https://127.0.0.1:17443"));
        assert_eq!(status.registry.as_deref(), Some("http://127.0.0.1:17000"));
        bench.world.state().container(front).running = false;
        assert_eq!(seen(&bench).await.api, None, "nobody listens there");
    }
}

#[tokio::test(start_paused = true)]
async fn versions_are_those_that_are_there() {
    let versions = seen(&Bench::small().made().await).await.versions;
    assert_eq!((versions.kubernetes.as_deref(), versions.kind.as_deref()), (Some("v1.36.4"), Some("0.33.0")));
    let bench = Bench::small();
    bench.world.script("kind version", Say::Fail("kind is not on PATH"));
    let versions = seen(&bench).await.versions;
    assert_eq!((versions.kubernetes, versions.kind), (None, None));
}

#[tokio::test(start_paused = true)]
async fn an_api_that_is_down_makes_no_error_but_no_health() {
    let bench = Bench::small().made().await;
    bench.world.script("list Node", Say::Fail("connection refused"));
    let status = seen(&bench).await;
    assert!(!status.healthy);
    assert!(status.nodes.iter().all(|node| node.detail.contains("the API does not answer")), "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn a_component_that_is_not_ready_is_seen() {
    let bench = Bench::small().made().await;
    let key = ["StatefulSet", "object-store", "minio"].map(str::to_owned);
    bench.world.state().objects.get_mut(&key).unwrap()["status"]["readyReplicas"] = 0.into();
    let status = seen(&bench).await;
    assert!(!status.healthy);
    let waiting: Vec<_> = status.components.iter().filter(|part| !part.ready).map(|part| part.name.as_str()).collect();
    assert_eq!(waiting, ["MinIO"]);
}

#[tokio::test(start_paused = true)]
async fn certificates_of_people_are_told_from_their_files() {
    let bench = Bench::small().made().await;
    fs_err::remove_file(find(&bench.run(), "edit").unwrap().0).unwrap();
    fs_err::write(find(&bench.run(), "view").unwrap().0, "apiVersion").unwrap();
    let people = seen(&bench).await.people;
    let told: Vec<_> = people
        .iter()
        .map(|person| (person.user.as_str(), person.ends.is_some(), person.usable, person.renewal.as_deref()))
        .collect();
    let expected = [
        ("admin", true, true, None),
        ("edit", false, false, Some("there is none")),
        ("view", false, false, Some("it cannot be read")),
    ];
    assert_eq!(told, expected);
    assert_eq!(seen(&Bench::small()).await.people, [], "nobody has one where there is no cluster");
}

#[tokio::test(start_paused = true)]
async fn a_certificate_of_another_cluster_or_near_its_end_is_told() {
    let mut bench = Bench::small().made().await;
    let left = i64::from(bench.lab.people.certificate_seconds);
    // What was a day is the last third of four days.
    bench.lab.people.certificate_seconds *= 4;
    for person in seen(&bench).await.people {
        assert_eq!((person.usable, person.renewal.as_deref()), (true, Some("it is in the last third of its life")));
        let ends = person.ends.unwrap().duration_since(Timestamp::now()).as_secs();
        assert!((left - 60..=left).contains(&ends), "{ends} s");
    }
    let path = bench.run().kubeconfig();
    let text = fs_err::read_to_string(&path).unwrap();
    fs_err::write(&path, text.replace("YXV0aG9yaXR5", "YW5vdGhlcg==")).unwrap();
    for person in seen(&bench).await.people {
        assert_eq!((person.usable, person.renewal.as_deref()), (false, Some("it is of another cluster")));
    }
}

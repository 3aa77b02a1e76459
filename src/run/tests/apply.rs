//! Objects in the cluster, images in the registry: only what differs is changed.

use serde_json::json;

use super::world::Say;
use super::{Bench, told};

#[tokio::test(start_paused = true)]
async fn only_an_object_that_differs_is_applied() {
    let bench = Bench::small().made().await;
    let key = ["Deployment", "spark-operator", "controller"].map(str::to_owned);
    bench.world.state().objects.get_mut(&key).unwrap()["spec"]["replicas"] = json!(0);
    bench.up().await.unwrap();
    assert_eq!(bench.world.changes(), ["apply Deployment/spark-operator/controller"]);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_gone_comes_back() {
    let bench = Bench::small().made().await;
    let key = ["Service", "object-store", "minio"].map(str::to_owned);
    bench.world.state().objects.remove(&key);
    bench.up().await.unwrap();
    assert_eq!(bench.world.changes(), ["apply Service/object-store/minio"]);
}

#[tokio::test(start_paused = true)]
async fn an_apply_that_is_refused_names_the_step() {
    let bench = Bench::small();
    bench.world.script("apply StatefulSet", Say::Fail("admission webhook denied the request"));
    let (code, text) = told(&bench.up().await.unwrap_err());
    assert!(code == 5 && text.starts_with("step object-store: MinIO: admission webhook denied"), "{code} {text}");
}

#[tokio::test(start_paused = true)]
async fn a_workload_that_is_late_is_waited_for() {
    let bench = Bench::small();
    // The first look says what to apply, the later ones wait.
    bench.world.script_after("get StatefulSet/object-store/minio", 1, 20, Say::Fail("etcd leader changed"));
    bench.up().await.unwrap();
    assert!(bench.said.notes().iter().any(|note| note.contains("etcd leader changed")), "{:?}", bench.said.notes());
}

#[tokio::test(start_paused = true)]
async fn a_rebuilt_image_is_pushed_again_and_no_other() {
    let bench = Bench::small().made().await;
    let tag = bench.catalogue.built_tag("minio").unwrap();
    bench.world.state().images.get_mut(&tag).unwrap().id = "sha256:0123456789abcdef".to_owned();
    bench.up().await.unwrap();
    let pushed: Vec<String> = bench.world.changes().into_iter().filter(|call| call.starts_with("push")).collect();
    let path = "push 127.0.0.1:15000/pgsty/silo:";
    assert_eq!(pushed, [format!("{path}id-0123456789ab"), format!("{path}RELEASE.2026-09-16T00-00-00Z")]);
}

#[tokio::test(start_paused = true)]
async fn a_push_leaves_no_name_in_the_engine() {
    for say in [None, Some(Say::Fail("connection reset"))] {
        let bench = Bench::small();
        let before: Vec<String> = bench.world.state().images.keys().cloned().collect();
        if let Some(say) = say {
            bench.world.script("push", say);
        }
        drop(bench.up().await);
        assert_eq!(bench.world.state().images.keys().cloned().collect::<Vec<_>>(), before);
    }
}

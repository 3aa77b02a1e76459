//! What `lab plan --diff` finds, and that it finds nothing where nothing differs.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::world::{Say, World, container};
use super::{Bench, next, told};
use crate::ports::Output;
use crate::run::{Diff, DiffState as State, diff};
use crate::step::Action;

async fn seen(bench: &Bench) -> Diff {
    bench.world.heal();
    looked(bench).await
}

async fn looked(bench: &Bench) -> Diff {
    let diff = diff(&bench.run(), &bench.plan()).await.unwrap();
    assert_eq!(bench.world.changes(), Vec::<String>::new(), "looking changes nothing");
    assert_eq!(diff.differs, !diff.differences.is_empty());
    diff
}

/// Step, subject and state of each difference.
fn told_of(diff: &Diff) -> Vec<(&str, &str, State)> {
    diff.differences.iter().map(|one| (one.step.as_str(), one.subject.as_str(), one.state)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_lab_that_stands_differs_in_nothing() {
    for bench in [Bench::small(), Bench::full()] {
        let diff = seen(&bench.made().await).await;
        assert_eq!(told_of(&diff), []);
        diff.check("").unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn no_lab_at_all_differs_without_every_object_being_named() {
    let diff = seen(&Bench::small()).await;
    let expected = [
        ("network", "network lab", State::Missing),
        ("registry", "container lab-registry", State::Missing),
        ("cluster", "cluster lab", State::Missing),
    ];
    assert_eq!(told_of(&diff), expected);
    let error = diff.check(" --name lab").unwrap_err();
    assert_eq!(told(&error), (9, "lab lab is not what the configuration says: 3 differences".to_owned()));
    assert!(next(&error).starts_with("lab up --name lab "), "{}", next(&error));
}

#[tokio::test(start_paused = true)]
async fn a_machine_without_images_lacks_each_of_them() {
    let bench = Bench::small();
    bench.world.state().images.clear();
    let diff = seen(&bench).await;
    let images = told_of(&diff).into_iter().filter(|(step, _, state)| (*step, *state) == ("images", State::Missing));
    assert_eq!(images.count(), 12, "{diff:#?}");
}

/// Plants one thing in a lab that stands.
type Plant = fn(&World);
/// Step, subject, state.
type Told = (&'static str, &'static str, State);

fn key(kind: &str, namespace: &str, name: &str) -> [String; 3] {
    [kind, namespace, name].map(str::to_owned)
}

const PLANTS: [(Plant, Told); 23] = [
    (|world| world.state().networks[0].labels.clear(), ("network", "network lab", State::Different)),
    (|world| world.state().networks[0].subnet = "10.0.0.0/24".to_owned(), ("network", "network lab", State::Different)),
    (
        |world| world.state().images.retain(|name, _| !name.starts_with("lab/registry:")),
        ("images", "image registry", State::Missing),
    ),
    (
        |world| world.state().registry.retain(|name, _| !name.starts_with("pause:3")),
        ("push", "image registry.k8s.io/pause:3.10.2 in the registry", State::Missing),
    ),
    (
        |world| world.state().container("lab-worker2").running = false,
        ("remains", "container lab-worker2", State::Stopped),
    ),
    (
        |world| world.state().containers.retain(|one| one.name != "lab-worker3"),
        ("remains", "container lab-worker3", State::Missing),
    ),
    (
        |world| world.state().containers.push(container("lab", "lab-worker4", "lab", 40)),
        ("remains", "container lab-worker4", State::Unwanted),
    ),
    (
        |world| world.state().files.retain(|(_, path), _| !path.ends_with("lab-finished")),
        ("remains", "cluster lab", State::Different),
    ),
    (
        |world| world.state().container("lab-worker").addresses.get_mut("lab").unwrap().pinned = None,
        ("addresses", "container lab-worker", State::Different),
    ),
    (
        |world| drop(world.state().objects.remove(&key("Service", "object-store", "minio"))),
        ("object-store", "Service object-store/minio", State::Missing),
    ),
    (
        |world| {
            let key = key("StatefulSet", "object-store", "minio");
            world.state().objects.get_mut(&key).unwrap()["status"]["readyReplicas"] = json!(0);
        },
        ("object-store", "StatefulSet object-store/minio", State::NotReady),
    ),
    (
        |world| {
            let key = key("Secret", "object-store", "minio-root");
            let secret = &mut world.state().objects;
            secret.get_mut(&key).unwrap()["data"].as_object_mut().unwrap().remove("MINIO_ROOT_PASSWORD");
        },
        ("credentials", "Secret object-store/minio-root", State::Different),
    ),
    // Both users may read it.
    (|world| world.state().buckets.retain(|name| name != "lab"), ("bucket", "bucket lab", State::Missing)),
    (
        |world| drop(world.state().store.remove("sample-dags/hello.py")),
        ("sample-dags", "sample DAG hello.py", State::Missing),
    ),
    (
        |world| drop(world.state().store.insert("sample-dags/hello.py".to_owned(), b"pass".to_vec())),
        ("sample-dags", "sample DAG hello.py", State::Different),
    ),
    (
        |world| drop(world.state().store.insert("sample-dags/mine.py".to_owned(), b"pass".to_vec())),
        ("sample-dags", "sample DAG mine.py", State::Unwanted),
    ),
    (
        |world| world.state().buckets.retain(|name| name != "airflow-logs"),
        ("airflow-buckets", "bucket airflow-logs", State::Missing),
    ),
    (
        |world| drop(world.state().keys.insert("airflow".to_owned(), "another".to_owned())),
        ("airflow-buckets", "user airflow with the key of Secret airflow/object-store", State::Missing),
    ),
    (
        |world| {
            let key = key("Secret", "airflow", "keys");
            let secret = &mut world.state().objects;
            secret.get_mut(&key).unwrap()["data"].as_object_mut().unwrap().remove("AIRFLOW__CORE__FERNET_KEY");
        },
        ("credentials", "Secret airflow/keys", State::Different),
    ),
    (
        |world| {
            let key = key("Deployment", "airflow", "triggerer");
            world.state().objects.get_mut(&key).unwrap()["status"]["readyReplicas"] = json!(0);
        },
        ("airflow", "Deployment airflow/triggerer", State::NotReady),
    ),
    (
        |world| drop(world.state().objects.remove(&key("StatefulSet", "airflow", "postgres"))),
        ("database", "StatefulSet airflow/postgres", State::Missing),
    ),
    (
        |world| {
            let key = key("Node", "", "lab-worker");
            world.state().objects.get_mut(&key).unwrap()["status"]["conditions"][0]["status"] = json!("False");
        },
        ("nodes", "node lab-worker", State::NotReady),
    ),
    (
        |world| drop(world.state().objects.remove(&key("ConfigMap", "lab-system", "lab"))),
        ("smoke", "smoke verdict", State::Missing),
    ),
];

#[tokio::test(start_paused = true)]
async fn each_planted_difference_is_found_and_none_beside_it() {
    for (plant, expected) in PLANTS {
        let bench = Bench::full().made().await;
        plant(&bench.world);
        let diff = seen(&bench).await;
        assert!(told_of(&diff).contains(&expected), "{expected:?} is not among {diff:#?}");
        assert_eq!(told_of(&diff).len(), 1, "{expected:?}: {diff:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_field_is_named_with_both_values() {
    let bench = Bench::small().made().await;
    let key = key("Deployment", "spark-operator", "controller");
    bench.world.state().objects.get_mut(&key).unwrap()["spec"]["template"]["spec"]["containers"][0]["image"] =
        json!("example.org/other:1");
    bench.world.state().objects.get_mut(&key).unwrap()["status"]["readyReplicas"] = json!(0);
    let diff = seen(&bench).await;
    // That it is not ready either is no second difference.
    assert_eq!(told_of(&diff), [("spark-operator", "Deployment spark-operator/controller", State::Different)]);
    let [field] = &diff.differences[0].fields[..] else { panic!("{diff:#?}") };
    assert_eq!(field.path, "spec.template.spec.containers[0].image");
    assert_eq!(field.live, "example.org/other:1");
    assert!(field.wanted.as_str().unwrap().starts_with("ghcr.io/kubeflow/spark-operator/"), "{field:?}");
}

#[tokio::test(start_paused = true)]
async fn no_value_of_a_secret_is_shown() {
    let bench = Bench::small().made().await;
    let secret = |value: &str| json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "namespace": "x", "name": "y" }, "data": { "k": value } });
    let mut plan = bench.plan();
    plan.steps.retain(|step| matches!(step.action, Action::Cluster { .. } | Action::Apply { .. }));
    plan.steps[1].action = Action::Apply { objects: vec![secret("d2FudGVk")], ready: vec![] };
    plan.steps.truncate(2);
    bench.world.state().objects.insert(key("Secret", "x", "y"), secret("bGl2ZQ=="));
    let diff = diff(&bench.run(), &plan).await.unwrap();
    let text = serde_json::to_string(&diff).unwrap();
    assert!(text.contains("data.k") && text.contains("(hidden)"), "{text}");
    assert!(!text.contains("d2FudGVk") && !text.contains("bGl2ZQ"), "{text}");
    // Nor is a value of the Secrets that the lab makes.
    bench.world.state().objects.remove(&key("Secret", "spark-jobs", "object-store"));
    let text = format!("{:?}", seen(&bench).await);
    assert!(text.contains("Secret spark-jobs/object-store"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_lab_of_other_sizes_has_an_outdated_verdict() {
    let mut bench = Bench::small().made().await;
    bench.lab.smoke.pages += 1;
    let diff = seen(&bench).await;
    assert_eq!(told_of(&diff), [("smoke", "smoke verdict", State::Missing)]);
    assert!(diff.differences[0].detail.as_ref().unwrap().contains("with other code, images or sizes"), "{diff:?}");
}

#[tokio::test(start_paused = true)]
async fn an_api_that_does_not_answer_is_the_only_thing_said_of_the_cluster() {
    for say in [Say::Hang, Say::Fail("connection refused")] {
        let bench = Bench::small().made().await;
        bench.world.script("list Node", say);
        let started = Instant::now();
        assert_eq!(told_of(&looked(&bench).await), [("cluster", "Kubernetes API", State::NotReady)]);
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_seen_is_no_agreement() {
    let bench = Bench::small().made().await;
    bench.world.script("exec minio-0", Say::Fail("pod minio-0 is not there"));
    let diff = looked(&bench).await;
    assert_eq!(told_of(&diff), [("bucket", "bucket lab and its user", State::Unknown)]);
    bench.world.heal();
    bench.world.script("exec lab-worker ctr", Say::Answer(Output { code: 1, ..Output::default() }));
    let diff = looked(&bench).await;
    assert_eq!(diff.differences[0].state, State::Unknown, "{diff:?}");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_fails_is_an_error() {
    let bench = Bench::small().made().await;
    bench.world.script("networks", Say::Fail("engine gone"));
    assert!(diff(&bench.run(), &bench.plan()).await.is_err());
}

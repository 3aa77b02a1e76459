//! Folders of diagnostics of a lab in memory: complete, without secrets, and written whatever is broken.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::run::diagnose::{Diagnosis, diagnose, without_engine};
use crate::run::tests::Bench;
use crate::run::tests::world::Say;

/// In a Secret of the cluster.
const SECRET: &str = "planted-0123456789abcdef";
/// The same in base64.
const ENCODED: &str = "cGxhbnRlZC0wMTIzNDU2Nzg5YWJjZGVm";
/// In environments, and in no Secret.
const IN_CONTAINER: &str = "of-the-container-4711";
const IN_POD: &str = "of-the-pod-4712";
/// In the administrator's kubeconfig, and in that of somebody else.
const IN_KUBECONFIG: &str = "of-the-kubeconfig-4713";
const IN_PERSONS: &str = "of-a-person-4714";

/// A lab that stands, with a secret in everything that is collected.
async fn planted() -> Bench {
    let bench = Bench::small().made().await;
    let kubeconfig =
        |token: &str| format!("apiVersion: v1\nkind: Config\nusers:\n- {{name: a, user: {{token: {token}}}}}\n");
    fs_err::write(bench.run().kubeconfig(), kubeconfig(IN_KUBECONFIG)).unwrap();
    fs_err::create_dir_all(bench.run().people()).unwrap();
    fs_err::write(bench.run().people().join("ben.kubeconfig"), kubeconfig(IN_PERSONS)).unwrap();
    fs_err::write(bench.run().state.join("journal.jsonl"), format!("journal {SECRET}\n")).unwrap();
    let mut state = bench.world.state();
    let mut add = |kind: &str, name: &str, object: Value| {
        let mut object = object;
        object["kind"] = kind.into();
        object["metadata"]["namespace"] = "shop".into();
        object["metadata"]["name"] = name.into();
        state.objects.insert([kind, "shop", name].map(str::to_owned), object);
    };
    add(
        "Secret",
        "keys",
        json!({
            "data": { "password": ENCODED },
            "metadata": { "annotations": { "kubectl.kubernetes.io/last-applied-configuration": ENCODED } },
        }),
    );
    add(
        "ConfigMap",
        "settings",
        json!({ "data": { "url": format!("http://shop:{SECRET}@db:5432/"), "plain": "visible" } }),
    );
    add(
        "Event",
        "one",
        json!({
            "type": "Warning", "reason": "Failed", "message": format!("login with {SECRET}"), "lastTimestamp": "2026-11-21T08:00:00Z",
            "involvedObject": { "kind": "Pod", "namespace": "shop", "name": "web" },
        }),
    );
    add(
        "Pod",
        "web",
        json!({
            "spec": { "containers": [{ "name": "web", "env": [{ "name": "API_TOKEN", "value": IN_POD }] }] },
            "status": { "phase": "Running", "containerStatuses": [{
                "name": "web", "restartCount": 2, "state": { "waiting": { "reason": "CrashLoopBackOff", "message": SECRET } },
            }] },
        }),
    );
    for log in ["web", "web before", "lab-control-plane", "lab-registry"] {
        let text =
            format!("start\n{SECRET} {ENCODED} {IN_CONTAINER} {IN_POD} {IN_KUBECONFIG} {IN_PERSONS}\nend of {log}\n");
        state.logs.insert(log.to_owned(), text);
    }
    let environment = vec![format!("DB_PASSWORD={IN_CONTAINER}"), "HOME=/home/somebody".to_owned()];
    state.environment.insert("lab-registry".to_owned(), environment);
    drop(state);
    bench
}

/// Every file of a diagnosis, by its path.
fn files(diagnosis: &Diagnosis) -> BTreeMap<String, String> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs_err::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                walk(root, &entry.path(), found);
            } else {
                let name = entry.path().strip_prefix(root).unwrap().to_string_lossy().into_owned();
                found.insert(name, fs_err::read_to_string(entry.path()).unwrap());
            }
        }
    }
    let (folder, mut found) = (diagnosis.folder.as_ref().unwrap(), BTreeMap::new());
    walk(folder, folder, &mut found);
    found
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_in_any_file() {
    let bench = planted().await;
    let said = format!("step x: it said {SECRET}");
    let diagnosis = diagnose(&bench.run(), &bench.plan(), &said).await;
    let files = files(&diagnosis);
    // What was planted came so far, each in its own file.
    for (file, part) in [
        ("summary.txt", "step x: it said ***"),
        ("summary.txt", "Pod shop/web: CrashLoopBackOff ***"),
        ("cluster/events.txt", "login with ***"),
        ("cluster/ConfigMap.yaml", "http://***@db:5432/"),
        ("cluster/ConfigMap.yaml", "visible"),
        ("cluster/Pod.yaml", "API_TOKEN"),
        ("cluster/Secret.yaml", "password: \"***\""),
        ("cluster/logs/shop/web.web.previous.log", "end of web before"),
        ("docker/lab-control-plane.log", "*** *** *** *** ***"),
        ("docker/lab-registry.yaml", "DB_PASSWORD"),
        ("docker/lab-registry.yaml", "HOME"),
        ("lab/journal.jsonl", "journal ***"),
        ("lab/plan.txt", "object-store"),
        ("lab/configuration.yaml", "sparkOperator"),
    ] {
        assert!(files[file].contains(part), "{file}: {part:?} is not in\n{}", files[file]);
    }
    let culprit = diagnosis.culprit.unwrap();
    let printed =
        [("culprit", &culprit), ("summary", &diagnosis.summary)].map(|(name, text)| (name.to_owned(), text.clone()));
    for (name, text) in files.into_iter().chain(printed) {
        for secret in [SECRET, ENCODED, IN_CONTAINER, IN_POD, IN_KUBECONFIG, IN_PERSONS, "/home/somebody"] {
            assert!(!text.contains(secret), "{secret} is in {name}:\n{text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn user_names_of_the_lab_are_no_secret() {
    let bench = Bench::small().made().await;
    let files = files(&diagnose(&bench.run(), &bench.plan(), "").await);
    assert!(files["cluster/Secret.yaml"].contains("namespace: spark-jobs"), "{}", files["cluster/Secret.yaml"]);
}

#[tokio::test(start_paused = true)]
async fn without_the_secrets_nothing_of_the_cluster_is_written() {
    let bench = planted().await;
    bench.world.script("list Secret", Say::Fail("etcdserver: request timed out"));
    let diagnosis = diagnose(&bench.run(), &bench.plan(), "").await;
    let files = files(&diagnosis);
    assert!(!files.keys().any(|name| name.starts_with("cluster/")), "{:?}", files.keys());
    assert!(diagnosis.summary.contains("could not be collected:\n  the Kubernetes API: etcdserver: request timed out"));
}

#[tokio::test(start_paused = true)]
async fn what_hangs_holds_nothing_up() {
    for hangs in ["engine", "containers", "inspect", "logs", "exec", "list", "list Pod", "read", "kind version"] {
        let bench = planted().await;
        bench.world.script(hangs, Say::Hang);
        let started = Instant::now();
        let diagnosis = diagnose(&bench.run(), &bench.plan(), "it failed").await;
        assert!(started.elapsed() < Duration::from_mins(1), "{hangs}: {:?}", started.elapsed());
        let summary = &files(&diagnosis)["summary.txt"];
        assert!(summary.contains("no answer within 8 s") && summary.contains("it failed"), "{hangs}: {summary}");
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_cluster_is_diagnosed_by_its_containers() {
    let bench = Bench::small().made().await;
    bench.world.state().stop_all();
    let diagnosis = diagnose(&bench.run(), &bench.plan(), "").await;
    assert_eq!(diagnosis.culprit.as_deref(), Some("Node lab-control-plane: its container is stopped"));
    assert!(diagnosis.summary.contains("Node lab-worker: its container is stopped"), "{}", diagnosis.summary);
    assert!(diagnosis.summary.contains("the Kubernetes API: connection refused"), "{}", diagnosis.summary);
}

#[tokio::test(start_paused = true)]
async fn where_there_is_nothing_yet_the_summary_says_so() {
    let bench = Bench::small();
    let diagnosis = diagnose(&bench.run(), &bench.plan(), "").await;
    assert!(diagnosis.summary.starts_with("No object in trouble was found."), "{}", diagnosis.summary);
    assert!(diagnosis.summary.contains("there is no kubeconfig yet"), "{}", diagnosis.summary);
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn without_an_engine_there_is_still_a_summary() {
    let bench = Bench::small();
    let said = "no Docker engine answers: permission denied while trying to connect to the Docker daemon socket";
    let diagnosis = without_engine(&bench.lab, &bench.plan(), bench.folder.path(), said).unwrap();
    let files = files(&diagnosis);
    assert!(files["summary.txt"].contains("known: docker-permission: "), "{}", files["summary.txt"]);
    assert!(files.contains_key("lab/configuration.yaml"));
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_cannot_be_written_costs_no_answer() {
    let bench = planted().await;
    fs_err::write(bench.run().state.join("diagnostics"), "a file").unwrap();
    let diagnosis = diagnose(&bench.run(), &bench.plan(), "").await;
    assert_eq!(diagnosis.folder, None);
    assert!(diagnosis.culprit.unwrap().starts_with("Pod shop/web: CrashLoopBackOff"));
}

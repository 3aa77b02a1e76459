//! Objects as a real cluster gave them back, shortened: who is named first, and who is not named at all.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Rank, Suspect, suspects};
use crate::components::KIND_LABEL;
use crate::ports::Container;
use crate::run::diagnose::scene::Scene;

const NOW: &str = "2026-11-21T09:00:00Z";

fn scene(objects: impl IntoIterator<Item = Value>) -> Scene {
    let mut scene = Scene::default();
    objects.into_iter().for_each(|object| scene.add(object));
    scene
}

fn all(scene: &Scene, said: &str) -> Vec<Suspect> {
    suspects(scene, said, NOW.parse::<Timestamp>().unwrap())
}

/// Kind, namespace and name of all suspects.
fn names(scene: &Scene) -> Vec<String> {
    all(scene, "").iter().map(|one| format!("{} {}/{}", one.kind, one.namespace, one.name)).collect()
}

#[track_caller]
fn first(scene: &Scene, said: &str) -> (String, Option<&'static str>) {
    let all = all(scene, said);
    let first = all.first().expect("a suspect");
    (first.to_string().lines().next().unwrap().to_owned(), first.known().map(|known| known.id))
}

fn node(ready: &str, message: &str) -> Value {
    json!({ "kind": "Node", "metadata": { "name": "lab-worker" }, "status": { "conditions": [
        { "type": "MemoryPressure", "status": "False", "reason": "KubeletHasSufficientMemory", "message": "" },
        { "type": "Ready", "status": ready, "reason": "NodeStatusUnknown", "message": message },
    ] } })
}

fn pod(space: &str, name: &str, status: Value) -> Value {
    let mut pod = json!({ "kind": "Pod", "metadata": { "namespace": space, "name": name } });
    pod["status"] = status;
    pod
}

fn ready() -> Value {
    json!({ "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }],
        "containerStatuses": [{ "restartCount": 0, "state": { "running": {} } }] })
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({ "phase": "Pending", "containerStatuses": [
        { "restartCount": 0, "state": { "waiting": { "reason": reason, "message": message } } }] })
}

fn ended(code: i64, reason: &str, at: &str) -> Value {
    json!({ "phase": "Failed", "containerStatuses": [{ "restartCount": 0,
        "state": { "terminated": { "exitCode": code, "reason": reason, "finishedAt": at } } }] })
}

fn unschedulable(message: &str) -> Value {
    json!({ "phase": "Pending", "conditions": [
        { "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message }] })
}

fn warning(kind: &str, space: &str, name: &str, reason: &str, message: &str) -> Value {
    json!({ "kind": "Event", "type": "Warning", "reason": reason, "message": message,
        "lastTimestamp": "2026-11-21T08:59:00Z", "involvedObject": { "kind": kind, "namespace": space, "name": name } })
}

/// A pod of the Spark application `etl`.
fn spark(role: &str, name: &str, status: Value) -> Value {
    let mut pod = pod("spark-jobs", name, status);
    pod["metadata"]["labels"] = json!({ "spark-role": role, "sparkoperator.k8s.io/app-name": "etl" });
    pod["spec"] = json!({ "containers": [{ "env": [
        { "name": "AWS_ACCESS_KEY_ID", "valueFrom": { "secretKeyRef": { "name": "object-store", "key": "AWS_ACCESS_KEY_ID" } } },
    ] }] });
    pod
}

#[test]
fn where_all_is_well_nobody_is_to_blame() {
    let bound =
        json!({ "kind": "PersistentVolumeClaim", "metadata": { "name": "data" }, "status": { "phase": "Bound" } });
    let done = pod("spark-jobs", "etl-driver", json!({ "phase": "Succeeded" }));
    let old = warning("Pod", "kube-system", "coredns-1", "Unhealthy", "Readiness probe failed");
    let scene = scene([node("True", ""), bound, done, old, pod("kube-system", "coredns-1", ready())]);
    assert_eq!(names(&scene), Vec::<String>::new());
}

#[test]
fn a_node_comes_before_its_pods() {
    let pods = pod(
        "object-store",
        "minio-0",
        json!({ "phase": "Running", "conditions": [{ "type": "Ready", "status": "False" }] }),
    );
    let scene = scene([pods, node("Unknown", "Kubelet stopped posting node status.")]);
    let expected = "Node lab-worker: not Ready: NodeStatusUnknown Kubelet stopped posting node status.";
    assert_eq!(first(&scene, ""), (expected.to_owned(), Some("node-not-ready")));
    assert_eq!(names(&scene).len(), 2);
}

#[test]
fn the_network_plugin_comes_before_the_nodes_that_wait_for_it() {
    let message = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized";
    let plugin = |status| scene([node("False", message), pod("kube-system", "kube-router-x", status)]);
    assert_eq!(names(&plugin(waiting("ImagePullBackOff", "")))[0], "Pod kube-system/kube-router-x");
    assert_eq!(names(&plugin(waiting("ContainerCreating", "")))[0], "Node /lab-worker");
}

#[test]
fn a_node_that_lacks_disk_says_so() {
    let mut full = node("True", "");
    full["status"]["conditions"][0] = json!({ "type": "DiskPressure", "status": "True", "reason": "KubeletHasDiskPressure", "message": "kubelet has disk pressure" });
    let (line, _) = first(&scene([full]), "");
    assert_eq!(line, "Node lab-worker: DiskPressure: KubeletHasDiskPressure kubelet has disk pressure");
}

#[test]
fn a_stopped_container_is_named_also_where_the_api_is_silent() {
    let container = |name: &str, running| Container {
        name: name.to_owned(),
        running,
        labels: [(KIND_LABEL.to_owned(), "lab".to_owned())].into(),
        ..Container::default()
    };
    let mut scene = scene([]);
    scene.silence = Some("no answer within 8 s".to_owned());
    scene.containers = vec![container("lab-control-plane", true), container("lab-worker", false)];
    assert_eq!(first(&scene, "").0, "Node lab-worker: its container is stopped");
    scene.containers[1].running = true;
    assert_eq!(first(&scene, "").0, "Node lab-control-plane: the Kubernetes API does not answer: no answer within 8 s");
    scene.containers[1] = container("lab-external-load-balancer", false);
    assert_eq!(first(&scene, "").0, "Container lab-external-load-balancer: its container is stopped");
}

#[test]
fn a_claim_that_cannot_be_bound_comes_before_its_pod() {
    let claim = |class: &str| {
        json!({ "kind": "PersistentVolumeClaim", "metadata": { "namespace": "shop", "name": "data" },
            "spec": { "storageClassName": class }, "status": { "phase": "Pending" } })
    };
    let class = json!({ "kind": "StorageClass", "metadata": { "name": "standard" } });
    let waits = pod("shop", "one", unschedulable("pod has unbound immediate PersistentVolumeClaims"));
    let wrong = scene([claim("fast"), class.clone(), waits.clone()]);
    assert_eq!(first(&wrong, "").0, "PersistentVolumeClaim shop/data: Pending: there is no StorageClass fast");
    // A claim of a class that is there waits for its pod, and not the other way round.
    let full = pod("shop", "one", unschedulable("0/2 nodes are available: 2 Insufficient cpu."));
    let (line, known) = first(&scene([claim("standard"), class.clone(), full]), "");
    assert!(line.starts_with("Pod shop/one: Pending: Unschedulable") && known == Some("node-resources"), "{line}");
    let failed = warning("PersistentVolumeClaim", "shop", "data", "ProvisioningFailed", "no space");
    let (line, _) = first(&scene([claim("standard"), class, waits, failed]), "");
    assert_eq!(line, "PersistentVolumeClaim shop/data: Pending: ProvisioningFailed no space");
}

fn replica_set(replicas: i64) -> Value {
    json!({ "kind": "ReplicaSet", "spec": { "replicas": 1 }, "status": { "replicas": replicas }, "metadata": {
        "namespace": "shop", "name": "web-5d4b", "ownerReferences": [{ "kind": "Deployment", "name": "web" }] } })
}

#[test]
fn a_quota_is_named_where_it_keeps_pods_away_and_only_as_long() {
    let message = "Error creating: pods \"web-5d4b-x2x7k\" is forbidden: exceeded quota: tight, requested: requests.memory=64Mi, used: requests.memory=0, limited: requests.memory=16Mi";
    let event = || warning("ReplicaSet", "shop", "web-5d4b", "FailedCreate", message);
    let (line, known) = first(&scene([replica_set(0), event()]), "");
    assert!(line.starts_with("ResourceQuota shop/tight: Error creating"), "{line}");
    assert_eq!(known, Some("quota-exceeded"));
    assert_eq!(names(&scene([replica_set(1), event()])), Vec::<String>::new());
    assert_eq!(names(&scene([event()])), Vec::<String>::new());
}

#[test]
fn a_workload_that_gets_no_pods_is_named_by_its_deployment() {
    let message = "Error creating: pods \"web-5d4b-2dd4n\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false";
    let web = json!({ "kind": "Deployment", "metadata": { "namespace": "shop", "name": "web" } });
    let scene = scene([replica_set(0), web, warning("ReplicaSet", "shop", "web-5d4b", "FailedCreate", message)]);
    let (line, known) = first(&scene, "");
    assert!(line.starts_with("Deployment shop/web: Error creating"), "{line}");
    assert_eq!(known, Some("pod-security"));
}

fn webhook(pods: impl IntoIterator<Item = Value>) -> Scene {
    let labels = json!({ "app": "webhook" });
    let service = json!({ "kind": "Service", "metadata": { "namespace": "spark-operator", "name": "webhook-svc" }, "spec": { "selector": labels } });
    let webhooks = json!([{ "name": "mutate.sparkoperator.k8s.io", "failurePolicy": "Fail",
        "clientConfig": { "service": { "namespace": "spark-operator", "name": "webhook-svc" } } }]);
    let configuration =
        json!({ "kind": "MutatingWebhookConfiguration", "metadata": { "name": "operator" }, "webhooks": webhooks });
    let workload = json!({ "kind": "Deployment", "metadata": { "namespace": "spark-operator", "name": "webhook" },
        "spec": { "replicas": 0, "template": { "metadata": { "labels": labels } } } });
    let labelled = pods.into_iter().map(move |mut pod| {
        pod["metadata"]["labels"] = json!({ "app": "webhook" });
        pod
    });
    scene([service, configuration, workload].into_iter().chain(labelled))
}

#[test]
fn a_webhook_that_nobody_answers_is_its_workloads_fault() {
    let expected = "Deployment spark-operator/webhook: 0 replicas wanted, none ready; nobody answers webhook mutate.sparkoperator.k8s.io";
    assert_eq!(first(&webhook([]), "").0, expected);
    let broken = pod("spark-operator", "webhook-1", waiting("ErrImagePull", "not found"));
    let (line, _) = first(&webhook([broken]), "");
    assert!(line.starts_with("Pod spark-operator/webhook-1: ErrImagePull not found; nobody answers"), "{line}");
    assert_eq!(names(&webhook([pod("spark-operator", "webhook-1", ready())])), Vec::<String>::new());
    let mut going = pod("spark-operator", "webhook-1", ready());
    going["metadata"]["deletionTimestamp"] = NOW.into();
    assert_eq!(first(&webhook([going]), "").0, expected);
}

#[test]
fn cluster_dns_comes_before_those_that_cannot_resolve() {
    let dns = json!({ "kind": "Service", "metadata": { "namespace": "kube-system", "name": "kube-dns" }, "spec": { "selector": { "k8s-app": "kube-dns" } } });
    let coredns = json!({ "kind": "Deployment", "metadata": { "namespace": "kube-system", "name": "coredns" },
        "spec": { "replicas": 2, "template": { "metadata": { "labels": { "k8s-app": "kube-dns" } } } } });
    let driver = spark("driver", "etl-driver", ended(1, "Error", "2026-11-21T08:58:00Z"));
    let scene = scene([node("True", ""), dns, coredns, driver]);
    let scene =
        scene.with_log("spark-jobs", "etl-driver", "Caused by: java.net.UnknownHostException: minio.object-store.svc");
    assert_eq!(names(&scene), ["Deployment kube-system/coredns", "Pod spark-jobs/etl-driver"]);
}

#[test]
fn a_driver_that_failed_by_itself_quotes_its_own_error() {
    let scene = scene([
        spark("driver", "etl-driver", ended(1, "Error", "2026-11-21T08:58:00Z")),
        // It lost its driver, and ended for that reason.
        spark("executor", "etl-exec-1", ended(1, "Error", "2026-11-21T08:58:02Z")),
    ]);
    let scene = scene.with_log("spark-jobs", "etl-driver", "Traceback\nValueError: no such table: orders\nbye\n");
    assert_eq!(first(&scene, "").0, "Pod spark-jobs/etl-driver: Error, exit code 1; ValueError: no such table: orders");
    assert_eq!(names(&scene).len(), 1);
}

#[test]
fn a_lost_executor_comes_before_the_driver_that_lost_it() {
    let scene = scene([
        spark("driver", "etl-driver", ended(1, "Error", "2026-11-21T08:58:00Z")),
        spark("executor", "etl-exec-1", ended(137, "OOMKilled", "2026-11-21T08:57:58Z")),
        spark("executor", "etl-exec-2", json!({ "phase": "Succeeded" })),
    ]);
    let log = "org.apache.spark.SparkException: Job aborted: ExecutorLostFailure (executor 1 exited caused by one of the running tasks)";
    let scene = scene.with_log("spark-jobs", "etl-driver", log);
    let expected = "Pod spark-jobs/etl-exec-1: OOMKilled, exit code 137; driver etl-driver lost it";
    assert_eq!(first(&scene, ""), (expected.to_owned(), Some("out-of-memory")));
}

#[test]
fn keys_that_are_refused_are_the_secrets_fault() {
    let scene = scene([spark("driver", "etl-driver", ended(1, "Error", "2026-11-21T08:58:00Z"))]);
    let log = "S3Exception: The request signature we calculated does not match the signature you provided. (Service: S3, Status Code: 403)";
    let (line, _) = first(&scene.with_log("spark-jobs", "etl-driver", log), "");
    assert_eq!(line, "Secret spark-jobs/object-store: the object store refuses its keys; driver etl-driver failed");
}

/// As a HEAD request is answered, which has no body.
#[test]
fn a_bare_refusal_is_the_secrets_fault_only_in_the_labs_own_bucket() {
    let refused = |bucket: &str| {
        let mut driver = spark("driver", "etl-driver", ended(1, "Error", "2026-11-21T08:58:00Z"));
        // A pod's phase lags behind its container.
        driver["status"]["phase"] = "Running".into();
        let log = format!(
            "java.nio.file.AccessDeniedException: s3a://{bucket}/in: getFileStatus: S3Exception: Forbidden (Service: S3, Status Code: 403)"
        );
        let mut scene = scene([driver]);
        scene.bucket = "lab".to_owned();
        names(&scene.with_log("spark-jobs", "etl-driver", &log)).remove(0)
    };
    assert_eq!(refused("lab"), "Secret spark-jobs/object-store");
    assert_eq!(refused("other"), "Pod spark-jobs/etl-driver");
}

#[test]
fn what_kept_a_pod_from_starting_is_over_once_it_has_started() {
    let mut status = ended(1, "Error", "2026-11-21T08:59:30Z");
    status["containerStatuses"][0]["state"]["terminated"]["startedAt"] = "2026-11-21T08:59:20Z".into();
    let mount = warning("Pod", "shop", "web", "FailedMount", "configmap \"conf\" not found");
    let scene = scene([pod("shop", "web", status), mount]);
    assert_eq!(first(&scene, ""), ("Pod shop/web: Error, exit code 1".to_owned(), None));
    assert_eq!(all(&scene, "")[0].events, Vec::<String>::new());
}

#[test]
fn an_application_that_was_never_submitted_says_why() {
    let failed = |message: &str| {
        scene([json!({ "kind": "SparkApplication", "metadata": { "namespace": "spark-jobs", "name": "etl" },
            "status": { "applicationState": { "state": "SUBMISSION_FAILED", "errorMessage": message } } })])
    };
    assert_eq!(
        first(&failed("no main class"), "").0,
        "SparkApplication spark-jobs/etl: SUBMISSION_FAILED no main class"
    );
    let quota = failed("pods \"etl-driver\" is forbidden: exceeded quota: jobs, requested: pods=1");
    assert!(first(&quota, "").0.starts_with("ResourceQuota spark-jobs/jobs: "));
}

#[test]
fn what_waits_or_is_past_comes_last() {
    let now = pod("shop", "now", waiting("ErrImagePull", "not found"));
    let starting = pod("shop", "starting", waiting("ContainerCreating", ""));
    let past = pod("shop", "past", ended(1, "Error", "2026-11-21T07:00:00Z"));
    let scene = scene([starting, past, now]);
    assert_eq!(names(&scene), ["Pod shop/now", "Pod shop/starting", "Pod shop/past"]);
    let ranks: Vec<Rank> = all(&scene, "").iter().map(|one| one.rank).collect();
    assert_eq!(ranks, [Rank::Pod, Rank::Waiting, Rank::Past]);
    // What the error speaks of is not past.
    assert_eq!(all(&scene, "job past failed")[0].name, "past");
}

#[test]
fn somebody_elses_volume_did_not_make_a_job_fail() {
    let claim = json!({ "kind": "PersistentVolumeClaim", "metadata": { "namespace": "shop", "name": "data" },
        "spec": { "storageClassName": "fast" }, "status": { "phase": "Pending" } });
    let driver = spark("driver", "etl-driver", ended(1, "Error", "2026-11-21T08:58:00Z"));
    let scene = scene([claim, driver]);
    assert_eq!(names(&scene)[0], "PersistentVolumeClaim shop/data");
    assert_eq!(all(&scene, "job etl failed\nPod spark-jobs/etl-driver: Error")[0].name, "etl-driver");
}

#[test]
fn a_probe_that_fails_is_quoted_and_so_are_the_last_warnings() {
    let status = json!({ "phase": "Running", "conditions": [{ "type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "containers with unready status: [web]" }],
        "containerStatuses": [{ "restartCount": 0, "state": { "running": {} } }] });
    let events = (0..5).map(|number| {
        let mut event = warning("Pod", "shop", "web", "Unhealthy", &format!("Readiness probe failed: {number}"));
        event["lastTimestamp"] = format!("2026-11-21T08:5{number}:00Z").into();
        event
    });
    let scene = scene([pod("shop", "web", status)].into_iter().chain(events));
    let all = all(&scene, "");
    // What the reason says already is not said again.
    let expected = "Pod shop/web: Readiness probe failed: 4\n  event: Unhealthy: Readiness probe failed: 3\n  \
        event: Unhealthy: Readiness probe failed: 2\n  event: Unhealthy: Readiness probe failed: 1";
    assert_eq!(all[0].to_string(), expected);
    assert_eq!(all[0].known().unwrap().id, "probe-failing");
}

#[test]
fn a_pod_that_is_being_deleted_is_no_suspect() {
    let mut going = pod("shop", "web", ended(137, "Error", NOW));
    going["metadata"]["deletionTimestamp"] = NOW.into();
    assert_eq!(names(&scene([going])), Vec::<String>::new());
}

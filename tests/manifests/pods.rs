//! Pod Security: every pod that the lab makes, but those of the nodes themselves, fits *restricted*.

use std::collections::{BTreeMap, BTreeSet};

use lab::render;
use serde_json::{Value, json};

use super::restricted::violations;
use super::{name, objects};

/// Brings the provisioner of volumes, which the node image holds for kind.
const STORAGE: &str = include_str!("../../images/node/files/kind/manifests/default-storage.yaml");
/// The pods that are there for `lab verify network` alone.
const VERIFY: &str = include_str!("../../src/run/verify/network/pods.yaml");
/// The applications of the sample DAGs, a template of Jinja. Those of the sample jobs: `src/run/tests/job.rs`.
const DAGS: &str = include_str!("../../sample-dags/spark_application.yaml");

/// What is part of a node. Each stands in a namespace that enforces nothing.
const EXEMPT: [(&str, &str); 2] = [
    ("DaemonSet kube-system/kube-router", "the network plugin sets up the network of the node, and its kernel"),
    ("Pod local-path-storage/helper-pod", "makes and removes the folder of a volume on the node"),
];

/// Name → pod, or its template.
fn pods() -> BTreeMap<String, Value> {
    let values = json!({
        "canaries": "lab-system", "open": 10, "outside": "172.29.0.9", "image": "pause",
        "pods": [{ "name": "verify-node", "namespace": "lab-system", "node": "lab-worker", "labels": "{}" }],
    });
    let mut all = objects();
    all.extend(render::objects(VERIFY, &values).unwrap());
    all.extend(render::parse(STORAGE).unwrap());
    all.extend(render::parse(&without_jinja(DAGS)).unwrap());
    let helpers: Vec<Value> = all.iter().filter_map(helper).collect();
    all.extend(helpers);
    all.iter().flat_map(pods_of).collect()
}

fn pods_of(object: &Value) -> Vec<(String, Value)> {
    let pods = match object["kind"].as_str().unwrap() {
        "Pod" => vec![("", object.clone())],
        "SparkApplication" => {
            ["driver", "executor"].map(|role| (role, object["spec"][role]["template"].clone())).to_vec()
        }
        _ => object.pointer("/spec/template").map(|template| ("", template.clone())).into_iter().collect(),
    };
    pods.into_iter().map(|(role, pod)| (format!("{} {role}", name(object)).trim_end().to_owned(), pod)).collect()
}

/// The pod that the provisioner makes of its configuration.
fn helper(object: &Value) -> Option<Value> {
    let mut pod: Value = serde_saphyr::from_str(object["data"]["helperPod.yaml"].as_str()?).unwrap();
    pod["metadata"]["namespace"] = object["metadata"]["namespace"].clone();
    Some(pod)
}

/// Values are of no matter here.
fn without_jinja(template: &str) -> String {
    let mut text = template.split_once("-#}").unwrap().1.to_owned();
    while let Some(start) = text.find("{{") {
        let end = start + text[start..].find("}}").unwrap() + 2;
        text.replace_range(start..end, "1");
    }
    text
}

#[test]
fn every_pod_is_restricted_but_those_of_the_nodes() {
    let exempt: BTreeMap<&str, &str> = EXEMPT.into();
    let mut checked = BTreeSet::new();
    for (name, pod) in pods() {
        let found = violations(&pod);
        match exempt.get(name.as_str()) {
            Some(why) => assert!(!found.is_empty(), "{name} needs no exemption ({why})"),
            None => assert!(found.is_empty(), "{name}: {found:?}"),
        }
        checked.insert(name);
    }
    assert!(exempt.keys().all(|name| checked.contains(*name)), "{checked:?}");
    let expected = [
        "Deployment airflow/scheduler",
        "Deployment local-path-storage/local-path-provisioner",
        "Deployment spark-operator/webhook",
        "Pod lab-system/verify-node",
        "SparkApplication spark-jobs/1-1 executor",
        "StatefulSet object-store/minio",
    ];
    assert!(expected.iter().all(|name| checked.contains(*name)), "{checked:?}");
    assert!(checked.iter().any(|name| name.starts_with("Pod ") && name.ends_with("/task")), "{checked:?}");
}

/// Nothing of what makes a pod restricted is there twice, so that nothing can get lost unnoticed.
#[test]
fn a_pod_without_any_of_its_fields_is_found() {
    let mut dropped = 0;
    for (name, pod) in pods().into_iter().filter(|(name, _)| EXEMPT.iter().all(|(exempt, _)| exempt != name)) {
        for pointer in needed(&pod) {
            let mut mutant = pod.clone();
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            mutant.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
            assert!(!violations(&mutant).is_empty(), "{name} without {pointer}");
            dropped += 1;
        }
    }
    assert!(dropped > 60, "only {dropped} fields");
}

/// The fields that the profile asks for, where they stand in this pod.
fn needed(pod: &Value) -> Vec<String> {
    let of_pod = ["", "/runAsNonRoot", "/seccompProfile", "/seccompProfile/type"];
    let of_container = ["", "/allowPrivilegeEscalation", "/capabilities", "/capabilities/drop"];
    let mut pointers: Vec<String> = of_pod.iter().map(|field| format!("/spec/securityContext{field}")).collect();
    for key in ["initContainers", "containers"] {
        for index in 0..pod["spec"][key].as_array().map_or(0, Vec::len) {
            pointers.extend(of_container.iter().map(|field| format!("/spec/{key}/{index}/securityContext{field}")));
        }
    }
    pointers
}

fn fitting() -> Value {
    json!({ "metadata": { "annotations": {} }, "spec": {
        "securityContext": { "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } },
        "containers": [{
            "name": "main",
            "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } },
        }],
        "volumes": [{ "name": "scratch", "emptyDir": {} }],
    } })
}

/// The pod that fits, with something else at one place.
fn changed(pointer: &str, value: Value) -> Value {
    let mut pod = fitting();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    pod.pointer_mut(parent).unwrap()[key.replace("~1", "/")] = value;
    pod
}

#[test]
fn what_upstream_allows_violates_nothing() {
    let apparmor = "/metadata/annotations/container.apparmor.security.beta.kubernetes.io~1main";
    let allowed = [
        ("/spec/hostNetwork", json!(false)),
        ("/spec/volumes", json!([{ "name": "a", "image": {} }, { "name": "b", "secret": {} }])),
        ("/spec/securityContext/sysctls", json!([{ "name": "net.ipv4.tcp_rmem", "value": "1" }])),
        ("/spec/securityContext/runAsUser", json!(1)),
        ("/spec/securityContext/seccompProfile", json!({ "type": "Localhost" })),
        ("/spec/securityContext/appArmorProfile", json!({ "type": "RuntimeDefault" })),
        ("/spec/securityContext/seLinuxOptions", json!({ "type": "container_kvm_t", "user": "", "level": "s0" })),
        (apparmor, json!("localhost/profile")),
        ("/spec/containers/0/securityContext/capabilities/add", json!(["NET_BIND_SERVICE"])),
        ("/spec/containers/0/securityContext/procMount", json!("Default")),
        ("/spec/containers/0/ports", json!([{ "containerPort": 80, "hostPort": 0 }])),
        ("/spec/containers/0/livenessProbe", json!({ "httpGet": { "host": "", "port": 80 } })),
    ];
    for (pointer, value) in allowed {
        assert_eq!(violations(&changed(pointer, value)), Vec::<String>::new(), "{pointer}");
    }
    let mut pod = fitting();
    pod["spec"]["containers"][0]["securityContext"]["runAsNonRoot"] = json!(true);
    pod["spec"]["securityContext"].as_object_mut().unwrap().remove("runAsNonRoot");
    assert_eq!(violations(&pod), Vec::<String>::new(), "a container may say it for itself");
}

#[test]
fn every_planted_violation_is_found() {
    let apparmor = "/metadata/annotations/container.apparmor.security.beta.kubernetes.io~1main";
    let planted = [
        ("/spec/hostNetwork", json!(true)),
        ("/spec/hostPID", json!(true)),
        ("/spec/hostIPC", json!(true)),
        ("/spec/volumes/0/hostPath", json!({ "path": "/" })),
        ("/spec/volumes/0/nfs", json!({ "server": "x", "path": "/" })),
        ("/spec/securityContext", Value::Null),
        ("/spec/securityContext/sysctls", json!([{ "name": "net.core.somaxconn", "value": "1" }])),
        ("/spec/securityContext/runAsNonRoot", json!(false)),
        ("/spec/securityContext/runAsNonRoot", Value::Null),
        ("/spec/securityContext/runAsUser", json!(0)),
        ("/spec/securityContext/seccompProfile", json!({ "type": "Unconfined" })),
        ("/spec/securityContext/seccompProfile", Value::Null),
        ("/spec/securityContext/appArmorProfile", json!({ "type": "Unconfined" })),
        ("/spec/securityContext/windowsOptions", json!({ "hostProcess": true })),
        ("/spec/securityContext/seLinuxOptions", json!({ "type": "spc_t" })),
        ("/spec/securityContext/seLinuxOptions", json!({ "user": "system_u" })),
        ("/spec/securityContext/seLinuxOptions", json!({ "role": "system_r" })),
        (apparmor, json!("unconfined")),
        ("/spec/containers/0/securityContext", Value::Null),
        ("/spec/containers/0/securityContext/runAsNonRoot", json!(false)),
        ("/spec/containers/0/securityContext/runAsUser", json!(0)),
        ("/spec/containers/0/securityContext/seccompProfile", json!({ "type": "Unconfined" })),
        ("/spec/containers/0/securityContext/privileged", json!(true)),
        ("/spec/containers/0/securityContext/allowPrivilegeEscalation", Value::Null),
        ("/spec/containers/0/securityContext/capabilities/drop", json!(["NET_RAW"])),
        ("/spec/containers/0/securityContext/capabilities/add", json!(["SYS_ADMIN"])),
        ("/spec/containers/0/securityContext/procMount", json!("Unmasked")),
        ("/spec/containers/0/ports", json!([{ "hostPort": 80 }])),
        ("/spec/containers/0/livenessProbe", json!({ "httpGet": { "host": "10.0.0.1" } })),
        ("/spec/containers/0/readinessProbe", json!({ "tcpSocket": { "host": "10.0.0.1" } })),
        ("/spec/containers/0/startupProbe", json!({ "httpGet": { "host": "10.0.0.1" } })),
        ("/spec/containers/0/lifecycle", json!({ "preStop": { "httpGet": { "host": "10.0.0.1" } } })),
        ("/spec/containers/0/lifecycle", json!({ "postStart": { "tcpSocket": { "host": "10.0.0.1" } } })),
        ("/spec/initContainers", json!([{ "name": "first" }])),
        ("/spec/ephemeralContainers", json!([{ "name": "later" }])),
    ];
    for (pointer, value) in planted {
        let pod = changed(pointer, value.clone());
        assert!(!violations(&pod).is_empty(), "{pointer}: {value} was not found");
    }
}

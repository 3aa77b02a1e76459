//! What the API server and its webhooks let in.

use lab::components::JOBS_NAMESPACE;
use lab::ports::Kube as _;
use serde_json::{Value, json};

use super::answers::Answers;
use super::hands::Hands;
use super::objects::{NAMESPACE, object};
use super::scene::Scene;

/// A pod that is never started: no node has the name.
fn pod(namespace: &str, security: Value) -> Value {
    let own = json!({ "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } });
    let mut pod = json!({ "spec": {
        "nodeSelector": { "kubernetes.io/hostname": "nowhere" },
        "securityContext": { "runAsNonRoot": true, "runAsUser": 185, "seccompProfile": { "type": "RuntimeDefault" } },
        "containers": [{ "name": "main", "image": "docker.io/library/busybox:1.37", "securityContext": own }],
    } });
    if !security.is_null() {
        pod["spec"]["containers"][0]["securityContext"] = security;
    }
    object("v1", "Pod", namespace, "never", pod)
}

/// The smallest application that is let in; it is never submitted, since it is suspended.
fn application(name: &str) -> Value {
    object(
        "sparkoperator.k8s.io/v1beta2",
        "SparkApplication",
        JOBS_NAMESPACE,
        name,
        json!({ "spec": {
        "type": "Python", "mode": "cluster", "sparkVersion": "4.1.4", "suspend": true,
        "mainApplicationFile": "local:///opt/job/job.py", "driver": {}, "executor": {},
    } }),
    )
}

pub async fn ask<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers) {
    let kube = scene.ports.kube();
    answers.about("Pod Security");
    let privileged = json!({ "privileged": true });
    for (question, namespace, security) in [
        ("a privileged pod where jobs run", JOBS_NAMESPACE, privileged.clone()),
        ("a pod that asks for nothing, where jobs run", JOBS_NAMESPACE, json!({})),
        ("a restricted pod where jobs run", JOBS_NAMESPACE, Value::Null),
        ("a privileged pod elsewhere", NAMESPACE, privileged),
    ] {
        let pod = pod(namespace, security);
        answers.told(question, kube.apply(&pod).await.map(drop));
        answers.told("delete it", kube.delete(&pod).await);
    }

    answers.about("SparkApplication");
    answers.told("the smallest", kube.apply(&application("smallest")).await.map(drop));
    answers.told("delete it", kube.delete(&application("smallest")).await);
    let mut other = application("other");
    other["spec"]["type"] = "Cobol".into();
    answers.told("of a type that is none", kube.apply(&other).await.map(drop));
    other["spec"].as_object_mut().expect("fields").remove("type");
    answers.told("of no type", kube.apply(&other).await.map(drop));
    answers.told("delete it", kube.delete(&other).await);
    answers.told("with a name that no Service can have", kube.apply(&application("1st")).await.map(drop));
    answers.told("delete it", kube.delete(&application("1st")).await);
}

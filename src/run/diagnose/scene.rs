//! What there is, as lists of objects: everything that the search for a culprit looks at.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::Value;

use super::clock::Clock;
use super::mask::Mask;
use super::object::{self, label, list, name, namespace, number, text};
use super::pods;
use crate::ports::{Container, Kind, Kube};

/// How many pods in trouble are asked for their log, and for how many lines of it.
const LOGS: usize = 12;
const LINES: i64 = 400;

/// The kinds that are looked at.
const KINDS: [Kind; 21] = [
    Kind::NODE,
    Kind::POD,
    Kind::EVENT,
    Kind::new("", "v1", "Namespace"),
    Kind::new("", "v1", "Service"),
    Kind::new("", "v1", "ConfigMap"),
    Kind::new("", "v1", "ServiceAccount"),
    Kind::new("", "v1", "PersistentVolumeClaim"),
    Kind::new("", "v1", "PersistentVolume"),
    Kind::new("", "v1", "ResourceQuota"),
    Kind::new("", "v1", "LimitRange"),
    Kind::new("apps", "v1", "Deployment"),
    Kind::new("apps", "v1", "ReplicaSet"),
    Kind::new("apps", "v1", "StatefulSet"),
    Kind::new("apps", "v1", "DaemonSet"),
    Kind::new("batch", "v1", "Job"),
    Kind::new("storage.k8s.io", "v1", "StorageClass"),
    Kind::new("discovery.k8s.io", "v1", "EndpointSlice"),
    Kind::new("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration"),
    Kind::new("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration"),
    Kind::new("sparkoperator.k8s.io", "v1beta2", "SparkApplication"),
];
const SECRET: Kind = Kind::new("", "v1", "Secret");

#[derive(Default)]
pub struct Scene {
    /// Kind → objects.
    objects: BTreeMap<String, Vec<Value>>,
    /// Namespace and name of a pod in trouble → the end of its log.
    logs: BTreeMap<(String, String), String>,
    /// The lab's containers.
    pub containers: Vec<Container>,
    /// The lab's own bucket.
    pub bucket: String,
    /// Why the Kubernetes API did not answer.
    pub silence: Option<String>,
}

impl Scene {
    /// Asks the API. Without its Secrets nothing else is kept: what is secret would not be known.
    pub async fn look<K: Kube>(kube: &K, clock: &Clock, mask: &mut Mask) -> Self {
        let mut scene = Self::default();
        let what = "the Kubernetes API";
        let Some(mut secrets) = clock.ask(what, kube.list(&SECRET, None, "")).await else {
            scene.silence = clock.missed().pop().map(|missed| missed.trim_start_matches(what).replacen(": ", "", 1));
            return scene;
        };
        for secret in &mut secrets {
            mask.add_secret(secret, public_keys(secret));
            conceal(secret);
        }
        scene.objects.insert(SECRET.kind.to_owned(), secrets);
        let ask = async |kind: Kind| (kind, clock.ask(kind.kind, kube.list(&kind, None, "")).await);
        for (kind, objects) in join_all(KINDS.map(ask)).await {
            for mut object in objects.unwrap_or_default() {
                for variable in environment(&object) {
                    mask.add_environment([variable]);
                }
                if let Some(metadata) = object["metadata"].as_object_mut() {
                    metadata.remove("managedFields");
                }
                // Lists leave it out of their items.
                object["kind"] = kind.kind.into();
                scene.add(object);
            }
        }
        scene.read_logs(kube, clock).await;
        scene
    }

    async fn read_logs<K: Kube>(&mut self, kube: &K, clock: &Clock) {
        let troubled: Vec<(String, String)> = self
            .of("Pod")
            .iter()
            .filter(|pod| pods::reason(pod).is_some() && has_started(pod))
            .map(|pod| (namespace(pod).to_owned(), name(pod).to_owned()))
            .take(LOGS)
            .collect();
        let read = async |(namespace, name): (String, String)| {
            let what = format!("log of {namespace}/{name}");
            let log = clock.ask(&what, kube.logs(&namespace, &name, None, LINES)).await;
            ((namespace, name), log.unwrap_or_default())
        };
        self.logs = join_all(troubled.into_iter().map(read)).await.into_iter().collect();
    }

    pub fn add(&mut self, object: Value) {
        self.objects.entry(text(&object, "/kind").to_owned()).or_default().push(object);
    }

    pub fn of(&self, kind: &str) -> &[Value] {
        self.objects.get(kind).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn all(&self) -> impl Iterator<Item = (&String, &Vec<Value>)> {
        self.objects.iter()
    }

    pub fn log(&self, namespace: &str, pod: &str) -> &str {
        self.logs.get(&(namespace.to_owned(), pod.to_owned())).map(String::as_str).unwrap_or_default()
    }

    /// The scene with the end of a pod's log.
    #[must_use]
    pub fn with_log(mut self, namespace: &str, pod: &str, log: &str) -> Self {
        self.logs.insert((namespace.to_owned(), pod.to_owned()), log.to_owned());
        self
    }

    /// The warnings about an object, the newest first. What kept a pod from starting is over once it has started.
    pub fn warnings(&self, kind: &str, namespace: &str, name: &str) -> Vec<&Value> {
        let pod = |pod: &&Value| kind == "Pod" && object::name(pod) == name && object::namespace(pod) == namespace;
        let started = self.of("Pod").iter().find(pod).map(pods::started).unwrap_or_default();
        let about = |event: &&Value| {
            let of = &event["involvedObject"];
            event["type"] == "Warning"
                && of["name"] == name
                && of["kind"].as_str().is_none_or(|found| found == kind)
                && of["namespace"].as_str().is_none_or(|found| found == namespace)
                && when(event) >= started
        };
        let mut events: Vec<&Value> = self.of("Event").iter().filter(about).collect();
        events.sort_by_key(|event| std::cmp::Reverse(when(event)));
        events
    }
}

/// When an event was seen last, in a form that sorts by time.
pub fn when(event: &Value) -> &str {
    let times = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"];
    times.iter().map(|pointer| text(event, pointer)).find(|time| !time.is_empty()).unwrap_or_default()
}

fn has_started(pod: &Value) -> bool {
    let statuses = [list(pod, "/status/initContainerStatuses"), list(pod, "/status/containerStatuses")].concat();
    statuses.iter().any(|one| {
        number(one, "/restartCount") > Some(0)
            || one["state"]["running"].is_object()
            || one["state"]["terminated"].is_object()
    }) || statuses.is_empty()
}

/// Keys whose values are no secret: user names of the lab's own, and what Kubernetes keeps beside its tokens.
fn public_keys(secret: &Value) -> &'static [&'static str] {
    match text(secret, "/type") {
        "kubernetes.io/service-account-token" => &["namespace", "ca.crt"],
        "bootstrap.kubernetes.io/token" => &["auth-extra-groups", "description", "expiration"],
        _ if label(secret, "app.kubernetes.io/managed-by") == "lab" => {
            &["MINIO_ROOT_USER", "AWS_ACCESS_KEY_ID", "POSTGRES_USER", "POSTGRES_DB"]
        }
        _ => &[],
    }
}

/// Takes the values out of a Secret; the names of its keys stay.
fn conceal(secret: &mut Value) {
    for part in ["data", "stringData"] {
        for value in secret[part].as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
            *value = "***".into();
        }
    }
    if let Some(metadata) = secret["metadata"].as_object_mut() {
        metadata.remove("annotations");
        metadata.remove("managedFields");
    }
    secret["kind"] = "Secret".into();
}

/// Name and value of every environment variable in an object, however deep.
fn environment(object: &Value) -> Vec<(&str, &str)> {
    match object {
        Value::Object(fields) => {
            let own = match (fields.get("name").and_then(Value::as_str), fields.get("value").and_then(Value::as_str)) {
                (Some(name), Some(value)) => vec![(name, value)],
                _ => Vec::new(),
            };
            own.into_iter().chain(fields.values().flat_map(environment)).collect()
        }
        Value::Array(items) => items.iter().flat_map(environment).collect(),
        _ => Vec::new(),
    }
}

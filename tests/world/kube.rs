//! The Kubernetes API of the world in memory. It answers as long as a control plane runs.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use super::admission::admit;
use super::{State, World, airflow, amounts, certificates, dags, object_store, requests, spark};
use lab::components::{AIRFLOW_NAMESPACE, AIRFLOW_USERS_SECRET};
use lab::ports::{Answer, Forward, Kind, Kube, LogQuery, Output, Request};

impl Kube for World {
    async fn get(&self, object: &Value) -> Result<Option<Value>> {
        let key = key(object);
        let text = format!("get {}", key.join("/"));
        self.read(text, |state| {
            answers(state)?;
            if key[0] == "SparkApplication" {
                spark::advance(state, &key[2]);
            }
            Ok(state.objects.get(&key).cloned())
        })
        .await
    }

    async fn apply(&self, object: &Value) -> Result<Value> {
        let key = key(object);
        self.change(format!("apply {}", key.join("/")), |state| {
            answers(state)?;
            let old = state.objects.get(&key).cloned();
            admit(state, object, old.as_ref())?;
            state.numbers += 1;
            let number = state.numbers;
            let mut live = old.clone().unwrap_or_else(
                || json!({ "metadata": { "uid": format!("uid-{number}"), "creationTimestamp": "now" } }),
            );
            if let Some(before) = state.applied.insert(key.clone(), object.clone()) {
                forget(&mut live, &before, object);
            }
            merge(&mut live, object);
            amounts::settle(&mut live);
            if live["spec"].is_object() && old.as_ref().is_none_or(|old| is_changed(old, &live)) {
                live["metadata"]["generation"] = json!(live["metadata"]["generation"].as_i64().unwrap_or(0) + 1);
            }
            react(state, &mut live);
            state.objects.insert(key, live.clone());
            Ok(live)
        })
        .await
    }

    async fn delete(&self, object: &Value) -> Result<()> {
        let key = key(object);
        let remove = |state: &mut State| {
            answers(state)?;
            state.objects.remove(&key);
            state.applied.remove(&key);
            match key[0].as_str() {
                "SparkApplication" => spark::forget(state, &key[2]),
                "CustomResourceDefinition" => state.objects.retain(|object, _| !defines(&key[2], &object[0])),
                _ => {}
            }
            Ok(())
        };
        self.change(format!("delete {}", key.join("/")), remove).await
    }

    /// It is signed at once, by an authority of its own.
    async fn approve(&self, request: &str, _reason: &str) -> Result<()> {
        let sign = |state: &mut State| {
            answers(state)?;
            let key = ["CertificateSigningRequest", "", request].map(str::to_owned);
            let live = state.objects.get_mut(&key).with_context(|| format!("{request:?} not found"))?;
            live["status"] = json!({ "certificate": certificates::sign(&live["spec"])? });
            Ok(())
        };
        self.change(format!("approve {request}"), sign).await
    }

    async fn list(&self, kind: &Kind, namespace: Option<&str>, labels: &str) -> Result<Vec<Value>> {
        let text = format!("list {} {}", kind.kind, namespace.unwrap_or("-"));
        self.read(text, |state| {
            answers(state)?;
            let wanted: Vec<(&str, &str)> = labels.split(',').filter_map(|label| label.split_once('=')).collect();
            let fits = |object: &Value| wanted.iter().all(|(name, value)| object["metadata"]["labels"][name] == *value);
            let here = |key: &[String; 3]| key[0] == kind.kind && namespace.is_none_or(|namespace| key[1] == namespace);
            let found = state.objects.iter().filter(|(key, object)| here(key) && fits(object));
            Ok(found.map(|(_, object)| item(object)).collect())
        })
        .await
    }

    async fn logs(&self, namespace: &str, pod: &str, container: Option<&str>, lines: i64) -> Result<String> {
        let container = container.map(str::to_owned);
        let query = LogQuery { tail: Some(lines.try_into()?), container, ..LogQuery::default() };
        let log = |state: &mut State| Ok(pod_log(state, namespace, pod, &query)?.join("\n"));
        self.read(format!("logs {namespace}/{pod}"), log).await
    }

    async fn read_log(&self, namespace: &str, pod: &str, query: &LogQuery, line: &mut dyn FnMut(String)) -> Result<()> {
        let verb = if query.follow { "follow" } else { "read" };
        let log = |state: &mut State| pod_log(state, namespace, pod, query);
        self.read(format!("{verb} {namespace}/{pod}"), log).await?.into_iter().for_each(&mut *line);
        self.state().flood(line);
        Ok(())
    }

    /// A pod that listens says its name to everybody, and then echoes; Airflow's API server speaks HTTP.
    async fn forward(&self, namespace: &str, pod: &str, port: u16) -> Result<Forward> {
        let work = |state: &mut State| {
            existing(state, namespace, pod)?;
            if let Some(users) = state.object("Secret", AIRFLOW_NAMESPACE, AIRFLOW_USERS_SECRET) {
                airflow::know(&state.airflow, users);
            }
            if namespace == AIRFLOW_NAMESPACE {
                dags::work(state);
            }
            Ok((state.listening.contains(&(pod.to_owned(), port)), state.airflow.clone()))
        };
        let (listens, airflow) = self.read(format!("forward {namespace}/{pod}:{port}"), work).await?;
        let (near, far) = tokio::io::duplex(1024);
        if !listens {
            let refused = std::future::ready(Some("connection refused".to_owned()));
            return Ok(Forward { stream: Box::new(near), refused: Box::pin(refused) });
        }
        if namespace == AIRFLOW_NAMESPACE {
            tokio::spawn(airflow::serve(airflow, far));
            return Ok(Forward { stream: Box::new(near), refused: Box::pin(std::future::pending()) });
        }
        let hello = format!("{pod} ");
        tokio::spawn(async move {
            let (mut read, mut write) = tokio::io::split(far);
            write.write_all(hello.as_bytes()).await?;
            tokio::io::copy(&mut read, &mut write).await?;
            // The halves share one pipe, which ends only here.
            write.shutdown().await
        });
        Ok(Forward { stream: Box::new(near), refused: Box::pin(std::future::pending()) })
    }

    async fn exec(&self, namespace: &str, pod: &str, argv: &[&str], stdin: &[u8]) -> Result<Output> {
        let text = format!("exec {pod} {}", argv.join(" "));
        let work = |state: &mut State| {
            existing(state, namespace, pod)?;
            match (state.answer.take(), argv) {
                (Some(answer), _) => Ok(answer),
                (None, ["python3", "/opt/lab/check.py"]) => dags::check(stdin),
                // Every repository has every branch; one that has not is an answer of the test's own.
                (None, ["sh", "-c", _, "list", ..]) => Ok(Output::default()),
                (None, _) => object_store::mc(state, argv, stdin),
            }
        };
        if object_store::reads(argv) || ["python3", "sh"].contains(&argv[0]) {
            self.read(text, work).await
        } else {
            self.change(text, work).await
        }
    }

    async fn send(&self, kubeconfig: &str, request: &Request) -> Result<Answer> {
        let ask = |state: &mut State| {
            answers(state)?;
            requests::answer(state, kubeconfig, request)
        };
        self.read(format!("send {} {}", request.method.name(), request.path), ask).await
    }
}

fn key(object: &Value) -> [String; 3] {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let kind = text("/kind");
    // The lab names their webhook's namespace with them.
    let namespace = if kind.ends_with("WebhookConfiguration") { String::new() } else { text("/metadata/namespace") };
    [kind, namespace, text("/metadata/name")]
}

/// A pod, where the API answers.
fn existing<'a>(state: &'a State, namespace: &str, pod: &str) -> Result<&'a Value> {
    answers(state)?;
    state.object("Pod", namespace, pod).with_context(|| format!("pods {pod:?} not found"))
}

/// True where a definition is of this kind.
fn defines(definition: &str, kind: &str) -> bool {
    definition.starts_with(&format!("{}s.", kind.to_lowercase()))
}

fn pod_log(state: &State, namespace: &str, name: &str, query: &LogQuery) -> Result<Vec<String>> {
    let pod = existing(state, namespace, name)?;
    let containers = pod["spec"]["containers"].as_array();
    if let (Some(wanted), Some(all)) = (&query.container, containers)
        && !all.iter().any(|container| container["name"] == **wanted)
    {
        bail!("container {wanted} is not valid for pod {name}");
    }
    if query.previous && !state.logs.contains_key(&format!("{name} before")) {
        bail!("previous terminated container in pod {name:?} not found");
    }
    Ok(tail(state, name, query))
}

/// What a query asks for of a log.
pub fn tail(state: &State, name: &str, query: &LogQuery) -> Vec<String> {
    let name = if query.previous { format!("{name} before") } else { name.to_owned() };
    let log = state.logs.get(&name).map(String::as_str).unwrap_or_default();
    let lines: Vec<String> = log.lines().map(str::to_owned).collect();
    let skipped = query.tail.map_or(0, |tail| lines.len().saturating_sub(tail.try_into().expect("a number")));
    lines[skipped..].to_vec()
}

fn answers(state: &State) -> Result<()> {
    if state.containers.iter().any(|one| one.running && one.name.contains("-control-plane")) {
        return Ok(());
    }
    bail!("connection refused")
}

/// An object as lists have it: they say once of what kind they are.
fn item(object: &Value) -> Value {
    let mut item = object.clone();
    if let Some(fields) = item.as_object_mut() {
        fields.remove("apiVersion");
        fields.remove("kind");
    }
    item
}

/// True where another thing is wanted than before.
fn is_changed(old: &Value, new: &Value) -> bool {
    let wanted = |object: &Value| {
        let fields = object.as_object().cloned().unwrap_or_default();
        fields.into_iter().filter(|(key, _)| key != "metadata" && key != "status").collect::<Vec<_>>()
    };
    wanted(old) != wanted(new)
}

/// Takes away what was applied before and is not any more.
fn forget(live: &mut Value, before: &Value, now: &Value) {
    let (Some(live), Some(before)) = (live.as_object_mut(), before.as_object()) else { return };
    for (key, value) in before {
        match now.get(key) {
            Some(now) => live.get_mut(key).into_iter().for_each(|live| forget(live, value, now)),
            None => drop(live.remove(key)),
        }
    }
}

/// As server-side apply: what is said now wins, the rest stays.
fn merge(live: &mut Value, wanted: &Value) {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            for (key, value) in wanted {
                merge(live.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (live, wanted) => *live = wanted.clone(),
    }
}

/// What controllers make of an object.
fn react(state: &mut State, live: &mut Value) {
    let generation = live["metadata"]["generation"].clone();
    let name = live["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let ready = i64::from(!state.stuck.contains(&name));
    match live["kind"].as_str() {
        Some("CustomResourceDefinition") => {
            live["status"] = json!({ "conditions": [{ "type": "Established", "status": "True" }] });
        }
        Some("Deployment" | "StatefulSet") => {
            live["status"] = json!({
                "observedGeneration": generation, "replicas": 1, "updatedReplicas": 1, "readyReplicas": ready,
            });
            if ready == 1 {
                first_pod(state, live);
            }
        }
        Some("DaemonSet") => {
            live["status"] = json!({
                "observedGeneration": generation,
                "desiredNumberScheduled": 1, "updatedNumberScheduled": 1, "numberReady": ready,
            });
            // The network plugin makes the nodes Ready.
            for (_, node) in state.objects.iter_mut().filter(|(key, _)| key[0] == "Node") {
                node["status"]["conditions"][0]["status"] = json!("True");
            }
        }
        Some("MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration") => {
            for webhook in live["webhooks"].as_array_mut().into_iter().flatten().filter(|_| ready == 1) {
                webhook["clientConfig"]["caBundle"] = json!("Y2E=");
            }
        }
        Some("SparkApplication") => spark::submit(state, live),
        _ => {}
    }
}

/// The first pod of a workload. That of a Deployment is called the same way: nobody relies on its name.
fn first_pod(state: &mut State, set: &Value) {
    let name = format!("{}-0", set["metadata"]["name"].as_str().unwrap_or_default());
    let namespace = set["metadata"]["namespace"].as_str().unwrap_or_default();
    let template = &set["spec"]["template"];
    let pod = json!({
        "kind": "Pod", "spec": template["spec"], "status": { "phase": "Running" },
        "metadata": { "namespace": namespace, "name": name, "labels": template["metadata"]["labels"] },
    });
    let containers = template["spec"]["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ports = containers.iter().flat_map(|container| container["ports"].as_array().cloned().unwrap_or_default());
    let ports = ports.filter_map(|port| port["containerPort"].as_u64()?.try_into().ok());
    state.listening.extend(ports.map(|port| (name.clone(), port)));
    state.logs.entry(name.clone()).or_insert_with(|| "listening\n".to_owned());
    state.objects.entry(["Pod", namespace, &name].map(str::to_owned)).or_insert(pod);
}

//! Objects of the API: how they come, change and go.

use anyhow::Result;
use lab::ports::{Kind, Kube as _};
use serde_json::{Value, json};

use super::PATIENCE;
use super::answers::Answers;
use super::hands::Hands;
use super::scene::Scene;

/// The namespace of the questions.
pub const NAMESPACE: &str = "contract";

const THING: Kind = Kind::new("contract.lab", "v1", "Thing");
const CONFIG_MAP: Kind = Kind::new("", "v1", "ConfigMap");

pub fn object(version: &str, kind: &str, namespace: &str, name: &str, rest: Value) -> Value {
    let mut object = rest;
    object["apiVersion"] = version.into();
    object["kind"] = kind.into();
    object["metadata"]["name"] = name.into();
    if !namespace.is_empty() {
        object["metadata"]["namespace"] = namespace.into();
    }
    object
}

fn config_map(namespace: &str, name: &str, data: &Value) -> Value {
    object("v1", "ConfigMap", namespace, name, json!({ "data": data }))
}

/// A Deployment without pods.
fn deployment(app: &str, paused: bool, label: &str) -> Value {
    let pod = json!({ "containers": [{ "name": "main", "image": "docker.io/library/busybox:1.37" }] });
    let labels = json!({ "app": app });
    let spec = json!({
        "replicas": 0, "paused": paused, "selector": { "matchLabels": labels },
        "template": { "metadata": { "labels": labels }, "spec": pod },
    });
    let metadata = json!({ "labels": { "is": label } });
    object("apps/v1", "Deployment", NAMESPACE, "web", json!({ "metadata": metadata, "spec": spec }))
}

pub async fn ask<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers) {
    let kube = scene.ports.kube();
    answers.about("object");
    answers.told("in a namespace that is not there", kube.apply(&config_map("nowhere", "one", &json!({}))).await);
    let namespace = object("v1", "Namespace", "", NAMESPACE, json!({}));
    answers.told("make a namespace", kube.apply(&namespace).await.map(drop));
    changes(scene, answers).await;
    generations(scene, answers).await;
    lists(scene, answers).await;
    kinds(scene, answers).await;
}

/// What an apply changes.
async fn changes<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers) {
    let kube = scene.ports.kube();
    let one = |data: Value| config_map(NAMESPACE, "one", &data);
    let data = |live: Value| json!({ "data": live["data"], "generation": live["metadata"]["generation"] });
    let id = one(json!({}));
    answers.told("get what is not there", kube.get(&id).await);
    answers.told("delete what is not there", kube.delete(&id).await);
    answers.value("make it", kube.apply(&one(json!({ "a": "1", "b": "1" }))).await.map(data));
    let uid = uid(scene, &id).await;
    answers.add("has it a uid", uid.as_ref().is_ok_and(|uid| uid.len() > 3));
    answers.value("another value", kube.apply(&one(json!({ "a": "2", "b": "1" }))).await.map(data));
    answers.value("a value less", kube.apply(&one(json!({ "a": "2" }))).await.map(data));
    scene.ports.set("one", "theirs", "1");
    answers.value("somebody else's value stays", kube.apply(&one(json!({ "a": "2" }))).await.map(data));
    scene.ports.set("one", "a", "3");
    answers.value("somebody else's hand on ours does not", kube.apply(&one(json!({ "a": "2" }))).await.map(data));
    answers.value("get it", kube.get(&id).await.map(|live| data(live.unwrap_or_default())));
    answers.add("is it the same still", self::uid(scene, &id).await.ok() == uid.as_ref().ok().cloned());
    answers.told("delete it", kube.delete(&id).await);
    answers.told("get it", kube.get(&id).await.map(|live| live.is_some()));
    answers.value("make it again", kube.apply(&one(json!({ "a": "1" }))).await.map(data));
    answers.add("is it the same still", self::uid(scene, &id).await.ok() == uid.ok());
}

async fn uid<P: Hands>(scene: &Scene<'_, P>, id: &Value) -> Result<String> {
    let live = scene.ports.kube().get(id).await?.unwrap_or_default();
    Ok(live["metadata"]["uid"].as_str().unwrap_or_default().to_owned())
}

fn generation(mut live: Value) -> Value {
    live["metadata"]["generation"].take()
}

/// What counts as a change of what is wanted.
async fn generations<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers) {
    let kube = scene.ports.kube();
    answers.about("generation");
    for (question, wanted) in [
        ("make a Deployment", deployment("web", false, "a")),
        ("the same once more", deployment("web", false, "a")),
        ("another label", deployment("web", false, "b")),
        ("another field", deployment("web", true, "b")),
        ("another selector", deployment("other", true, "b")),
    ] {
        answers.value(question, kube.apply(&wanted).await.map(generation));
    }
    answers.told("delete it", kube.delete(&deployment("web", true, "b")).await);
}

async fn lists<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers) {
    let kube = scene.ports.kube();
    answers.about("list");
    for (name, labels) in [("red", json!({ "color": "red", "size": "1" })), ("blue", json!({ "color": "blue" }))] {
        let mut one = config_map(NAMESPACE, name, &json!({}));
        one["metadata"]["labels"] = labels;
        answers.told("make one", kube.apply(&one).await.map(drop));
    }
    for (question, namespace, labels) in [
        ("a label", Some(NAMESPACE), "color=red"),
        ("two labels", Some(NAMESPACE), "color=red,size=1"),
        ("a label that no object has", Some(NAMESPACE), "color=green"),
        ("everywhere", None, "color=blue"),
        ("a namespace that is not there", Some("nowhere"), ""),
    ] {
        let name = |object: &Value| object["metadata"]["name"].clone();
        let found = kube.list(&CONFIG_MAP, namespace, labels).await;
        answers.value(question, found.map(|list| list.iter().map(name).collect()));
    }
    let kind = |list: Vec<Value>| json!([list[0]["apiVersion"], list[0]["kind"]]);
    answers.value("what says an object of its kind", kube.list(&CONFIG_MAP, Some(NAMESPACE), "").await.map(kind));
}

/// A kind of object that the API does not know at first.
async fn kinds<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers) {
    let kube = scene.ports.kube();
    answers.about("kind that is not there");
    let thing = object("contract.lab/v1", "Thing", NAMESPACE, "one", json!({ "spec": { "size": 1 } }));
    answers.told("get", kube.get(&thing).await);
    answers.told("list", kube.list(&THING, Some(NAMESPACE), "").await);
    answers.told("delete", kube.delete(&thing).await);
    answers.told("apply", kube.apply(&thing).await.map(drop));
    let schema = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    let definition = object(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "",
        "things.contract.lab",
        json!({
            "spec": {
                "group": "contract.lab", "scope": "Namespaced",
                "names": { "kind": "Thing", "plural": "things" },
                "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema } }],
            },
        }),
    );
    answers.told("define it", kube.apply(&definition).await.map(drop));
    let established = until(async || {
        let live = kube.get(&definition).await.ok().flatten().unwrap_or_default();
        let conditions = live["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().any(|one| one["type"] == "Established" && one["status"] == "True")
    });
    answers.add("is it established", established.await);
    answers.about("kind that is there by now");
    let known = until(async || kube.list(&THING, None, "").await.is_ok() && kube.apply(&thing).await.is_ok());
    answers.add("apply", known.await);
    answers.value("the same once more", kube.apply(&thing).await.map(generation));
    let mut other = thing.clone();
    other["spec"]["size"] = json!(2);
    answers.value("another field", kube.apply(&other).await.map(generation));
    answers.told("list", kube.list(&THING, Some(NAMESPACE), "").await.map(|list| list.len()));
    answers.told("delete its definition", kube.delete(&definition).await);
    answers.add("is it gone", until(async || kube.get(&thing).await.is_ok_and(|live| live.is_none())).await);
}

/// True as soon as something is so, false where it does not become so.
pub async fn until(mut done: impl AsyncFnMut() -> bool) -> bool {
    let all = async {
        while !done().await {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.is_ok()
}

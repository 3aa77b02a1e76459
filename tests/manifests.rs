//! Rules that every object of every shipped lab obeys.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that does not work")]

#[path = "manifests/airflow.rs"]
mod airflow;
#[path = "manifests/pods.rs"]
mod pods;
#[path = "world/restricted.rs"]
mod restricted;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex};

use lab::components::Site;
use lab::config::{self, Overrides};
use lab::images::Catalogue;
use lab::plan;
use lab::step::{Action, Step};
use serde_json::Value;

/// Read once: its hashes take time.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::load().unwrap());

/// All objects of all three shipped configurations, and of Airflow in every form. That the templates fill in strict
/// mode is proved by the way.
fn objects() -> Vec<Value> {
    let shipped = [config::FULL, config::SMALL, config::CI].map(str::to_owned);
    let all: Vec<Value> = shipped.iter().chain(&airflow::FORMS.map(airflow::lab)).flat_map(|text| of(text)).collect();
    assert!(all.len() > 30, "only {} objects were rendered", all.len());
    all
}

/// All objects of a configuration, and the pods that its ConfigMaps hold templates of.
fn of(text: &str) -> Vec<Value> {
    static MADE: Mutex<BTreeMap<String, Vec<Value>>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap();
    made.entry(text.to_owned()).or_insert_with(|| made_of(text)).clone()
}

fn made_of(text: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for step in steps(text) {
        if let Action::Apply { objects, .. } | Action::Policies { objects } = step.action {
            let template =
                |object: &Value| Some(serde_saphyr::from_str(object["data"]["task.yaml"].as_str()?).unwrap());
            all.extend(objects.iter().filter_map(template).collect::<Vec<Value>>());
            all.extend(objects);
        }
    }
    all
}

fn steps(text: &str) -> Vec<Step> {
    let lab = config::load(text, "test", &Overrides::default()).unwrap_or_else(|problems| panic!("{problems}"));
    plan::up(&Site { lab: &lab, catalogue: &CATALOGUE }).unwrap().steps
}

/// What an object says of pods: a workload's template, or a pod itself.
fn pod(object: &Value) -> Option<&Value> {
    if object["kind"] == "Pod" { object.get("spec") } else { object.pointer("/spec/template/spec") }
}

/// Every value below an object, with the key it stands under.
fn walk<'a>(value: &'a Value, key: &'a str, visit: &mut impl FnMut(&'a str, &'a Value)) {
    visit(key, value);
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| walk(value, key, visit)),
        Value::Array(list) => list.iter().for_each(|value| walk(value, key, visit)),
        _ => {}
    }
}

fn name(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or("-");
    format!("{} {}/{}", text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
}

#[test]
fn every_object_can_be_applied() {
    for object in objects() {
        for pointer in ["/apiVersion", "/kind", "/metadata/name"] {
            assert!(object.pointer(pointer).is_some_and(Value::is_string), "{} lacks {pointer}", name(&object));
        }
    }
}

#[test]
fn every_image_is_in_the_catalogue() {
    let known: BTreeSet<&String> = CATALOGUE.all().iter().flat_map(|image| &image.references).collect();
    let mut used = 0;
    for object in objects().iter().filter(|object| object["kind"] != "CustomResourceDefinition") {
        walk(object, "", &mut |key, value| {
            if let (true, Some(image)) = (key == "image", value.as_str()) {
                assert!(known.contains(&image.to_owned()), "{}: {image} is not in images.toml", name(object));
                used += 1;
            }
        });
    }
    assert!(used >= 5, "only {used} images were found");
}

#[test]
fn nobody_is_cluster_admin() {
    let mut bindings = 0;
    for object in objects().iter().filter(|object| object["kind"].as_str().unwrap().ends_with("RoleBinding")) {
        assert_ne!(object["roleRef"]["name"], "cluster-admin", "{}", name(object));
        bindings += 1;
    }
    assert!(bindings >= 5, "only {bindings} bindings were found");
}

#[test]
fn no_role_allows_everything() {
    for object in objects().iter().filter(|object| matches!(object["kind"].as_str(), Some("Role" | "ClusterRole"))) {
        for rule in object["rules"].as_array().unwrap() {
            for key in ["verbs", "resources", "apiGroups"] {
                assert!(!rule[key].as_array().unwrap().contains(&"*".into()), "{}: {rule}", name(object));
            }
            let secrets = rule["resources"].as_array().unwrap().contains(&"secrets".into());
            let creates_only = rule["verbs"] == serde_json::json!(["create"]);
            assert!(!secrets || creates_only || rule["resourceNames"].is_array(), "{}: {rule}", name(object));
        }
    }
}

/// Kinds and namespaces of accounts with what is bound to them.
fn accounts_with_rights(objects: &[Value]) -> BTreeSet<(String, String)> {
    let bindings = objects.iter().filter(|object| object["kind"].as_str().unwrap().ends_with("RoleBinding"));
    let subjects = bindings.flat_map(|binding| binding["subjects"].as_array().unwrap());
    let accounts = subjects.filter(|subject| subject["kind"] == "ServiceAccount");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    accounts.map(|account| (text(&account["namespace"]), text(&account["name"]))).collect()
}

/// A token is mounted where its account may do something, and nowhere else.
#[test]
fn tokens_are_mounted_only_where_they_are_needed() {
    let (mut with, mut without) = (BTreeSet::new(), BTreeSet::new());
    let shipped = [config::FULL, config::SMALL, config::CI].map(str::to_owned);
    for text in shipped.iter().chain(&airflow::FORMS.map(airflow::lab)) {
        let objects = of(text);
        let rights = accounts_with_rights(&objects);
        let account = |namespace: &str, name: &str| {
            objects.iter().find(|object| {
                let metadata = &object["metadata"];
                object["kind"] == "ServiceAccount" && metadata["namespace"] == namespace && metadata["name"] == name
            })
        };
        for object in &objects {
            let Some(pod) = pod(object) else { continue };
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or("airflow");
            let own = pod["serviceAccountName"].as_str().unwrap_or("default");
            let of_account =
                account(namespace, own).and_then(|account| account["automountServiceAccountToken"].as_bool());
            let mounted = pod["automountServiceAccountToken"].as_bool().or(of_account).unwrap_or(true);
            let needed = rights.contains(&(namespace.to_owned(), own.to_owned()));
            assert!(!mounted || needed, "{}: a token of {own}, who may do nothing", name(object));
            if mounted {
                with.insert(name(object))
            } else {
                without.insert(name(object))
            };
        }
    }
    assert!(with.len() >= 3 && without.len() >= 3, "{with:?} {without:?}");
}

/// In every namespace of the lab, whoever names no account gets no token.
#[test]
fn default_accounts_mount_no_token() {
    let objects = of(config::FULL);
    let namespaces = objects.iter().filter(|object| object["kind"] == "Namespace");
    for namespace in namespaces.map(|object| object["metadata"]["name"].as_str().unwrap()) {
        let found = objects.iter().any(|object| {
            object["kind"] == "ServiceAccount"
                && object["metadata"]["namespace"] == namespace
                && object["metadata"]["name"] == "default"
                && object["automountServiceAccountToken"] == false
        });
        assert!(found, "the default account of {namespace}");
    }
}

/// Nobody lists Secrets, and what begins pods is bound in the namespace of jobs, or in that of Airflow's tasks.
#[test]
fn accounts_have_the_least_they_need() {
    let mut makers = BTreeSet::new();
    for object in objects().iter().filter(|object| matches!(object["kind"].as_str(), Some("Role" | "ClusterRole"))) {
        for rule in object["rules"].as_array().unwrap() {
            let has = |key: &str, word: &str| rule[key].as_array().is_some_and(|list| list.contains(&word.into()));
            let of_people = object["metadata"]["labels"].to_string().contains("aggregate-to-");
            assert!(!has("resources", "secrets") || !has("verbs", "list"), "{} lists Secrets", name(object));
            for verb in ["escalate", "bind", "impersonate"] {
                assert!(!has("verbs", verb), "{}: {verb}", name(object));
            }
            for resource in ["pods/exec", "pods/attach", "nodes/proxy", "serviceaccounts/token", "rolebindings"] {
                assert!(!has("resources", resource), "{}: {resource}", name(object));
            }
            if has("resources", "pods") && has("verbs", "create") && !of_people {
                makers.insert(name(object));
            }
        }
    }
    let expected =
        ["Role airflow/airflow", "Role spark-jobs/spark-driver", "Role spark-jobs/spark-operator-controller"];
    assert_eq!(makers.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn every_namespace_enforces_pod_security() {
    let mut enforcing = BTreeSet::new();
    for object in objects().iter().filter(|object| object["kind"] == "Namespace") {
        assert_eq!(
            object["metadata"]["labels"]["pod-security.kubernetes.io/enforce"],
            "restricted",
            "{}",
            name(object)
        );
        enforcing.insert(object["metadata"]["name"].as_str().unwrap().to_owned());
    }
    let expected = ["airflow", "lab-system", "object-store", "spark-jobs", "spark-operator"];
    assert_eq!(enforcing.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn no_object_holds_a_secret() {
    for object in objects().iter().filter(|object| object["kind"] != "CustomResourceDefinition") {
        assert_ne!(object["kind"], "Secret", "{}: secrets are made at random by a step of their own", name(object));
        walk(object, "", &mut |key, value| {
            if let (Some(key), Some(text)) = (value["name"].as_str(), value["value"].as_str()) {
                assert!(!is_secret(key, text), "{}: {key}={text}", name(object));
            }
            // Settings of a ConfigMap are what stands under their names.
            if let Some(text) = value.as_str() {
                let key = if object["kind"] == "ConfigMap" { key } else { "" };
                assert!(!is_secret(key, text), "{}: {key}={text}", name(object));
            }
        });
    }
}

/// True for a setting that is called like a secret, for a URL with a password in it, and for JSON with one of those.
fn is_secret(key: &str, value: &str) -> bool {
    if let Ok(Value::Object(fields)) = serde_json::from_str(value) {
        return fields.iter().any(|(key, value)| value.as_str().is_some_and(|text| is_secret(key, text)));
    }
    let key = key.to_uppercase();
    let words = ["PASSWORD", "SECRET_KEY", "ACCESS_KEY", "TOKEN", "FERNET_KEY", "JWT_SECRET"];
    let called_so = words.iter().any(|word| key.contains(word));
    let user = value.split_once("://").and_then(|(_, rest)| rest.split('/').next()?.rsplit_once('@'));
    let password = user.and_then(|(user, _)| user.split_once(':')).map_or("", |(_, password)| password);
    // `$(NAME)` takes the value from a Secret.
    let is_literal = |text: &str| !text.is_empty() && !text.starts_with("$(");
    (called_so && is_literal(value)) || is_literal(password)
}

#[test]
fn secrets_are_told_from_references() {
    assert!(is_secret("MINIO_ROOT_PASSWORD", "minioadmin"));
    assert!(is_secret("DATABASE", "postgres://airflow:airflow@postgres/airflow"));
    assert!(is_secret("AIRFLOW_CONN_AWS_DEFAULT", r#"{"login": "me", "password": "hunter2"}"#));
    assert!(is_secret("AIRFLOW__CORE__FERNET_KEY", "bWU="));
    assert!(!is_secret("AIRFLOW_CONN_AWS_DEFAULT", r#"{"login": "$(USER)", "password": "$(PASSWORD)"}"#));
    assert!(!is_secret("MC_HOST_lab", "http://$(USER):$(PASSWORD)@127.0.0.1:9000"));
    assert!(!is_secret("AWS_SECRET_ACCESS_KEY", "$(KEY)"));
    assert!(!is_secret("ENDPOINT", "http://minio.object-store.svc:9000"));
}

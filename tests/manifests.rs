//! Rules that every object of every shipped lab obeys.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that does not work")]

#[path = "manifests/restricted.rs"]
mod restricted;

use std::collections::BTreeSet;

use lab::components::Site;
use lab::config::{self, Overrides};
use lab::images::Catalogue;
use lab::plan;
use lab::step::Action;
use restricted::violations;
use serde_json::Value;

/// All objects of all three shipped configurations. That the templates fill in strict mode is proved by the way.
fn objects() -> Vec<Value> {
    let mut all = Vec::new();
    for text in [config::FULL, config::SMALL, config::CI] {
        let lab = config::load(text, "built in", &Overrides::default()).unwrap();
        let plan = plan::up(&Site { lab: &lab, catalogue: &Catalogue::load().unwrap() }).unwrap();
        for step in plan.steps {
            if let Action::Apply { objects, .. } = step.action {
                all.extend(objects);
            }
        }
    }
    assert!(all.len() > 30, "only {} objects were rendered", all.len());
    all
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
    let catalogue = Catalogue::load().unwrap();
    let known: BTreeSet<&String> = catalogue.all().iter().flat_map(|image| &image.references).collect();
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

#[test]
fn pods_are_restricted_where_the_namespace_says_so() {
    let objects = objects();
    let label = "/metadata/labels/pod-security.kubernetes.io~1enforce";
    let namespaces = objects.iter().filter(|object| object["kind"] == "Namespace");
    let enforcing: BTreeSet<&str> = namespaces
        .filter(|object| object.pointer(label).is_some_and(|level| level == "restricted"))
        .filter_map(|object| object["metadata"]["name"].as_str())
        .collect();
    assert_eq!(
        enforcing.into_iter().collect::<Vec<_>>(),
        ["lab-system", "object-store", "spark-jobs", "spark-operator"]
    );

    let mut checked = 0;
    for object in &objects {
        let Some(pod) = object.pointer("/spec/template/spec") else { continue };
        // The network plugin is part of the node, as kind's own is.
        if object["metadata"]["namespace"] == "kube-system" {
            continue;
        }
        assert_eq!(violations(pod), Vec::<String>::new(), "{}", name(object));
        checked += 1;
    }
    assert!(checked >= 3, "only {checked} workloads were found");
}

#[test]
fn no_object_holds_a_secret() {
    for object in objects().iter().filter(|object| object["kind"] != "CustomResourceDefinition") {
        assert_ne!(object["kind"], "Secret", "{}: secrets are made at random by a step of their own", name(object));
        walk(object, "", &mut |_, value| {
            if let (Some(key), Some(text)) = (value["name"].as_str(), value["value"].as_str()) {
                assert!(!is_secret(key, text), "{}: {key}={text}", name(object));
            }
            if let Some(text) = value.as_str() {
                assert!(!is_secret("", text), "{}: {text}", name(object));
            }
        });
    }
}

/// True for a setting that is called like a secret, and for a URL with a password in it.
fn is_secret(key: &str, value: &str) -> bool {
    let key = key.to_uppercase();
    let called_so = ["PASSWORD", "SECRET_KEY", "ACCESS_KEY", "TOKEN"].iter().any(|word| key.contains(word));
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
    assert!(!is_secret("MC_HOST_lab", "http://$(USER):$(PASSWORD)@127.0.0.1:9000"));
    assert!(!is_secret("AWS_SECRET_ACCESS_KEY", "$(KEY)"));
    assert!(!is_secret("ENDPOINT", "http://minio.object-store.svc:9000"));
}

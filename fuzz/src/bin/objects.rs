//! Objects of the Kubernetes API, in which every field may be missing or of another type: who is to blame?

#![no_main]

use lab::run::Record;
use lab::run::diagnose::{Mask, Scene, reason, suspects};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    if let Ok(record) = serde_json::from_str::<Record>(text) {
        let written = serde_json::to_string(&record).expect("a record is JSON");
        assert_eq!(serde_json::from_str::<Record>(&written).expect("it is read as it is written"), record);
    }
    // One object a line, as `kubectl get -o json` would give them, but without the list around.
    let objects: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let (mut scene, mut mask) = (Scene::default(), Mask::default());
    for object in &objects {
        reason(object);
        mask.add_secret(object, &[]);
        scene.add(object.clone());
        // Whatever is said is in a log as well.
        let name = |key: &str| object["metadata"][key].as_str().unwrap_or_default();
        scene = scene.with_log(name("namespace"), name("name"), text);
    }
    let found = suspects(&scene, text, "2026-11-21T09:00:00Z".parse().expect("a time"));
    for suspect in &found {
        suspect.known();
        mask.text(&suspect.to_string());
    }
    let mut names: Vec<_> = found.iter().map(|one| (&one.kind, &one.namespace, &one.name)).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), found.len(), "nobody is named twice");
});

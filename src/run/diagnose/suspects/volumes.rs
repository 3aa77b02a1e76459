//! Volume claims that cannot be bound.

use serde_json::Value;

use super::{Rank, Suspect};
use crate::run::diagnose::object::{name, namespace, text};
use crate::run::diagnose::scene::Scene;

/// The annotation of the class that claims without one get.
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

pub fn suspects(scene: &Scene) -> Vec<Suspect> {
    let trouble = |claim| Some(Suspect::new(scene, Rank::Volume, claim, trouble(scene, claim)?));
    scene.of("PersistentVolumeClaim").iter().filter_map(trouble).collect()
}

/// A claim that only waits for its pod is in no trouble.
fn trouble(scene: &Scene, claim: &Value) -> Option<String> {
    match text(claim, "/status/phase") {
        "Bound" | "" => return None,
        "Lost" => return Some("its volume is gone".to_owned()),
        _ => {}
    }
    let classes = scene.of("StorageClass");
    match claim.pointer("/spec/storageClassName").and_then(Value::as_str) {
        Some("") => {}
        Some(class) if !classes.iter().any(|one| name(one) == class) => {
            return Some(format!("Pending: there is no StorageClass {class}"));
        }
        None if !classes.iter().any(|one| one["metadata"]["annotations"][DEFAULT_CLASS] == "true") => {
            return Some("Pending: it names no StorageClass, and none is the default".to_owned());
        }
        _ => {}
    }
    let warnings = scene.warnings("PersistentVolumeClaim", namespace(claim), name(claim));
    warnings.first().map(|event| format!("Pending: {} {}", text(event, "/reason"), text(event, "/message")))
}

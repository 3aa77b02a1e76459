//! What people and controllers do to a lab beside its own doors.

use lab::exec;
use lab::ports::Ports;

use super::{NAME, objects};
use crate::lab::docker;
use crate::world::{JobEnd, World};

pub trait Hands: Ports {
    fn stop(&self, container: &str);
    /// Somebody else than the lab sets an entry of a ConfigMap.
    fn set(&self, config_map: &str, key: &str, value: &str);
    /// Jobs fail from now on, where that is not their own doing.
    fn let_jobs_fail(&self) {}
}

impl Hands for World {
    fn stop(&self, container: &str) {
        self.state().container(container).running = false;
    }

    fn set(&self, config_map: &str, key: &str, value: &str) {
        let id = ["ConfigMap", objects::NAMESPACE, config_map].map(str::to_owned);
        self.state().objects.get_mut(&id).expect("a ConfigMap")["data"][key] = value.into();
    }

    fn let_jobs_fail(&self) {
        self.state().jobs.end = JobEnd::Crash;
    }
}

impl Hands for exec::World {
    fn stop(&self, container: &str) {
        assert_eq!(docker(&["stop", "-t", "1", container]).trim(), container);
    }

    fn set(&self, config_map: &str, key: &str, value: &str) {
        let patch = serde_json::json!({ "data": { key: value } }).to_string();
        let node = format!("{NAME}-control-plane");
        let kubectl = ["exec", &node, "kubectl", "patch", "configmap", config_map, "-n", objects::NAMESPACE];
        let answer = docker(&[kubectl.as_slice(), &["-p", &patch]].concat());
        assert!(answer.contains("patched"), "{answer}");
    }
}

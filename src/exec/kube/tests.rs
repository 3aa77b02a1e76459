use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use serde_json::{Value, json};

use super::{CLUSTER_SCOPED, describe, exit_code};
use crate::components::Site;
use crate::config::{self, Overrides};
use crate::images::Catalogue;
use crate::plan;
use crate::step::Action;

fn code(status: Value) -> i64 {
    exit_code(Some(&serde_json::from_value::<Status>(status).unwrap()))
}

#[test]
fn the_exit_code_of_an_exec_stands_in_its_status() {
    assert_eq!(code(json!({ "status": "Success" })), 0);
    let causes = json!([{ "reason": "ExitCode", "message": "3" }]);
    assert_eq!(code(json!({ "status": "Failure", "reason": "NonZeroExitCode", "details": { "causes": causes } })), 3);
}

#[test]
fn an_exec_without_a_status_is_no_success() {
    assert_eq!(exit_code(None), -1);
    assert_eq!(code(json!({ "status": "Failure", "message": "container not found" })), -1);
}

#[test]
fn objects_are_described_as_people_write_them() {
    let object = json!({ "kind": "Deployment", "metadata": { "namespace": "spark-operator", "name": "controller" } });
    assert_eq!(describe(&object), "Deployment spark-operator/controller");
    assert_eq!(describe(&json!({ "kind": "Node", "metadata": { "name": "lab-worker" } })), "Node lab-worker");
}

#[test]
fn every_object_has_a_namespace_or_is_known_to_need_none() {
    let lab = config::load(config::FULL, "full", &Overrides::default()).unwrap();
    let plan = plan::up(&Site { lab: &lab, catalogue: &Catalogue::load().unwrap() }).unwrap();
    for step in plan.steps {
        let Action::Apply { objects, .. } = step.action else { continue };
        for object in objects {
            let needs_none = CLUSTER_SCOPED.contains(&object["kind"].as_str().unwrap());
            assert_eq!(object["metadata"]["namespace"].is_string(), !needs_none, "{}", describe(&object));
        }
    }
}

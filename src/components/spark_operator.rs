//! Spark Operator: CRDs, controller and webhook.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::{DRIVER_ACCOUNT, JOBS_NAMESPACE, OPERATOR_NAMESPACE, Site};
use crate::render;
use crate::step::{Action, ObjectName, Step, Workload};

pub fn steps(site: &Site<'_>) -> Result<Vec<Step>> {
    if !site.lab.spark_operator.enabled {
        return Ok(Vec::new());
    }
    let mut definitions = Vec::new();
    for text in render::SPARK_OPERATOR_CRDS {
        definitions.extend(render::parse(text)?);
    }
    let values = json!({
        "namespace": OPERATOR_NAMESPACE,
        "jobs": JOBS_NAMESPACE,
        "driver_account": DRIVER_ACCOUNT,
        "image": site.catalogue.reference("spark-operator")?,
    });
    let ready =
        |kind: &str, name| Workload { kind: kind.to_owned(), object: ObjectName::new(OPERATOR_NAMESPACE, name) };
    Ok(vec![
        Step {
            id: "definitions",
            title: "SparkApplication and its sisters known to the API".to_owned(),
            needs: vec!["addresses"],
            deadline: Duration::from_mins(2),
            action: Action::Apply { objects: definitions, ready: vec![] },
        },
        Step {
            id: "spark-operator",
            title: "Spark Operator, controller and webhook".to_owned(),
            needs: vec!["definitions", "policies", "nodes"],
            deadline: Duration::from_mins(5),
            action: Action::Apply {
                objects: render::objects(render::SPARK_OPERATOR, &values)?,
                ready: vec![
                    ready("Deployment", "controller"),
                    ready("Deployment", "webhook"),
                    ready("MutatingWebhookConfiguration", "spark-operator"),
                    ready("ValidatingWebhookConfiguration", "spark-operator"),
                ],
            },
        },
    ])
}

//! PostgreSQL, which only Airflow uses.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::{AIRFLOW_NAMESPACE, Site};
use crate::render;
use crate::step::{Action, ObjectName, Random, SecretSpec, Step, Workload};

/// Secret with its user, database and password.
pub const SECRET: &str = "postgres";

pub fn secrets(site: &Site<'_>) -> Vec<SecretSpec> {
    if !site.lab.airflow.enabled {
        return Vec::new();
    }
    let name = |key: &str| (key.to_owned(), "airflow".to_owned());
    vec![SecretSpec {
        object: ObjectName::new(AIRFLOW_NAMESPACE, SECRET),
        fixed: vec![name("POSTGRES_USER"), name("POSTGRES_DB")],
        random: vec![("POSTGRES_PASSWORD".to_owned(), Random::Password)],
    }]
}

pub fn steps(site: &Site<'_>) -> Result<Vec<Step>> {
    let airflow = &site.lab.airflow;
    if !airflow.enabled {
        return Ok(Vec::new());
    }
    let values = json!({
        "namespace": AIRFLOW_NAMESPACE,
        "image": site.catalogue.reference("postgres")?,
        "secret": SECRET,
        "storage": airflow.storage,
    });
    let object = ObjectName::new(AIRFLOW_NAMESPACE, "postgres");
    Ok(vec![Step {
        id: "database",
        title: "PostgreSQL".to_owned(),
        needs: vec!["credentials", "policies", "nodes"],
        deadline: Duration::from_mins(5),
        action: Action::Apply {
            objects: render::objects(render::POSTGRES, &values)?,
            ready: vec![Workload { kind: "StatefulSet".to_owned(), object }],
        },
    }])
}

//! `MinIO`, with a bucket and a user of its own for Spark jobs.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::{JOBS_NAMESPACE, JOBS_SECRET, ROOT_SECRET, STORE_NAMESPACE, Site};
use crate::render;
use crate::step::{Access, Action, Grant, ObjectName, Random, SecretSpec, Step, Workload};

pub fn steps(site: &Site<'_>) -> Result<Vec<Step>> {
    let store = &site.lab.object_store;
    if !store.enabled {
        return Ok(Vec::new());
    }
    let values = json!({
        "namespace": STORE_NAMESPACE,
        "image": site.catalogue.reference("minio")?,
        "root_secret": ROOT_SECRET,
        "storage": store.storage,
    });
    let object = ObjectName::new(STORE_NAMESPACE, "minio");
    Ok(vec![
        Step {
            id: "object-store",
            title: "MinIO".to_owned(),
            needs: vec!["credentials", "policies", "nodes"],
            deadline: Duration::from_mins(5),
            action: Action::Apply {
                objects: render::objects(render::OBJECT_STORE, &values)?,
                ready: vec![Workload { kind: "StatefulSet".to_owned(), object }],
            },
        },
        Step {
            id: "bucket",
            title: format!("bucket {} and its user", store.bucket),
            needs: vec!["object-store"],
            deadline: Duration::from_mins(2),
            action: Action::Buckets {
                grants: vec![Grant { bucket: store.bucket.clone(), access: Access::ReadWrite }],
                secret: ObjectName::new(JOBS_NAMESPACE, JOBS_SECRET),
            },
        },
    ])
}

/// Credentials of its administrator and of Spark jobs.
pub fn secrets(site: &Site<'_>) -> Vec<SecretSpec> {
    if !site.lab.object_store.enabled {
        return Vec::new();
    }
    vec![
        SecretSpec {
            object: ObjectName::new(STORE_NAMESPACE, ROOT_SECRET),
            fixed: vec![("MINIO_ROOT_USER".to_owned(), "lab-root".to_owned())],
            random: vec![("MINIO_ROOT_PASSWORD".to_owned(), Random::Password)],
        },
        user(JOBS_NAMESPACE, JOBS_SECRET, "spark-jobs"),
    ]
}

/// S3 keys of a user, under the names that programs look for.
pub fn user(namespace: &str, secret: &str, name: &str) -> SecretSpec {
    SecretSpec {
        object: ObjectName::new(namespace, secret),
        fixed: vec![("AWS_ACCESS_KEY_ID".to_owned(), name.to_owned())],
        random: vec![("AWS_SECRET_ACCESS_KEY".to_owned(), Random::Password)],
    }
}

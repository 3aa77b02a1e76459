//! `MinIO`, with a bucket and a user of its own for Spark jobs.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::{JOBS_NAMESPACE, JOBS_SECRET, ROOT_SECRET, STORE_NAMESPACE, Site};
use crate::render;
use crate::step::{Action, ObjectName, SecretSpec, Step, Workload};

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
    let text = str::to_owned;
    let root = SecretSpec {
        object: ObjectName::new(STORE_NAMESPACE, ROOT_SECRET),
        fixed: vec![(text("MINIO_ROOT_USER"), text("lab-root"))],
        random: vec![text("MINIO_ROOT_PASSWORD")],
    };
    let jobs = SecretSpec {
        object: ObjectName::new(JOBS_NAMESPACE, JOBS_SECRET),
        fixed: vec![(text("AWS_ACCESS_KEY_ID"), text("spark-jobs"))],
        random: vec![text("AWS_SECRET_ACCESS_KEY")],
    };
    let object = ObjectName::new(STORE_NAMESPACE, "minio");
    Ok(vec![
        Step {
            id: "credentials",
            title: "credentials of the object store".to_owned(),
            needs: vec!["namespaces"],
            deadline: Duration::from_mins(1),
            action: Action::Credentials { secrets: vec![root, jobs.clone()] },
        },
        Step {
            id: "object-store",
            title: "MinIO".to_owned(),
            needs: vec!["credentials", "nodes"],
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
            action: Action::Bucket { bucket: store.bucket.clone(), secret: jobs.object },
        },
    ])
}

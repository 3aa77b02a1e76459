//! Users and passwords of the lab's services, read from their Secrets to be shown.

use anyhow::{Context as _, Result};
use k8s_openapi::ByteString;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::Run;
use crate::components::{JOBS_NAMESPACE, JOBS_SECRET, ROOT_SECRET, STORE_ENDPOINT, STORE_NAMESPACE};
use crate::fault::{Fault, Kind};
use crate::ports::{Kube, Ports};
use crate::step::ObjectName;

/// What `lab credentials` prints.
#[derive(Serialize, JsonSchema)]
pub struct Credentials {
    pub lab: String,
    pub credentials: Vec<Login>,
}

/// One user of one service.
#[derive(Serialize, JsonSchema)]
pub struct Login {
    pub service: String,
    pub user: String,
    pub password: String,
    /// What this user may do.
    pub purpose: String,
    /// The service as pods reach it.
    pub endpoint: String,
    pub secret: Secret,
}

/// Where a password is kept.
#[derive(Serialize, JsonSchema)]
pub struct Secret {
    pub namespace: String,
    pub name: String,
}

/// Every user of `MinIO`, the only service with passwords.
///
/// # Errors
/// [`Kind::Config`] where this lab has no object store, [`Kind::Step`] where a Secret is not there.
pub async fn minio<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Login>> {
    let store = &run.lab.object_store;
    if !store.enabled {
        let what = format!("lab {} has no MinIO: spec.objectStore.enabled is false", run.lab.name);
        return Err(Fault::new(Kind::Config, what).next("enabled: true in the configuration, then lab up").error());
    }
    let root = ObjectName::new(STORE_NAMESPACE, ROOT_SECRET);
    let jobs = ObjectName::new(JOBS_NAMESPACE, JOBS_SECRET);
    let bucket = format!("Spark jobs: bucket {} and nothing else", store.bucket);
    Ok(vec![
        login(run, root, ["MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"], "administrator: everything".to_owned()).await?,
        login(run, jobs, ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], bucket).await?,
    ])
}

async fn login<P: Ports>(run: &Run<'_, P>, secret: ObjectName, keys: [&str; 2], purpose: String) -> Result<Login> {
    let (namespace, name) = (secret.namespace, secret.name);
    let id = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "namespace": &namespace, "name": &name } });
    let missing = |what: String| {
        let next = format!("lab up{}   (makes it again)", run.flags);
        Fault::new(Kind::Step, format!("{what} is not there")).next(next)
    };
    let live = run.ports.kube().get(&id).await?;
    let live = live.with_context(|| missing(format!("Secret {namespace}/{name}")))?;
    let value = |key: &str| -> Result<String> {
        let data = live["data"].get(key).cloned();
        let data = data.with_context(|| missing(format!("key {key} of Secret {namespace}/{name}")))?;
        Ok(String::from_utf8(serde_json::from_value::<ByteString>(data)?.0)?)
    };
    let [user, password] = [value(keys[0])?, value(keys[1])?];
    let (service, endpoint) = ("minio".to_owned(), STORE_ENDPOINT.to_owned());
    Ok(Login { service, user, password, purpose, endpoint, secret: Secret { namespace, name } })
}

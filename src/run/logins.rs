//! Users and passwords of the lab's services, read from their Secrets to be shown.

use anyhow::{Context as _, Result};
use k8s_openapi::ByteString;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::Run;
use crate::components::{
    AIRFLOW_ENDPOINT, AIRFLOW_NAMESPACE, AIRFLOW_STORE_SECRET, AIRFLOW_USERS_SECRET, JOBS_NAMESPACE, JOBS_SECRET,
    ROOT_SECRET, STORE_ENDPOINT, STORE_NAMESPACE,
};
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

/// Every user of every service that this lab has.
///
/// # Errors
/// [`Kind::Config`] where it has none, [`Kind::Step`] where a Secret is not there.
pub async fn all<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Login>> {
    let mut logins = minio(run).await?;
    if run.lab.airflow.enabled {
        logins.extend(airflow(run).await?);
    }
    Ok(logins)
}

/// Every user of `MinIO`.
///
/// # Errors
/// [`Kind::Config`] where this lab has no object store, [`Kind::Step`] where a Secret is not there.
pub async fn minio<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Login>> {
    let store = &run.lab.object_store;
    if !store.enabled {
        let what = format!("lab {} has no MinIO: spec.objectStore.enabled is false", run.lab.name);
        return Err(Fault::new(Kind::Config, what).next("enabled: true in the configuration, then lab up").error());
    }
    let login = async |namespace, secret, keys: [&str; 2], purpose: &str| {
        let secret = Live::read(run, ObjectName::new(namespace, secret)).await?;
        let user = secret.value(keys[0])?;
        secret.login("minio", STORE_ENDPOINT, user, keys[1], purpose)
    };
    let root = ["MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"];
    let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    let bucket = format!("Spark jobs: bucket {} and nothing else", store.bucket);
    let mut logins = vec![
        login(STORE_NAMESPACE, ROOT_SECRET, root, "administrator: everything").await?,
        login(JOBS_NAMESPACE, JOBS_SECRET, keys, &bucket).await?,
    ];
    if run.lab.airflow.enabled {
        let purpose = "Airflow: writes its logs, reads DAGs and data of jobs";
        logins.push(login(AIRFLOW_NAMESPACE, AIRFLOW_STORE_SECRET, keys, purpose).await?);
    }
    Ok(logins)
}

/// Every user of Airflow that the lab made.
///
/// # Errors
/// [`Kind::Config`] where this lab has no Airflow, [`Kind::Step`] where its Secret is not there.
pub async fn airflow<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Login>> {
    if !run.lab.airflow.enabled {
        let what = format!("lab {} has no Airflow: spec.airflow.enabled is false", run.lab.name);
        return Err(Fault::new(Kind::Config, what).next("enabled: true in the configuration, then lab up").error());
    }
    let secret = Live::read(run, ObjectName::new(AIRFLOW_NAMESPACE, AIRFLOW_USERS_SECRET)).await?;
    let login = |user: &str, key, purpose| secret.login("airflow", AIRFLOW_ENDPOINT, user.to_owned(), key, purpose);
    Ok(vec![
        login("admin", "ADMIN_PASSWORD", "Admin: everything")?,
        login("edit", "EDIT_PASSWORD", "Edit: runs DAGs; no connections, no configuration")?,
        login("view", "VIEW_PASSWORD", "Viewer: looks")?,
    ])
}

/// A Secret as it is now.
struct Live {
    name: ObjectName,
    data: Value,
    /// What makes it again.
    next: String,
}

impl Live {
    async fn read<P: Ports>(run: &Run<'_, P>, name: ObjectName) -> Result<Self> {
        let metadata = json!({ "namespace": name.namespace, "name": name.name });
        let id = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata });
        let next = format!("lab up{}   (makes it again)", run.flags);
        let what = format!("Secret {}/{} is not there", name.namespace, name.name);
        let mut live = run.ports.kube().get(&id).await?.with_context(|| Fault::new(Kind::Step, what).next(&next))?;
        Ok(Self { name, data: live["data"].take(), next })
    }

    fn value(&self, key: &str) -> Result<String> {
        let data = self.data.get(key).cloned();
        let what = || format!("key {key} of Secret {}/{} is not there", self.name.namespace, self.name.name);
        let data = data.with_context(|| Fault::new(Kind::Step, what()).next(&self.next))?;
        Ok(String::from_utf8(serde_json::from_value::<ByteString>(data)?.0)?)
    }

    fn login(&self, service: &str, endpoint: &str, user: String, key: &str, purpose: &str) -> Result<Login> {
        let ObjectName { namespace, name } = self.name.clone();
        Ok(Login {
            service: service.to_owned(),
            user,
            password: self.value(key)?,
            purpose: purpose.to_owned(),
            endpoint: endpoint.to_owned(),
            secret: Secret { namespace, name },
        })
    }
}

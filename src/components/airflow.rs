//! Airflow: its processes, its users, and the sample DAGs.

mod git;
mod processes;
mod settings;

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

pub use self::git::LOGIN as GIT_LOGIN;
pub use self::processes::names as processes;
use super::{
    AIRFLOW_NAMESPACE, AIRFLOW_STORE_SECRET, AIRFLOW_USERS_SECRET, DAGS_BUCKET, JOBS_NAMESPACE, LOGS_BUCKET,
    SAMPLE_DAGS_BUCKET, Site, object_store,
};
use crate::config::Executor;
use crate::fingerprint::Fingerprint;
use crate::jobs::Job;
use crate::render;
use crate::step::{Access, Action, Grant, ObjectName, Random, SecretSpec, Step, Workload};

/// Secret with the keys that all processes share.
const KEYS_SECRET: &str = "keys";
/// The jobs that sample DAGs run.
const SAMPLE_JOBS: [&str; 3] = ["pi", "pagerank", "top"];
/// The name of its user in the object store.
const STORE_USER: &str = "airflow";

pub fn secrets(site: &Site<'_>) -> Vec<SecretSpec> {
    if !site.lab.airflow.enabled {
        return Vec::new();
    }
    let random = |key: &str, form| (key.to_owned(), form);
    vec![
        SecretSpec {
            object: ObjectName::new(AIRFLOW_NAMESPACE, KEYS_SECRET),
            fixed: vec![],
            random: vec![
                random("AIRFLOW__CORE__FERNET_KEY", Random::FernetKey),
                random("AIRFLOW__API__SECRET_KEY", Random::SigningKey),
                random("AIRFLOW__API_AUTH__JWT_SECRET", Random::SigningKey),
            ],
        },
        SecretSpec {
            object: ObjectName::new(AIRFLOW_NAMESPACE, AIRFLOW_USERS_SECRET),
            fixed: vec![],
            random: ["ADMIN_PASSWORD", "EDIT_PASSWORD", "VIEW_PASSWORD"]
                .map(|key| random(key, Random::Password))
                .to_vec(),
        },
        object_store::user(AIRFLOW_NAMESPACE, AIRFLOW_STORE_SECRET, STORE_USER),
    ]
}

pub fn steps(site: &Site<'_>) -> Result<Vec<Step>> {
    let lab = site.lab;
    if !lab.airflow.enabled {
        return Ok(Vec::new());
    }
    let grant = |bucket: &str, access| Grant { bucket: bucket.to_owned(), access };
    let grants = vec![
        grant(DAGS_BUCKET, Access::Read),
        grant(SAMPLE_DAGS_BUCKET, Access::Read),
        grant(LOGS_BUCKET, Access::ReadWrite),
        grant(&lab.object_store.bucket, Access::Read),
    ];
    let git = &lab.airflow.dags.git;
    let mut needs = vec!["database", "airflow-buckets"];
    // Pods that lack it do not start.
    needs.extend((!git.secret.is_empty()).then_some(git::LOGIN_STEP));
    let ready = processes(&lab.airflow).into_iter().map(|name| {
        let object = ObjectName::new(AIRFLOW_NAMESPACE, name);
        Workload { kind: "Deployment".to_owned(), object }
    });
    let mut steps = vec![
        Step {
            id: "airflow-buckets",
            title: "buckets of DAGs and logs, and Airflow's user".to_owned(),
            needs: vec!["object-store"],
            deadline: Duration::from_mins(2),
            action: Action::Buckets { grants, secret: ObjectName::new(AIRFLOW_NAMESPACE, AIRFLOW_STORE_SECRET) },
        },
        Step {
            id: "airflow",
            title: "Airflow".to_owned(),
            needs,
            deadline: Duration::from_mins(8),
            action: Action::Apply { ready: ready.collect(), objects: objects(site)? },
        },
    ];
    steps.extend(git::steps(git));
    if lab.airflow.dags.samples {
        steps.push(Step {
            id: "sample-dags",
            title: "sample DAGs".to_owned(),
            needs: vec!["airflow-buckets"],
            deadline: Duration::from_mins(2),
            action: Action::SampleDags,
        });
    }
    Ok(steps)
}

fn objects(site: &Site<'_>) -> Result<Vec<Value>> {
    let lab = site.lab;
    let task_pods = lab.airflow.executor == Executor::Kubernetes;
    let mut values = json!({
        "namespace": AIRFLOW_NAMESPACE,
        "jobs": JOBS_NAMESPACE,
        "image": site.catalogue.reference("airflow")?,
        "keys_secret": KEYS_SECRET,
        "users_secret": AIRFLOW_USERS_SECRET,
        "environment": serde_json::to_string(&settings::from_secrets())?,
        "git_secret": lab.airflow.dags.git.secret,
        "task_pods": task_pods,
        "processes": processes::forms(&lab.airflow),
    });
    let mut programs = json!({
        "check.py": include_str!("../render/airflow/check.py"),
        "prepare.py": include_str!("../render/airflow/prepare.py"),
        "database.py": include_str!("../render/airflow/database.py"),
    });
    if task_pods {
        programs["task.yaml"] = json!(render::text(render::AIRFLOW_TASK, &values)?);
    }
    let (settings, programs) = (serde_json::to_string(&settings::settings(site)?)?, serde_json::to_string(&programs)?);
    let mut fingerprint = Fingerprint::default();
    fingerprint.add(&settings);
    fingerprint.add(&programs);
    values["fingerprint"] = json!(&fingerprint.hex()[..12]);
    values["settings"] = json!(settings);
    values["programs"] = json!(programs);
    let mut objects = render::objects(render::AIRFLOW, &values)?;
    if lab.airflow.dags.samples && lab.spark_operator.enabled {
        for name in SAMPLE_JOBS {
            objects.push(sample_job(name)?);
        }
    }
    Ok(objects)
}

/// The files of a sample job, which the sample DAGs have mounted.
fn sample_job(name: &str) -> Result<Value> {
    let job = Job::sample(name).with_context(|| format!("there is no sample job {name}"))??;
    Ok(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": job.files,
        "metadata": {
            "namespace": JOBS_NAMESPACE, "name": format!("sample-{name}"),
            "labels": { "app.kubernetes.io/managed-by": "lab" },
        },
    }))
}

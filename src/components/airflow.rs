//! Airflow: its processes, its users, and the sample DAGs.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::{
    AIRFLOW_ENDPOINT, AIRFLOW_NAMESPACE, AIRFLOW_STORE_SECRET, AIRFLOW_USERS_SECRET, DAGS_BUCKET, JOBS_NAMESPACE,
    LOGS_BUCKET, SAMPLE_DAGS_BUCKET, STORE_ENDPOINT, Site, object_store, postgres,
};
use crate::config::{Airflow, Executor};
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
            needs: vec!["database", "airflow-buckets"],
            deadline: Duration::from_mins(8),
            action: Action::Apply { ready: ready.collect(), objects: objects(site)? },
        },
    ];
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
        "environment": serde_json::to_string(&environment(site))?,
        "task_pods": task_pods,
        "processes": forms(&lab.airflow),
    });
    let mut programs = json!({
        "users.py": include_str!("../render/airflow/users.py"),
        "database.py": include_str!("../render/airflow/database.py"),
    });
    if task_pods {
        programs["task.yaml"] = json!(render::text(render::AIRFLOW_TASK, &values)?);
    }
    let (settings, programs) = (serde_json::to_string(&settings(site)?)?, serde_json::to_string(&programs)?);
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

/// Names of the processes that there are; each is a Deployment.
pub fn processes(airflow: &Airflow) -> Vec<&'static str> {
    let mut names = vec!["api-server", "scheduler", "dag-processor"];
    names.extend((airflow.replicas.triggerer > 0).then_some("triggerer"));
    names
}

/// What differs between the processes; memory as measured, with room.
fn forms(airflow: &Airflow) -> Vec<Value> {
    let replicas = &airflow.replicas;
    let tasks = if airflow.executor == Executor::Local { u32::from(airflow.parallelism) } else { 0 };
    // Each task loads Airflow's libraries once more.
    let scheduler_limit = format!("{}Mi", 768 + 256 * tasks);
    let mut forms = vec![
        json!({
            "name": "api-server", "replicas": replicas.api_server, "token": false, "first": true,
            "port": 8080, "path": "/api/v2/monitor/health", "job": null, "memory": "384Mi", "limit": "1Gi",
        }),
        json!({
            "name": "scheduler", "replicas": replicas.scheduler, "token": true, "first": false,
            "port": null, "path": null, "job": "SchedulerJob", "memory": "320Mi", "limit": scheduler_limit,
        }),
        json!({
            "name": "dag-processor", "replicas": replicas.dag_processor, "token": false, "first": false,
            "port": null, "path": null, "job": "DagProcessorJob", "memory": "256Mi", "limit": "1Gi",
        }),
    ];
    if replicas.triggerer > 0 {
        forms.push(json!({
            "name": "triggerer", "replicas": replicas.triggerer, "token": true, "first": false,
            "port": null, "path": null, "job": "TriggererJob", "memory": "256Mi", "limit": "1Gi",
        }));
    }
    forms
}

/// Airflow's configuration, as the variables that it reads.
fn settings(site: &Site<'_>) -> Result<Map<String, Value>> {
    let (lab, airflow) = (site.lab, &site.lab.airflow);
    let bundles = serde_json::to_string(&bundles(site))?;
    let executor = match airflow.executor {
        Executor::Local => "LocalExecutor",
        Executor::Kubernetes => "KubernetesExecutor",
    };
    let parallelism = airflow.parallelism.to_string();
    let api = format!("{AIRFLOW_ENDPOINT}/execution/");
    let logs = format!("s3://{LOGS_BUCKET}");
    let auth_manager = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager";
    let keep_finished = lab.spark_operator.keep_finished_seconds.to_string();
    let spark_image = site.catalogue.reference("spark")?;
    let settings = [
        ("AIRFLOW__CORE__AUTH_MANAGER", auth_manager),
        ("AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION", "False"),
        ("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", &api),
        ("AIRFLOW__CORE__EXECUTOR", executor),
        // Names of pods are no names that others can look up.
        ("AIRFLOW__CORE__HOSTNAME_CALLABLE", "airflow.utils.net.get_host_ip_address"),
        ("AIRFLOW__CORE__LOAD_EXAMPLES", "False"),
        ("AIRFLOW__CORE__PARALLELISM", &parallelism),
        ("AIRFLOW__API__WORKERS", "1"),
        ("AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL", "5"),
        ("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", &bundles),
        ("AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES", "1"),
        ("AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL", "5"),
        ("AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER", &logs),
        ("AIRFLOW__LOGGING__REMOTE_LOGGING", "True"),
        ("AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID", "aws_default"),
        // A task whose scheduler was killed is tried again after this, not after five minutes.
        ("AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT", "60"),
        ("AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC", "5"),
        // Nothing of a lab calls home.
        ("AIRFLOW__USAGE_DATA_COLLECTION__ENABLED", "False"),
        ("AIRFLOW_CONN_KUBERNETES_DEFAULT", r#"{"conn_type": "kubernetes", "extra": {"in_cluster": true}}"#),
        ("AIRFLOW_VAR_BUCKET", &lab.object_store.bucket),
        ("AIRFLOW_VAR_KEEP_FINISHED_SECONDS", &keep_finished),
        ("AIRFLOW_VAR_SPARK_IMAGE", spark_image),
        ("AIRFLOW_VAR_STORE_ENDPOINT", STORE_ENDPOINT),
    ];
    let mut settings: Map<String, Value> =
        settings.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    if airflow.executor == Executor::Kubernetes {
        settings.insert("AIRFLOW__KUBERNETES_EXECUTOR__NAMESPACE".to_owned(), json!(AIRFLOW_NAMESPACE));
        settings.insert("AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE".to_owned(), json!("/opt/lab/task.yaml"));
    }
    Ok(settings)
}

/// Where DAGs come from.
fn bundles(site: &Site<'_>) -> Vec<Value> {
    let dags = &site.lab.airflow.dags;
    let bucket = |bucket: &str| {
        json!({
            "name": bucket,
            "classpath": "airflow.providers.amazon.aws.bundles.s3.S3DagBundle",
            "kwargs": { "aws_conn_id": "aws_default", "bucket_name": bucket },
        })
    };
    let mut bundles = vec![bucket(DAGS_BUCKET)];
    bundles.extend(dags.samples.then(|| bucket(SAMPLE_DAGS_BUCKET)));
    bundles.extend((!dags.git.url.is_empty()).then(|| {
        json!({
            "name": "git",
            "classpath": "airflow.providers.git.bundles.git.GitDagBundle",
            "kwargs": {
                "git_conn_id": "git_default", "repo_url": dags.git.url, "tracking_ref": dags.git.reference,
                "subdir": Some(&dags.git.folder).filter(|folder| !folder.is_empty()),
            },
        })
    }));
    bundles
}

/// Variables that are made of Secrets, which Kubernetes puts in as the pod starts.
fn environment(site: &Site<'_>) -> Vec<Value> {
    let from = |name: &str, secret: &str, key: &str| json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": secret, "key": key } } });
    let store = json!({
        "conn_type": "aws", "login": "$(STORE_USER)", "password": "$(STORE_PASSWORD)",
        "extra": { "endpoint_url": STORE_ENDPOINT, "region_name": "us-east-1" },
    });
    let database = "postgresql+psycopg2://$(DATABASE_USER):$(DATABASE_PASSWORD)@postgres:5432/airflow";
    let mut variables = vec![
        from("DATABASE_USER", postgres::SECRET, "POSTGRES_USER"),
        from("DATABASE_PASSWORD", postgres::SECRET, "POSTGRES_PASSWORD"),
        json!({ "name": "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "value": database }),
        from("STORE_USER", AIRFLOW_STORE_SECRET, "AWS_ACCESS_KEY_ID"),
        from("STORE_PASSWORD", AIRFLOW_STORE_SECRET, "AWS_SECRET_ACCESS_KEY"),
        json!({ "name": "AIRFLOW_CONN_AWS_DEFAULT", "value": store.to_string() }),
    ];
    let git = &site.lab.airflow.dags.git;
    if !git.url.is_empty() {
        let mut connection = json!({ "conn_type": "git", "host": git.url });
        if !git.secret.is_empty() {
            variables.push(from("GIT_USER", &git.secret, "username"));
            variables.push(from("GIT_PASSWORD", &git.secret, "password"));
            connection["login"] = json!("$(GIT_USER)");
            connection["password"] = json!("$(GIT_PASSWORD)");
        }
        variables.push(json!({ "name": "AIRFLOW_CONN_GIT_DEFAULT", "value": connection.to_string() }));
    }
    variables
}

//! Airflow's settings and connections.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::git;
use crate::components::{
    AIRFLOW_ENDPOINT, AIRFLOW_NAMESPACE, AIRFLOW_STORE_SECRET, DAGS_BUCKET, LOGS_BUCKET, SAMPLE_DAGS_BUCKET,
    STORE_ENDPOINT, Site, postgres,
};
use crate::config::Executor;

/// Airflow's configuration, as the variables that it reads.
pub fn settings(site: &Site<'_>) -> Result<Map<String, Value>> {
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
        ("AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL", "30"),
        ("AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT", "60"),
        ("AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC", "5"),
        // Nothing of a lab calls home.
        ("AIRFLOW__USAGE_DATA_COLLECTION__ENABLED", "False"),
        ("AIRFLOW_CONN_KUBERNETES_DEFAULT", r#"{"conn_type": "kubernetes", "extra": {"in_cluster": true}}"#),
        ("AIRFLOW_VAR_BUCKET", &lab.object_store.bucket),
        ("AIRFLOW_VAR_KEEP_FINISHED_SECONDS", &keep_finished),
        ("AIRFLOW_VAR_SPARK_IMAGE", spark_image),
        ("AIRFLOW_VAR_STORE_ENDPOINT", STORE_ENDPOINT),
        // One heap for all threads, and what is free goes back to the system.
        ("MALLOC_ARENA_MAX", "1"),
        ("MALLOC_TRIM_THRESHOLD_", "131072"),
    ];
    let mut settings: Map<String, Value> =
        settings.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    settings.extend(git::settings(&airflow.dags.git).into_iter().map(|(name, value)| (name.to_owned(), json!(value))));
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
    bundles.extend(git::bundle(&dags.git));
    bundles
}

/// Variables that are made of Secrets, which Kubernetes puts in as the pod starts.
pub fn from_secrets() -> Vec<Value> {
    let from = |name: &str, secret: &str, key: &str| json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": secret, "key": key } } });
    let store = json!({
        "conn_type": "aws", "login": "$(STORE_USER)", "password": "$(STORE_PASSWORD)",
        "extra": { "endpoint_url": STORE_ENDPOINT, "region_name": "us-east-1" },
    });
    let database = "postgresql+psycopg2://$(DATABASE_USER):$(DATABASE_PASSWORD)@postgres:5432/airflow";
    vec![
        from("DATABASE_USER", postgres::SECRET, "POSTGRES_USER"),
        from("DATABASE_PASSWORD", postgres::SECRET, "POSTGRES_PASSWORD"),
        json!({ "name": "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "value": database }),
        from("STORE_USER", AIRFLOW_STORE_SECRET, "AWS_ACCESS_KEY_ID"),
        from("STORE_PASSWORD", AIRFLOW_STORE_SECRET, "AWS_SECRET_ACCESS_KEY"),
        json!({ "name": "AIRFLOW_CONN_AWS_DEFAULT", "value": store.to_string() }),
    ]
}

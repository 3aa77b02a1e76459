//! Airflow's processes: each is a Deployment of its own.

use serde_json::{Value, json};

use crate::config::{Airflow, Executor};

/// Names of the processes that there are; each is a Deployment.
pub fn names(airflow: &Airflow) -> Vec<&'static str> {
    let mut names = vec!["api-server", "scheduler", "dag-processor"];
    names.extend((airflow.replicas.triggerer > 0).then_some("triggerer"));
    names
}

/// What differs between the processes; memory as measured, with room. All wait for the API server: where processors are
/// scarce, it goes first.
pub fn forms(airflow: &Airflow) -> Vec<Value> {
    let replicas = &airflow.replicas;
    let tasks = if airflow.executor == Executor::Local { u32::from(airflow.parallelism) } else { 0 };
    // Each task loads Airflow's libraries once more.
    let scheduler_limit = format!("{}Mi", 768 + 256 * tasks);
    let mut forms = vec![
        json!({
            "name": "api-server", "args": ["api-server"], "replicas": replicas.api_server,
            "token": false, "first": true,
            "port": 8080, "path": "/api/v2/monitor/health", "job": null, "cpu": "200m", "memory": "384Mi", "limit": "1Gi",
        }),
        json!({
            "name": "scheduler", "args": ["scheduler"], "replicas": replicas.scheduler,
            "token": true, "first": false,
            "port": null, "path": null, "job": "SchedulerJob", "cpu": "50m", "memory": "320Mi", "limit": scheduler_limit,
        }),
        json!({
            "name": "dag-processor", "args": ["dag-processor"], "replicas": replicas.dag_processor,
            "token": false, "first": false,
            "port": null, "path": null, "job": "DagProcessorJob", "cpu": "50m", "memory": "256Mi", "limit": "1Gi",
        }),
    ];
    if replicas.triggerer > 0 {
        forms.push(json!({
            // A server of logs would take 80 MB, for tasks that wait: what they write is in the bucket once they go on.
            "name": "triggerer", "args": ["triggerer", "--skip-serve-logs"], "replicas": replicas.triggerer,
            "token": true, "first": false,
            "port": null, "path": null, "job": "TriggererJob", "cpu": "50m", "memory": "256Mi", "limit": "1Gi",
        }));
    }
    forms
}

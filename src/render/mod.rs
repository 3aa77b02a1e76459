//! From a resolved lab to text and objects. Pure.

use anyhow::{Context as _, Result};
use handlebars::Handlebars;
use serde::Serialize;
use serde_json::Value;

use crate::config::Lab;

pub const KIND: &str = include_str!("templates/kind.yaml");
pub const KUBE_ROUTER: &str = include_str!("templates/kube_router.yaml");
pub const NAMESPACES: &str = include_str!("templates/namespaces.yaml");
pub const SPARK_OPERATOR: &str = include_str!("templates/spark_operator.yaml");
pub const POLICIES: &str = include_str!("templates/policies.yaml");
pub const POSTGRES: &str = include_str!("templates/postgres.yaml");
pub const AIRFLOW: &str = include_str!("templates/airflow.yaml");
pub const AIRFLOW_TASK: &str = include_str!("templates/airflow_task.yaml");
pub const AUDIT: &str = include_str!("templates/audit.yaml");
pub const ACCESS: &str = include_str!("templates/access.yaml");
pub const FIREWALL: &str = include_str!("templates/firewall.rules");
pub const FIREWALL_UNIT: &str = include_str!("templates/firewall.service");
pub const PERSON: &str = include_str!("templates/person.yaml");
pub const OBJECT_STORE: &str = include_str!("templates/object_store.yaml");

/// The policy of the audit log, on every control plane.
pub const AUDIT_POLICY: &str = "/kind/lab-audit-policy.yaml";
/// The folder of the audit log there.
const AUDIT_FOLDER: &str = "/var/log/kubernetes/audit";

/// The audit log, on every control plane.
pub fn audit_log() -> String {
    format!("{AUDIT_FOLDER}/audit.log")
}

/// The CRDs of Spark Operator, exact copies of the pinned release.
pub const SPARK_OPERATOR_CRDS: [&str; 3] = [
    include_str!("vendor/spark-operator/sparkoperator.k8s.io_sparkapplications.yaml"),
    include_str!("vendor/spark-operator/sparkoperator.k8s.io_scheduledsparkapplications.yaml"),
    include_str!("vendor/spark-operator/sparkoperator.k8s.io_sparkconnects.yaml"),
];

/// Fills a template; a variable without value is an error.
///
/// # Errors
/// When the template is malformed or names a variable that `values` lacks.
pub fn text(template: &str, values: &impl Serialize) -> Result<String> {
    let mut handlebars = Handlebars::new();
    handlebars.set_strict_mode(true);
    handlebars.register_escape_fn(handlebars::no_escape);
    handlebars.render_template(template, values).context("filling a template")
}

/// Fills a template and reads it as a stream of Kubernetes objects.
///
/// # Errors
/// As [`text`], or when the outcome is no YAML.
pub fn objects(template: &str, values: &impl Serialize) -> Result<Vec<Value>> {
    parse(&text(template, values)?)
}

/// Reads a YAML stream of Kubernetes objects.
///
/// # Errors
/// When it is no YAML.
pub fn parse(yaml: &str) -> Result<Vec<Value>> {
    let options = serde_saphyr::options! { strict_booleans: true };
    let documents: Vec<Value> =
        serde_saphyr::from_multiple_with_options(yaml, options).context("reading rendered YAML")?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// Configuration for `kind create cluster`.
///
/// # Errors
/// As [`text`].
pub fn kind_config(lab: &Lab) -> Result<String> {
    #[derive(Serialize)]
    struct Values {
        pod_subnet: String,
        service_subnet: String,
        api_port: u16,
        own_network_plugin: bool,
        audit_policy: &'static str,
        audit_folder: &'static str,
        audit_log: String,
        roles: Vec<&'static str>,
    }
    let cluster = &lab.cluster;
    let control_planes = (0..cluster.control_planes).map(|_| "control-plane");
    let values = Values {
        pod_subnet: cluster.pod_subnet.to_string(),
        service_subnet: cluster.service_subnet.to_string(),
        api_port: cluster.api_port,
        own_network_plugin: cluster.cni == crate::config::Cni::KubeRouter,
        audit_policy: AUDIT_POLICY,
        audit_folder: AUDIT_FOLDER,
        audit_log: audit_log(),
        roles: control_planes.chain((0..cluster.workers).map(|_| "worker")).collect(),
    };
    text(KIND, &values)
}

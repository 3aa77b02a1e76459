//! The Spark applications that the cluster knows: jobs that run, and finished ones as long as they are kept.

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::components::JOBS_NAMESPACE;
use crate::ports::{Kind, Kube};
use crate::run::job::STATES;

const APPLICATION: Kind = Kind::new("sparkoperator.k8s.io", "v1beta2", "SparkApplication");

/// One run of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Application {
    pub name: String,
    /// The job's name: the application's without the digits of this run.
    pub job: String,
    /// In the operator's words, empty before it has seen it.
    pub state: String,
    /// When it was made, in UTC.
    pub since: String,
    /// False where its page is switched off.
    #[serde(skip)]
    pub page: bool,
}

impl Application {
    /// True where its driver has not run yet.
    pub fn begins(&self) -> bool {
        matches!(self.state.as_str(), "" | "SUBMITTED" | "PENDING_SUBMISSION")
    }

    /// True where it stays as it is.
    pub fn ended(&self) -> bool {
        STATES.contains(&self.state.as_str())
    }
}

/// All applications, the newest first.
pub async fn all<K: Kube>(kube: &K) -> Result<Vec<Application>> {
    let mut found: Vec<Application> =
        kube.list(&APPLICATION, Some(JOBS_NAMESPACE), "").await?.iter().map(application).collect();
    found.sort_by(|one, other| (&other.since, &other.name).cmp(&(&one.since, &one.name)));
    Ok(found)
}

/// The application of this name, or the newest run of the job of this name.
pub fn find<'a>(applications: &'a [Application], name: &str) -> Option<&'a Application> {
    let exact = applications.iter().find(|application| application.name == name);
    exact.or_else(|| applications.iter().find(|application| application.job == name))
}

fn application(object: &Value) -> Application {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = text("/metadata/name");
    Application {
        job: job_of(&name).to_owned(),
        name,
        state: text("/status/applicationState/state"),
        since: text("/metadata/creationTimestamp"),
        page: object["spec"]["sparkConf"]["spark.ui.enabled"] != "false",
    }
}

/// The job that an application's name was made from; applications of other makers are their own job.
pub fn job_of(application: &str) -> &str {
    match application.rsplit_once('-') {
        Some((job, run)) if run.len() == 6 && run.bytes().all(|byte| byte.is_ascii_hexdigit()) => job,
        _ => application,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::job::unique_name;

    #[test]
    fn the_job_is_found_in_the_name_of_its_run() {
        assert_eq!(job_of(&unique_name("my-job")), "my-job");
        for other in ["spark-pi", "pi", "pi-abcdefg", "pi-xyz123"] {
            assert_eq!(job_of(other), other);
        }
    }

    #[test]
    fn a_name_means_the_application_itself_or_its_newest_run() {
        let applications = ["pi-bbbbbb", "pi-aaaaaa", "smoke-cccccc"].map(|name| Application {
            name: name.to_owned(),
            job: job_of(name).to_owned(),
            state: String::new(),
            since: String::new(),
            page: true,
        });
        let found = |name: &str| find(&applications, name).map(|application| application.name.as_str());
        assert_eq!(found("pi"), Some("pi-bbbbbb"));
        assert_eq!(found("pi-aaaaaa"), Some("pi-aaaaaa"));
        assert_eq!(found("p"), None);
    }
}

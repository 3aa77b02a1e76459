//! A Git repository of DAGs.

use std::time::Duration;

use serde_json::{Value, json};

use crate::components::AIRFLOW_NAMESPACE;
use crate::config::Git;
use crate::step::{Action, ObjectName, Step};

/// The step that asks for the login, before pods ask for it.
pub const LOGIN_STEP: &str = "git-login";
/// What the Secret of a private repository has.
pub const LOGIN: [&str; 2] = ["username", "password"];
/// Says what the mounted Secret has at that moment. In Airflow's connection a password would have to be JSON, which
/// not every one is, and a new one would want a new pod.
const HELPER: &str =
    r#"!f() { printf 'username=%s\npassword=%s\n' "$(cat /opt/git/username)" "$(cat /opt/git/password)"; }; f"#;

pub fn steps(git: &Git) -> Vec<Step> {
    let mut steps = Vec::new();
    if !git.secret.is_empty() {
        let secret = ObjectName::new(AIRFLOW_NAMESPACE, &git.secret);
        steps.push(Step {
            id: LOGIN_STEP,
            title: "login for the Git repository of DAGs".to_owned(),
            needs: vec!["namespaces"],
            deadline: Duration::from_mins(1),
            action: Action::Secret { secret, keys: LOGIN.map(str::to_owned).to_vec() },
        });
    }
    if !git.url.is_empty() {
        steps.push(Step {
            id: "git-dags",
            title: "Git repository of DAGs".to_owned(),
            needs: vec!["airflow"],
            deadline: Duration::from_mins(1),
            action: Action::GitRepository { repository: git.clone() },
        });
    }
    steps
}

/// Airflow's connection to the repository, and how Git logs in.
pub fn settings(git: &Git) -> Vec<(&'static str, String)> {
    if git.url.is_empty() {
        return Vec::new();
    }
    let connection = json!({ "conn_type": "git", "host": git.url });
    // Nobody is there to be asked.
    let mut settings =
        vec![("AIRFLOW_CONN_GIT_DEFAULT", connection.to_string()), ("GIT_TERMINAL_PROMPT", "0".to_owned())];
    if !git.secret.is_empty() {
        settings.push(("GIT_CONFIG_COUNT", "1".to_owned()));
        // For this repository's host alone, wherever it sends Git.
        settings.push(("GIT_CONFIG_KEY_0", format!("credential.{}.helper", origin(&git.url))));
        settings.push(("GIT_CONFIG_VALUE_0", HELPER.to_owned()));
    }
    settings
}

/// The repository as a source of DAGs.
pub fn bundle(git: &Git) -> Option<Value> {
    let folder = Some(&git.folder).filter(|folder| !folder.is_empty());
    (!git.url.is_empty()).then(|| {
        json!({
            "name": "git",
            "classpath": "airflow.providers.git.bundles.git.GitDagBundle",
            "kwargs": {
                "git_conn_id": "git_default", "repo_url": git.url, "tracking_ref": git.reference, "subdir": folder,
            },
        })
    })
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |scheme| scheme + 3);
    url[host..].find('/').map_or(url, |path| &url[..host + path])
}

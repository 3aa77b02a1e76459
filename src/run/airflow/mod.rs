//! Airflow's REST API, asked as its user `admin` through the Kubernetes API: no port of this machine is used.

pub mod dags;
mod http;
mod refusal;
pub mod runs;
pub mod task_log;

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::timeout;

use self::http::Question;
pub use self::refusal::Refusal;
use super::wait::Look;
use super::{Run, diagnose, secret};
use crate::components::{AIRFLOW_NAMESPACE, AIRFLOW_USERS_SECRET};
use crate::fault::{Fault, Kind};
use crate::ports::{self, Kube, Ports};
use crate::step::ObjectName;

/// The user as whom lab asks.
const USER: &str = "admin";
/// The key of this user's password.
const PASSWORD: &str = "ADMIN_PASSWORD";
/// The process that answers.
const API_SERVER: &str = "api-server";
/// The process that loads DAG files.
pub const DAG_PROCESSOR: &str = "dag-processor";
const PORT: u16 = 8080;
/// How much of a list Airflow gives at a time, at most.
const PAGE: usize = 100;
/// How long an answer may take until it is whole, logs apart.
const DEADLINE: Duration = Duration::from_secs(30);
/// The largest answer that is taken, logs apart.
const LARGEST: usize = 16 << 20;
/// The longest line of a log that is taken.
const LONGEST_LINE: usize = 4 << 20;
const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";

/// Airflow's REST API, with a login. Each question looks for a pod that answers, so that one that was restarted
/// is found again.
pub struct Airflow<'a, P: Ports> {
    run: &'a Run<'a, P>,
    token: String,
}

impl<'a, P: Ports> Airflow<'a, P> {
    /// Logs in.
    ///
    /// # Errors
    /// [`Kind::Config`] where this lab has no Airflow, [`Kind::Step`] where it does not let lab in.
    pub async fn login(run: &'a Run<'a, P>) -> Result<Self> {
        #[derive(Deserialize)]
        struct Answer {
            access_token: String,
        }
        if !run.lab.airflow.enabled {
            let what = format!("lab {} has no Airflow: spec.airflow.enabled is false", run.lab.name);
            return Err(Fault::new(Kind::Config, what).next("enabled: true in the configuration, then lab up").error());
        }
        let users = ObjectName::new(AIRFLOW_NAMESPACE, AIRFLOW_USERS_SECRET);
        let again = |what: String| Fault::new(Kind::Step, what).next(format!("lab up{}   (sets it again)", run.flags));
        let password = secret::value(run.ports.kube(), &users, PASSWORD).await;
        let password = password.with_context(|| again(format!("there is no password of Airflow's user {USER}")))?;
        let body = json!({ "username": USER, "password": password });
        let login = Airflow { run, token: String::new() };
        let answer: Result<Answer> = login.json(Method::POST, "/auth/token", Some(&body)).await;
        let answer = answer.map_err(|error| match Refusal::of(&error) {
            Some(refusal) if refusal.status == StatusCode::UNAUTHORIZED => {
                let secret = format!("Secret {}/{}", users.namespace, users.name);
                again(format!("Airflow does not take the password of user {USER} that {secret} has")).error()
            }
            _ => error,
        })?;
        Ok(Self { run, token: answer.access_token })
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.json(Method::GET, path, None).await
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T> {
        self.json(Method::POST, path, Some(body)).await
    }

    pub async fn put<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.json(Method::PUT, path, None).await
    }

    pub async fn patch<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T> {
        self.json(Method::PATCH, path, Some(body)).await
    }

    async fn json<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<&Value>) -> Result<T> {
        let mut content = Vec::new();
        let mut take = |_, part: &[u8]| {
            ensure!(content.len() + part.len() <= LARGEST, "the answer is larger than {} MiB", LARGEST >> 20);
            content.extend_from_slice(part);
            Ok(())
        };
        let question = Question { method, path, accept: JSON, token: self.token(), body };
        let status = timeout(DEADLINE, self.ask(&question, &mut take)).await;
        let status = status.unwrap_or_else(|_| Err(anyhow!("no whole answer within {} s", DEADLINE.as_secs())));
        let status = status.map_err(|error| self.unanswered(&question, error))?;
        if !status.is_success() {
            return Err(self.refused(&question, status, &content));
        }
        // An answer without content is one as well.
        let content = if content.is_empty() { b"null" } else { content.as_slice() };
        let answer = serde_json::from_slice(content);
        answer
            .map_err(|error| self.unanswered(&question, anyhow!(error).context("the answer is not what was asked for")))
    }

    /// Hands over each line of an answer that may be long and has one JSON object a line.
    ///
    /// # Errors
    /// As of every other question, and those of `line`.
    pub async fn lines(&self, path: &str, line: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut rest = Vec::new();
        let mut take = |status: StatusCode, part: &[u8]| {
            rest.extend_from_slice(part);
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n').filter(|_| status.is_success()) {
                line(&rest[..end])?;
                rest.drain(..=end);
            }
            ensure!(rest.len() <= LONGEST_LINE, "a line is longer than {} MiB", LONGEST_LINE >> 20);
            Ok(())
        };
        let question = Question { method: Method::GET, path, accept: LINES, token: self.token(), body: None };
        let status = self.ask(&question, &mut take).await.map_err(|error| self.unanswered(&question, error))?;
        if !status.is_success() {
            return Err(self.refused(&question, status, &rest));
        }
        if rest.is_empty() { Ok(()) } else { line(&rest) }
    }

    fn token(&self) -> Option<&str> {
        Some(self.token.as_str()).filter(|token| !token.is_empty())
    }

    async fn ask(
        &self,
        question: &Question<'_>,
        take: &mut dyn FnMut(StatusCode, &[u8]) -> Result<()>,
    ) -> Result<StatusCode> {
        let kube = self.run.ports.kube();
        let pod = ready_pod(kube, API_SERVER).await?;
        http::ask(kube.forward(AIRFLOW_NAMESPACE, &pod, PORT).await?, question, take).await
    }

    /// No answer, or none that can be read: trouble on the way, or in Airflow.
    fn unanswered(&self, question: &Question<'_>, error: anyhow::Error) -> anyhow::Error {
        let what = format!("Airflow's API gives no answer to {} {}", question.method, question.path);
        let next = format!("lab status{}; then the same command again", self.run.flags);
        error.context(Fault::new(Kind::Step, what).next(next))
    }

    fn refused(&self, question: &Question<'_>, status: StatusCode, content: &[u8]) -> anyhow::Error {
        let flags = &self.run.flags;
        let what = format!("Airflow refuses {} {}", question.method, question.path);
        let next = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                format!("lab up{flags}   (gives user {USER} its rights again)")
            }
            _ if status.is_server_error() => format!("lab status{flags}; then the same command again"),
            _ => format!("lab dags list{flags}   (what there is)"),
        };
        anyhow!(Refusal::new(status, content)).context(Fault::new(Kind::Step, what).next(next))
    }
}

/// What may pass is waited for.
pub fn pending<T>(error: anyhow::Error) -> Result<Look<T>> {
    if Refusal::may_pass(&error) { Ok(Look::Pending(format!("{error:#}"))) } else { Err(error) }
}

/// A pod of a process that is ready.
///
/// # Errors
/// Where there is none, with the reason.
pub async fn ready_pod<K: Kube>(kube: &K, process: &str) -> Result<String> {
    let selector = format!("app.kubernetes.io/name=airflow,app.kubernetes.io/component={process}");
    let pods = kube.list(&ports::Kind::POD, Some(AIRFLOW_NAMESPACE), &selector).await?;
    let name = |pod: &Value| pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let serves = |pod: &&Value| {
        let ends = pod["metadata"]["deletionTimestamp"].is_string();
        pod["status"]["phase"] == "Running" && !ends && diagnose::reason(pod).is_none()
    };
    if let Some(pod) = pods.iter().find(serves) {
        return Ok(name(pod));
    }
    let Some(pod) = pods.first() else { bail!("namespace {AIRFLOW_NAMESPACE} has no pod of Airflow's {process}") };
    let why = diagnose::reason(pod).unwrap_or_else(|| "it ends".to_owned());
    bail!("pod {AIRFLOW_NAMESPACE}/{} is not ready: {why}", name(pod))
}

/// A name as a part of a path.
pub fn segment(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

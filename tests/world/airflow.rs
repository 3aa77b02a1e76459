//! Airflow of the world in memory: its REST API over HTTP. A run moves on each time somebody looks at it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use k8s_openapi::ByteString;
use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt as _, DuplexStream};

/// What the administrator's password is in tests that make no Secrets of their own.
pub const PASSWORD: &str = "correct horse";
const TOKEN: &str = "header.claims.signature";

/// What a scripted question gets instead of its answer.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16, Value),
    /// A text with status 200.
    Text(&'static str),
    /// The answer, which is lost on its way back.
    Lost,
    /// Head and first half of the answer, and then nothing.
    Stalls,
    /// The same, and then the connection is closed.
    BreaksOff,
    /// The answer, after fifteen seconds.
    Late,
    /// A byte every ten seconds.
    Drips,
    /// So many bytes.
    Flood(usize),
    /// Nothing, for ever.
    Hang,
}

/// How runs end.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum RunEnd {
    #[default]
    Success,
    /// The second task fails in its second try.
    Failure,
    /// The second task never ends.
    Runs,
    /// No scheduler looks at them.
    Queued,
}

#[derive(Default)]
pub struct Airflow {
    /// Of the administrator, from the first start on.
    password: Option<String>,
    /// Objects as the API lists them.
    pub dags: Vec<Value>,
    pub import_errors: Vec<Value>,
    pub end: RunEnd,
    /// DAG and run → how often it was looked at, and what it was given.
    pub runs: BTreeMap<(String, String), (u32, Value)>,
    /// Runs that were ended before their time.
    pub stopped: Vec<String>,
    /// Runs whose task has made its application.
    pub submitted: BTreeSet<String>,
    /// Task and try → lines of its log.
    pub logs: BTreeMap<(String, u32), Vec<Value>>,
    /// DAG → the text of its file.
    pub sources: BTreeMap<String, String>,
    /// Task → what it returned.
    pub results: BTreeMap<String, Value>,
    /// What was asked: method and path.
    pub asked: Vec<String>,
    /// How a question begins, what it gets, and how often.
    script: Vec<(String, Reply, usize)>,
}

/// Answers with a part of a list.
type Pages<'a> = &'a dyn Fn(&str, &[Value]) -> (u16, Value);

/// As the connections share it.
pub type Shared = Arc<Mutex<Airflow>>;

pub fn lock(airflow: &Shared) -> MutexGuard<'_, Airflow> {
    airflow.lock().expect("nobody panics with it in hand")
}

/// Takes the administrator's password from the Secret, as the API server's first start does.
pub fn know(airflow: &Shared, users: &Value) {
    let password = serde_json::from_value::<ByteString>(users["data"]["ADMIN_PASSWORD"].clone());
    let password = password.map(|bytes| String::from_utf8_lossy(&bytes.0).into_owned());
    lock(airflow).password.get_or_insert(password.unwrap_or_default());
}

fn missing(what: &str) -> (u16, Value) {
    (404, json!({ "detail": format!("{what} was not found") }))
}

impl Airflow {
    /// The next questions that begin so get this.
    pub fn script(&mut self, question: &str, times: usize, reply: Reply) {
        self.script.push((question.to_owned(), reply, times));
    }

    /// A DAG of a bundle, whose file was parsed at this time.
    pub fn add_dag(&mut self, id: &str, bundle: &str, parsed: &str) {
        self.dags.retain(|dag| dag["dag_id"] != id);
        self.dags.push(json!({
            "dag_id": id, "bundle_name": bundle, "relative_fileloc": format!("{id}.py"), "is_paused": false,
            "last_parsed_time": parsed, "last_parse_duration": 0.5, "file_token": format!("token of {id}"),
        }));
    }

    /// The administrator's password is not the Secret's.
    pub fn keep_password(&mut self, password: &str) {
        self.password = Some(password.to_owned());
    }

    fn scripted(&mut self, question: &str) -> Option<Reply> {
        let line = self.script.iter_mut().find(|(start, _, left)| *left > 0 && question.starts_with(start))?;
        line.2 -= 1;
        Some(line.1.clone())
    }

    fn answer(&mut self, method: &str, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
        if (method, path) == ("POST", "/auth/token") {
            return if body["username"] == "admin" && body["password"].as_str() == self.password.as_deref() {
                (201, json!({ "access_token": TOKEN }))
            } else {
                (401, json!({ "detail": "Invalid credentials" }))
            };
        }
        if token != Some(&format!("Bearer {TOKEN}")) {
            return (401, json!({ "detail": "Not authenticated" }));
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let number = |key: &str| {
            let value = query.split('&').find_map(|part| part.strip_prefix(key)?.strip_prefix('='));
            value.and_then(|value| value.parse::<usize>().ok())
        };
        let page = |name: &str, all: &[Value]| {
            // Pages are small here, so that there are several.
            let (from, size) = (number("offset").unwrap_or(0), number("limit").unwrap_or(50).min(3));
            let some: Vec<_> = all.iter().skip(from).take(size).collect();
            (200, json!({ name: some, "total_entries": all.len() }))
        };
        match (method, path.trim_start_matches('/').split('/').collect::<Vec<_>>()[2..].to_vec().as_slice()) {
            ("GET", ["dags"]) => page("dags", &self.dags),
            ("GET", ["importErrors"]) => page("import_errors", &self.import_errors),
            ("GET", ["dagSources", id]) => match self.sources.get(*id) {
                Some(text) => (200, json!({ "content": text })),
                None => missing("The Dag source"),
            },
            // Again, a second later than before.
            ("PUT", ["parseDagFile", token]) => {
                for dag in self.dags.iter_mut().filter(|dag| token.ends_with(dag["dag_id"].as_str().unwrap_or("?"))) {
                    let parsed: jiff::Timestamp =
                        serde_json::from_value(dag["last_parsed_time"].clone()).expect("a time");
                    dag["last_parsed_time"] = json!(parsed + jiff::SignedDuration::from_secs(1));
                }
                (201, Value::Null)
            }
            ("GET", ["dags", id]) => match self.dags.iter().find(|dag| dag["dag_id"] == *id) {
                Some(dag) => (200, dag.clone()),
                None => missing("The Dag"),
            },
            (_, ["dags", dag, "dagRuns", rest @ ..]) => self.answer_of_runs(method, dag, rest, body, &page),
            other => panic!("nobody taught this Airflow {other:?}"),
        }
    }

    fn answer_of_runs(
        &mut self,
        method: &str,
        dag: &str,
        path: &[&str],
        body: &Value,
        page: Pages<'_>,
    ) -> (u16, Value) {
        match (method, path) {
            ("POST", []) => self.trigger(dag, body),
            ("GET", []) => {
                let newest = self.runs.keys().rfind(|(one, _)| dag == "~" || one == dag).cloned();
                let runs: Vec<Value> = newest.iter().map(|run| self.run(run)).collect();
                (200, json!({ "dag_runs": runs, "total_entries": runs.len() }))
            }
            ("GET", [run]) => {
                let run = (dag.to_owned(), (*run).to_owned());
                let Some((looks, _)) = self.runs.get_mut(&run) else { return missing("The DagRun") };
                *looks += 1;
                (200, self.run(&run))
            }
            ("PATCH", [run]) => {
                self.stopped.push((*run).to_owned());
                (200, json!({}))
            }
            ("GET", [run, "taskInstances"]) => {
                let run = (dag.to_owned(), (*run).to_owned());
                let Some((looks, _)) = self.runs.get(&run) else { return missing("DagRun") };
                page("task_instances", &self.tasks(*looks))
            }
            ("GET", [_, "taskInstances", task, "logs", number]) => {
                let log = self.logs.get(&((*task).to_owned(), number.parse().unwrap_or(0)));
                let Some(lines) = log else { return missing("TaskInstance") };
                // A string stands for itself: one JSON object a line is no document.
                (200, lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n").into())
            }
            ("GET", [_, "taskInstances", task, "xcomEntries", "return_value"]) => match self.results.get(*task) {
                Some(value) => (200, json!({ "key": "return_value", "value": value })),
                None => missing("XCom entry"),
            },
            other => panic!("nobody taught this Airflow {other:?}"),
        }
    }

    fn trigger(&mut self, dag: &str, body: &Value) -> (u16, Value) {
        if body.get("logical_date") != Some(&Value::Null) {
            return (422, json!({ "detail": [{ "loc": ["body", "logical_date"], "msg": "Field required" }] }));
        }
        let run = (dag.to_owned(), body["dag_run_id"].as_str().unwrap_or_default().to_owned());
        if self.runs.contains_key(&run) {
            return (409, json!({ "detail": { "reason": "Unique constraint violation", "statement": "hidden" } }));
        }
        self.runs.insert(run.clone(), (0, body["conf"].clone()));
        (200, self.run(&run))
    }

    /// Queued, running twice, and then the end.
    fn run(&self, run: &(String, String)) -> Value {
        let (looks, conf) = &self.runs[run];
        let state = match (looks, self.end) {
            (0 | 1, _) | (_, RunEnd::Queued) => "queued",
            (2 | 3, _) | (_, RunEnd::Runs) => "running",
            (_, RunEnd::Success) => "success",
            (_, RunEnd::Failure) => "failed",
        };
        let duration = matches!(state, "success" | "failed").then_some(12.5);
        json!({
            "dag_run_id": run.1, "dag_id": run.0, "state": state, "duration": duration, "conf": conf,
            "run_after": "2026-11-21T10:00:00Z",
        })
    }

    fn tasks(&self, looks: u32) -> Vec<Value> {
        let (first, second, tries) = match (looks, self.end) {
            (0 | 1, _) | (_, RunEnd::Queued) => (None, None, 0),
            (2, _) => (Some("running"), None, 1),
            (3, _) => (Some("success"), Some("up_for_retry"), 1),
            (_, RunEnd::Runs) => (Some("success"), Some("running"), 2),
            (_, RunEnd::Success) => (Some("success"), Some("success"), 2),
            (_, RunEnd::Failure) => (Some("success"), Some("failed"), 2),
        };
        let task = |id: &str, map_index: i64, state: Option<&str>, try_number: u32| {
            let start = (try_number > 0).then_some("2026-11-21T10:00:01Z");
            json!({
                "task_id": id, "map_index": map_index, "state": state, "try_number": try_number,
                "duration": state.map(|_| 2.25), "start_date": start,
            })
        };
        vec![task("load", -1, second, tries), task("extract", -1, first, tries.min(1))]
    }
}

type Body = BoxBody<Bytes, io::Error>;

fn whole(content: &[u8]) -> Body {
    Full::new(Bytes::copy_from_slice(content)).map_err(|never| match never {}).boxed()
}

/// The first half of a content, and then the end of the connection, or nothing.
fn half(content: &[u8], stalls: bool) -> Body {
    let first = Ok(Frame::data(Bytes::copy_from_slice(&content[..content.len() / 2])));
    let rest = async move {
        // The first half is on its way by then.
        tokio::time::sleep(if stalls { Duration::MAX } else { Duration::from_millis(1) }).await;
        Err(io::ErrorKind::ConnectionReset.into())
    };
    BodyExt::boxed(StreamBody::new(stream::iter([first]).chain(stream::once(rest))))
}

fn drips() -> Body {
    BodyExt::boxed(StreamBody::new(stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        Some((Ok(Frame::data(Bytes::from_static(b" "))), ()))
    })))
}

/// Serves one connection to its end.
pub async fn serve(airflow: Shared, mut connection: DuplexStream) {
    if lock(&airflow).scripted("CONNECT").is_some() {
        drop(connection.write_all(b"SSH-2.0-OpenSSH_10.0\r\n").await);
        return;
    }
    let service = service_fn(move |request: Request<Incoming>| answer(airflow.clone(), request));
    // A client may go before the answer is there.
    drop(http1::Builder::new().serve_connection(TokioIo::new(connection), service).await);
}

async fn answer(airflow: Shared, request: Request<Incoming>) -> Result<Response<Body>, io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let path = head.uri.to_string();
    let question = format!("{} {path}", head.method);
    let token = head.headers.get("authorization").and_then(|value| value.to_str().ok());
    let (reply, (status, answer)) = {
        let mut airflow = lock(&airflow);
        airflow.asked.push(question.clone());
        let reply = airflow.scripted(&question);
        // What never gets there does not do its work.
        let works = !matches!(reply, Some(Reply::Status(..) | Reply::Hang));
        let answer = if works { airflow.answer(head.method.as_str(), &path, token, &body) } else { (200, Value::Null) };
        (reply, answer)
    };
    let content = match &answer {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let (status, body) = match reply {
        None => (status, whole(content.as_bytes())),
        Some(Reply::Status(status, body)) => (status, whole(body.to_string().as_bytes())),
        Some(Reply::Text(text)) => (200, whole(text.as_bytes())),
        Some(Reply::Lost) => return Err(io::ErrorKind::ConnectionReset.into()),
        Some(Reply::Stalls) => (status, half(content.as_bytes(), true)),
        Some(Reply::BreaksOff) => (status, half(content.as_bytes(), false)),
        Some(Reply::Late) => {
            tokio::time::sleep(Duration::from_secs(15)).await;
            (status, whole(content.as_bytes()))
        }
        Some(Reply::Drips) => (status, drips()),
        Some(Reply::Flood(length)) => (status, whole(&vec![b' '; length])),
        Some(Reply::Hang) => std::future::pending().await,
    };
    let status = StatusCode::from_u16(status).expect("a status");
    Ok(Response::builder().status(status).body(body).expect("an answer"))
}

//! Airflow's REST API: logins, questions, and every answer that is none.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::StatusCode;
use serde_json::{Value, json};

use super::world::airflow::{PASSWORD, Reply};
use super::world::{Say, container};
use super::{Bench, next, told};
use crate::components::AIRFLOW_NAMESPACE;
use crate::run::airflow::runs::Task;
use crate::run::airflow::task_log::Message;
use crate::run::airflow::{Airflow, Refusal, segment};
use crate::run::tests::world::World;

pub const POD: &str = "api-server-0";

/// A lab whose Airflow answers, without its long way up.
pub fn bench() -> Bench {
    let mut bench = Bench::small();
    bench.lab.airflow.enabled = true;
    let mut state = bench.world.state();
    state.containers.push(container("lab", "lab-control-plane", "lab", 2));
    state.listening.insert((POD.to_owned(), 8080));
    let data = json!({ "ADMIN_PASSWORD": BASE64_STANDARD.encode(PASSWORD) });
    let secret = json!({ "kind": "Secret", "data": data, "metadata": { "namespace": "airflow", "name": "users" } });
    state.objects.insert(["Secret", AIRFLOW_NAMESPACE, "users"].map(str::to_owned), secret);
    drop(state);
    pod(&bench, "api-server", POD, "Running");
    bench
}

/// A pod of Airflow.
pub fn pod(bench: &Bench, component: &str, name: &str, phase: &str) {
    let labels = json!({ "app.kubernetes.io/name": "airflow", "app.kubernetes.io/component": component });
    let metadata = json!({ "namespace": AIRFLOW_NAMESPACE, "name": name, "labels": labels });
    let pod = json!({ "kind": "Pod", "metadata": metadata, "status": { "phase": phase } });
    bench.world.state().objects.insert(["Pod", AIRFLOW_NAMESPACE, name].map(str::to_owned), pod);
}

/// The next questions that begin so get this reply.
pub fn script(bench: &Bench, question: &str, times: usize, reply: Reply) {
    bench.world.state().airflow.lock().unwrap().script(question, times, reply);
}

/// What Airflow was asked.
pub fn asked(bench: &Bench) -> Vec<String> {
    bench.world.state().airflow.lock().unwrap().asked.clone()
}

/// What is said of a question that gets this reply: the exit code, the error, and what to do next.
async fn trouble(reply: Reply) -> (u8, String, String) {
    let bench = bench();
    let run = bench.run();
    let airflow = Airflow::login(&run).await.unwrap();
    script(&bench, "GET /api/v2/dags", usize::MAX, reply);
    let error = airflow.get::<Value>("/api/v2/dags").await.unwrap_err();
    let (code, text) = told(&error);
    assert!(!text.contains(PASSWORD) && !text.contains("header.claims"), "{text}");
    (code, text, next(&error))
}

async fn login(bench: &Bench) -> (u8, String, String) {
    let run = bench.run();
    let error = Airflow::<World>::login(&run).await.err().unwrap();
    let (code, text) = told(&error);
    assert!(!text.contains(PASSWORD), "{text}");
    (code, text, next(&error))
}

#[tokio::test(start_paused = true)]
async fn a_question_is_asked_with_the_login_of_the_secret() {
    let bench = bench();
    let run = bench.run();
    let airflow = Airflow::login(&run).await.unwrap();
    assert!(airflow.dags().await.unwrap().is_empty());
    assert_eq!(asked(&bench), ["POST /auth/token", "GET /api/v2/dags?order_by=dag_id&limit=100&offset=0"]);
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_long_list_is_read_to_its_end() {
    let bench = bench();
    for number in 0..8 {
        let airflow = bench.world.state().airflow.clone();
        airflow.lock().unwrap().add_dag(&format!("dag{number}"), "dags", "2026-11-21T10:00:00Z");
    }
    let run = bench.run();
    let dags = Airflow::login(&run).await.unwrap().dags().await.unwrap();
    assert_eq!((dags.len(), dags[7].id.as_str()), (8, "dag7"));
}

#[tokio::test(start_paused = true)]
async fn a_lab_without_airflow_says_how_to_have_it() {
    let mut bench = bench();
    bench.lab.airflow.enabled = false;
    let (code, text, next) = login(&bench).await;
    assert_eq!((code, text.as_str()), (3, "lab lab has no Airflow: spec.airflow.enabled is false"));
    assert!(next.starts_with("enabled: true"), "{next}");
}

#[tokio::test(start_paused = true)]
async fn a_password_that_is_not_taken_is_set_again_by_up() {
    let bench = bench();
    script(&bench, "POST /auth/token", 1, Reply::Status(401, json!({ "detail": "Invalid credentials" })));
    let (code, text, next) = login(&bench).await;
    assert_eq!(code, 5);
    assert_eq!(text, "Airflow does not take the password of user admin that Secret airflow/users has");
    assert_eq!(next, "lab up --name lab   (sets it again)");
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_to_log_in_is_never_quoted() {
    let bench = bench();
    let detail = json!([{ "loc": ["body", "password"], "msg": "Too weak", "input": { "password": PASSWORD } }]);
    script(&bench, "POST /auth/token", 1, Reply::Status(422, json!({ "detail": detail })));
    let (_, text, _) = login(&bench).await;
    assert!(text.ends_with("422 Unprocessable Entity: body.password: Too weak"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_not_there_is_named() {
    let bench = bench();
    bench.world.state().objects.remove(&["Secret", AIRFLOW_NAMESPACE, "users"].map(str::to_owned));
    let (code, text, next) = login(&bench).await;
    assert_eq!(code, 5);
    assert_eq!(text, "there is no password of Airflow's user admin: Secret airflow/users is not there");
    assert!(next.starts_with("lab up --name lab"), "{next}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_in_airflow_s_own_words() {
    let detail = |text: &str| json!({ "detail": text });
    for (status, body, end, then) in [
        (
            401,
            detail("Token expired"),
            "401 Unauthorized: Token expired",
            "lab up --name lab   (gives user admin its rights again)",
        ),
        (
            403,
            detail("Forbidden"),
            "403 Forbidden: Forbidden",
            "lab up --name lab   (gives user admin its rights again)",
        ),
        (404, detail("Not here"), "404 Not Found: Not here", "lab dags list --name lab   (what there is)"),
        (
            409,
            json!({ "detail": { "reason": "Unique constraint violation", "statement": "INSERT" } }),
            "409 Conflict: Unique constraint violation",
            "lab dags list",
        ),
        (
            422,
            json!({ "detail": [{ "loc": ["body", "conf"], "msg": "Input should be an object" }] }),
            "body.conf: Input should be an object",
            "lab dags list",
        ),
        (
            500,
            detail("Serious error"),
            "500 Internal Server Error: Serious error",
            "lab status --name lab; then the same command again",
        ),
        (503, Value::Null, "503 Service Unavailable", "lab status"),
    ] {
        let (code, text, next) = trouble(Reply::Status(status, body)).await;
        assert_eq!(code, 5);
        assert!(text.starts_with("Airflow refuses GET /api/v2/dags: ") && text.ends_with(end), "{text}");
        assert!(next.starts_with(then), "{next}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_waited_for_for_a_while() {
    for (reply, why) in [
        (Reply::Hang, "no answer for 20 s"),
        (Reply::Stalls, "no answer for 20 s"),
        (Reply::Drips, "no whole answer within 30 s"),
        (Reply::Lost, "the connection broke off"),
        (Reply::BreaksOff, "the connection broke off in the middle of the answer"),
        (Reply::Text("<html>"), "the answer is not what was asked for"),
        (Reply::Flood(20 << 20), "the answer is larger than 16 MiB"),
    ] {
        let began = tokio::time::Instant::now();
        let (code, text, next) = trouble(reply.clone()).await;
        assert_eq!((code, next.as_str()), (5, "lab status --name lab; then the same command again"), "{reply:?}");
        assert!(text.starts_with("Airflow's API gives no answer to GET /api/v2/dags: "), "{text}");
        assert!(text.contains(why), "{reply:?}: {text}");
        assert!(began.elapsed() < Duration::from_secs(31), "{reply:?} took {:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_late_is_taken() {
    let bench = bench();
    let run = bench.run();
    let airflow = Airflow::login(&run).await.unwrap();
    script(&bench, "GET /api/v2/dags", 1, Reply::Late);
    let began = tokio::time::Instant::now();
    airflow.dags().await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 15);
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_another_form_is_none() {
    for text in ["{}", "[]", "null", "", r#"{"dags": [{"dag_id": 1}], "total_entries": 1}"#, "{\"dags\": [], "] {
        let bench = bench();
        let run = bench.run();
        let airflow = Airflow::login(&run).await.unwrap();
        script(&bench, "GET /api/v2/dags", 1, Reply::Text(text));
        let (code, told) = told(&airflow.dags().await.unwrap_err());
        assert!(code == 5 && told.contains("the answer is not what was asked for"), "{text:?}: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_shorter_than_it_says_ends_with_its_last_page() {
    let bench = bench();
    let run = bench.run();
    let airflow = Airflow::login(&run).await.unwrap();
    script(&bench, "GET /api/v2/dags", usize::MAX, Reply::Text(r#"{"dags": [], "total_entries": 9}"#));
    assert!(airflow.dags().await.unwrap().is_empty());
    assert_eq!(asked(&bench).len(), 2, "{:?}", asked(&bench));
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_not_answered_says_so() {
    for (reply, what) in [
        (Reply::Status(500, Value::Null), "Airflow refuses POST /auth/token: 500 Internal Server Error"),
        (Reply::Hang, "Airflow's API gives no answer to POST /auth/token: no answer for 20 s"),
        (Reply::Lost, "Airflow's API gives no answer to POST /auth/token: the connection broke off"),
        (Reply::Text("{}"), "Airflow's API gives no answer to POST /auth/token: the answer is not what was asked for"),
    ] {
        let bench = bench();
        script(&bench, "POST /auth/token", 1, reply);
        let (code, text, next) = login(&bench).await;
        assert!(code == 5 && text.starts_with(what), "{text}");
        assert_eq!(next, "lab status --name lab; then the same command again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_that_airflow_has_not_got_is_refused_by_airflow() {
    let bench = bench();
    let run = bench.run();
    Airflow::<World>::login(&run).await.unwrap();
    let airflow = bench.world.state().airflow.clone();
    airflow.lock().unwrap().keep_password("of yesterday");
    assert!(login(&bench).await.1.starts_with("Airflow does not take the password of user admin"));
}

/// What is read of the log of a task's first try, and how that ends.
async fn log(prepare: impl FnOnce(&Bench)) -> (Vec<String>, anyhow::Result<()>) {
    let bench = bench();
    prepare(&bench);
    let run = bench.run();
    let airflow = Airflow::login(&run).await.unwrap();
    let task = json!({ "task_id": "load", "map_index": -1, "try_number": 1 });
    let task: Task = serde_json::from_value(task).unwrap();
    let mut lines = Vec::new();
    let mut take = |message: Message| {
        lines.extend(message.lines());
        Ok(())
    };
    let end = airflow.task_log(("orders", "run-1"), &task, 1, &mut take).await;
    (lines, end)
}

fn logged(bench: &Bench, lines: &[Value]) {
    bench.world.state().airflow.lock().unwrap().logs.insert(("load".to_owned(), 1), lines.to_vec());
}

#[tokio::test(start_paused = true)]
async fn a_log_is_read_line_by_line() {
    let lines = [
        json!({ "timestamp": "2026-11-21T10:00:02Z", "level": "info", "event": "one\ntwo" }),
        json!("no message"),
        json!({ "event": "failed", "error_detail": [{ "exc_type": "ValueError", "exc_value": "no such table" }] }),
    ];
    let (read, end) = log(|bench| logged(bench, &lines)).await;
    end.unwrap();
    let expected = ["2026-11-21T10:00:02Z info one", "two", "\"no message\"", "failed", "ValueError: no such table"];
    assert_eq!(read, expected);
    // A last line without an end is one as well.
    let (read, end) =
        log(|bench| script(bench, LOG, 1, Reply::Text("{\"event\": \"one\"}\n{\"event\": \"two\"}"))).await;
    end.unwrap();
    assert_eq!(read, ["one", "two"]);
}

const LOG: &str = "GET /api/v2/dags/orders/dagRuns/run-1/taskInstances/load/logs/1";

#[tokio::test(start_paused = true)]
async fn a_log_that_does_not_come_to_its_end_is_an_error() {
    let lines: Vec<Value> = (0..9).map(|number| json!({ "event": format!("line {number}") })).collect();
    for (reply, why) in [
        (Reply::BreaksOff, "the connection broke off in the middle of the answer"),
        (Reply::Stalls, "no answer for 20 s"),
        (Reply::Hang, "no answer for 20 s"),
        (Reply::Flood(5 << 20), "a line is longer than 4 MiB"),
        (Reply::Status(404, json!({ "detail": "TaskInstance not found" })), "404 Not Found: TaskInstance not found"),
        (Reply::Status(500, Value::Null), "500 Internal Server Error"),
    ] {
        let (read, end) = log(|bench| {
            logged(bench, &lines);
            script(bench, LOG, 1, reply.clone());
        })
        .await;
        let (code, text) = told(&end.unwrap_err());
        assert!(code == 5 && text.contains(why), "{reply:?}: {text}");
        let halves = matches!(reply, Reply::BreaksOff | Reply::Stalls);
        assert_eq!(read.len(), if halves { 4 } else { 0 }, "{reply:?}: what came is shown");
    }
}

#[test]
fn what_is_quoted_of_a_refusal_is_for_people() {
    let told = |content: &[u8]| Refusal::new(StatusCode::BAD_GATEWAY, content).to_string();
    assert_eq!(told(b"<html><body>Bad gateway"), "502 Bad Gateway");
    assert_eq!(told(b" upstream is away\n"), "502 Bad Gateway: upstream is away");
    assert_eq!(told(b""), "502 Bad Gateway");
    assert_eq!(told(br#"{"detail": 5}"#), "502 Bad Gateway: 5");
    assert_eq!(told(br#"["detail"]"#), "502 Bad Gateway");
    assert_eq!(told(b"\xff\xfe"), "502 Bad Gateway: \u{fffd}\u{fffd}");
    assert_eq!(told(&[b'x'; 5000]).len(), "502 Bad Gateway: ".len() + 1000);
}

#[tokio::test(start_paused = true)]
async fn what_speaks_no_http_is_no_answer() {
    let bench = bench();
    script(&bench, "CONNECT", 1, Reply::Hang);
    let (code, text, _) = login(&bench).await;
    assert!(code == 5 && text.contains("the connection broke off: "), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_ready_says_why() {
    let bench = bench();
    bench.world.state().listening.clear();
    assert!(login(&bench).await.1.ends_with("connection refused"));
    bench.world.script_times("forward", 1, Say::Fail("pods \"api-server-0\" not found"));
    assert!(login(&bench).await.1.ends_with("pods \"api-server-0\" not found"));
    pod(&bench, "api-server", POD, "Pending");
    assert!(login(&bench).await.1.ends_with("pod airflow/api-server-0 is not ready: Pending"));
    bench.world.state().objects.retain(|key, _| key[0] != "Pod");
    assert!(login(&bench).await.1.ends_with("namespace airflow has no pod of Airflow's api-server"));
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_ends_is_asked_no_more() {
    let bench = bench();
    let run = bench.run();
    let airflow = Airflow::login(&run).await.unwrap();
    let key = ["Pod", AIRFLOW_NAMESPACE, POD].map(str::to_owned);
    bench.world.state().objects.get_mut(&key).unwrap()["metadata"]["deletionTimestamp"] = json!("now");
    pod(&bench, "api-server", "api-server-1", "Running");
    bench.world.state().listening.insert(("api-server-1".to_owned(), 8080));
    airflow.dags().await.unwrap();
    assert_eq!(bench.world.count("forward airflow/api-server-1:8080"), 1);
}

#[tokio::test(start_paused = true)]
async fn only_what_may_pass_is_asked_again() {
    let bench = bench();
    let run = bench.run();
    let airflow = Airflow::login(&run).await.unwrap();
    for (reply, passes) in [
        (Reply::Status(500, Value::Null), true),
        (Reply::Lost, true),
        (Reply::Status(404, Value::Null), false),
        (Reply::Status(401, Value::Null), false),
    ] {
        script(&bench, "GET /api/v2/dags", 1, reply);
        assert_eq!(Refusal::may_pass(&airflow.dags().await.unwrap_err()), passes);
    }
}

#[test]
fn names_are_parts_of_a_path() {
    assert_eq!(segment("manual__2026-11-21T10:00:00+00:00"), "manual__2026-11-21T10%3A00%3A00%2B00%3A00");
    assert_eq!(segment("a/ü ?"), "a%2F%C3%BC%20%3F");
}

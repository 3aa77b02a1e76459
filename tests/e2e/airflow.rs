//! Airflow on a lab that stands: DAGs from a folder to green, users and what they may do.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::daily::data;
use crate::lab::{Finished, Lab};
use crate::page::Page;

/// Verbs that say nothing secret either.
pub const VERBS: [&[&str]; 4] = [
    &["dags", "list"],
    &["dags", "logs", "orders"],
    &["dags", "run", "hello", "--wait", "--ci"],
    &["logs", "postgres"],
];

/// The smoke job was a run of a DAG, which has a page and a log.
pub fn the_smoke_job_is_a_run(lab: &Lab) {
    let page = lab.status()["smoke"]["verdict"]["page"].clone();
    assert!(page.as_str().is_some_and(|page| page.starts_with("/dags/spark_pagerank/runs/smoke-")), "{page}");
    lab.run(&["logs", "smoke", "--tail", "1"]).expect_code(0);
}

/// Airflow's pages and API on a port of loopback, as long as this is held.
pub struct Forwarded {
    page: Page,
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Forwarded {
    pub fn of(lab: &Lab) -> Self {
        let page = Page::of(lab, "airflow");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { page, client, runtime }
    }

    pub fn address(&self) -> &str {
        &self.page.address
    }

    /// Status and answer.
    pub fn ask(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> (u16, Value) {
        let method = method.parse().expect("a method");
        let mut request = self.client.request(method, format!("{}{path}", self.address()));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        self.runtime.block_on(async {
            let answer = request.send().await.expect("an answer");
            let status = answer.status().as_u16();
            (status, serde_json::from_str(&answer.text().await.expect("text")).unwrap_or_default())
        })
    }

    /// A token for a user, none where the password is refused.
    pub fn login(&self, user: &str, password: &str) -> Option<String> {
        let body = json!({ "username": user, "password": password });
        let (status, answer) = self.ask("POST", "/auth/token", None, Some(&body));
        assert!([201, 401].contains(&status), "{status} {answer}");
        (status == 201).then(|| answer["access_token"].as_str().expect("a token").to_owned())
    }
}

/// User and password of each of Airflow's users.
pub fn users(lab: &Lab) -> Vec<(String, String)> {
    let credentials = data(lab, &["credentials", "airflow"]);
    let text = |login: &Value, key: &str| login[key].as_str().expect("text").to_owned();
    let logins = credentials["credentials"].as_array().expect("a list");
    logins.iter().map(|login| (text(login, "user"), text(login, "password"))).collect()
}

/// Each user may do what its role says, and nobody comes in with a wrong password, or with none.
pub fn users_have_their_roles(lab: &Lab) {
    let airflow = Forwarded::of(lab);
    let users = users(lab);
    assert_eq!(users.iter().map(|(user, _)| user.as_str()).collect::<Vec<_>>(), ["admin", "edit", "view"]);
    let run = json!({ "logical_date": null });
    let changed = json!({ "key": "probe", "value": "1" });
    // Trigger, connections, a new variable, the list of DAGs.
    let expected = [[200, 200, 201, 200], [200, 403, 201, 200], [403, 403, 403, 200]];
    for ((user, password), expected) in users.iter().zip(expected) {
        assert!(airflow.login(user, "wrong").is_none(), "{user}");
        let token = airflow.login(user, password).expect(user);
        let token = Some(token.as_str());
        let trigger = airflow.ask("POST", "/api/v2/dags/hello/dagRuns", token, Some(&run)).0;
        let connections = airflow.ask("GET", "/api/v2/connections", token, None).0;
        let variable = airflow.ask("POST", "/api/v2/variables", token, Some(&changed)).0;
        if variable == 201 {
            airflow.ask("DELETE", "/api/v2/variables/probe", token, None);
        }
        let dags = airflow.ask("GET", "/api/v2/dags", token, None).0;
        assert_eq!([trigger, connections, variable, dags], expected, "{user}");
    }
    assert_eq!(airflow.ask("GET", "/api/v2/dags", None, None).0, 401);
}

/// A folder of DAGs, and the lab that gets them.
pub struct Author<'a> {
    lab: &'a Lab,
    folder: PathBuf,
}

impl<'a> Author<'a> {
    pub fn of(lab: &'a Lab) -> Self {
        let folder = lab.state().join("my-dags");
        fs_err::create_dir_all(&folder).expect("a folder");
        Self { lab, folder }
    }

    fn write(&self, text: &str) {
        fs_err::write(self.folder.join("orders.py"), text).expect("a file");
    }

    /// The DAG with a task that returns a word.
    pub fn write_returning(&self, word: &str) {
        self.write(&format!(
            "from airflow.sdk import DAG, task\n\n\n@task\ndef load():\n    return {word:?}\n\n\n\
             with DAG(\"orders\", schedule=None):\n    load()\n"
        ));
    }

    pub fn push(&self, code: i32) -> (Finished, Duration) {
        let started = Instant::now();
        let finished = self.lab.run(&["dags", "push", &self.folder.to_string_lossy(), "--ci"]);
        finished.expect_code(code);
        (finished, started.elapsed())
    }

    pub fn run(&self, word: &str) {
        let finished = self.lab.run(&["dags", "run", "orders", "--wait", "--ci"]);
        finished.expect_code(0).expect(": success").expect("load  success").expect(word);
    }
}

/// A DAG from nothing to green; a change takes effect within seconds; one that cannot be loaded changes nothing.
pub fn a_dag_goes_from_a_folder_to_green(lab: &Lab) {
    let author = Author::of(lab);
    let started = Instant::now();
    author.write_returning("first text");
    author.push(0).0.expect("DAGs: orders");
    author.run("first text");
    let took = started.elapsed();
    assert!(took < Duration::from_mins(2), "from nothing to green in {took:?}");
    author.write_returning("second text");
    let (_, took) = author.push(0);
    eprintln!(
        "   from nothing to green in {:.1} s; a change in {:.1} s",
        started.elapsed().as_secs_f64(),
        took.as_secs_f64()
    );
    assert!(took < Duration::from_mins(1), "a changed DAG is there after {took:?}");
    author.run("second text");

    author.write("from airflow.sdk import DAG\n\nwith DAG(\"orders\" as dag:\n    pass\n");
    author.push(3).0.expect("orders.py:3: SyntaxError").expect("what runs stays as it is");
    author.write("from airflow.sdk import DAG\nimport nowhere\n");
    author.push(3).0.expect("orders.py:2: ModuleNotFoundError: No module named 'nowhere'");
    author.run("second text");
    author.write("from airflow.sdk import DAG\nwith DAG(\"hello\"):\n    pass\n");
    author.push(3).0.expect("sample-dags has a DAG hello already");
    author.write("print('no dag in airflow')\n");
    author.push(3).0.expect("holds a DAG");
}

/// What nobody meant is said, and how it was meant.
pub fn wrong_wishes_are_answered(lab: &Lab) {
    lab.run(&["dags", "run", "ordres"])
        .expect_code(2)
        .expect("Airflow has no DAG ordres")
        .expect("lab dags run orders");
    lab.run(&["dags", "run", "orders", "--conf", "{day: 1}"]).expect_code(2).expect("--conf is no object in JSON");
    lab.run(&["dags", "run", "spark_pi", "--conf", r#"{"executors": 99}"#]).expect_code(5).expect("executors");
    lab.run(&["dags", "logs", "orders", "never"]).expect_code(2).expect("there is no run never of DAG orders");
    let listing = data(lab, &["dags", "list"]);
    let dags: Vec<&str> =
        listing["dags"].as_array().expect("a list").iter().filter_map(|dag| dag["dag"].as_str()).collect();
    assert_eq!(dags, ["hello", "orders", "spark_pagerank", "spark_pi", "spark_pipeline"]);
    let output = lab.command(&["dags", "logs", "orders", "--task", "load"]).output().expect("the binary runs");
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && log.lines().all(|line| line.starts_with("[load] ")), "{log}");
    assert!(log.lines().count() > 3, "{log}");
}

/// Those with Spark as well, each with its tasks and what they say. `spark_pagerank` has run as the smoke job.
pub fn all_samples_succeed(lab: &Lab) {
    let run = |dag: &str| {
        let finished = lab.run(&["dags", "run", dag, "--wait", "--ci"]);
        finished.expect_code(0).expect(&format!("of DAG {dag}: success"));
        finished
    };
    run("hello").expect("Hello, lab!");
    run("spark_pi");
    run("spark_pipeline").expect("top  ");
}

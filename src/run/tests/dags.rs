//! DAG files on their way to Airflow, and what is told of them.

use anyhow::Result;
use serde_json::json;

use super::airflow::{bench as bare, pod, script};
use super::world::Say;
use super::world::airflow::{Reply, RunEnd};
use super::{Bench, next, told};
use crate::config::Git;
use crate::dags::{Files, Folder};
use crate::ports::Output;
use crate::run::dags::{Wanted, list, logs};
use crate::step::{Action, ObjectName};

const ORDERS: &str = "with DAG(\"orders\"):\n    first()\n";

/// A lab whose Airflow and object store answer.
fn bench() -> Bench {
    let bench = bare();
    pod(&bench, "dag-processor", "dag-processor-0", "Running");
    let minio = json!({ "kind": "Pod", "metadata": { "namespace": "object-store", "name": "minio-0" } });
    bench.world.state().objects.insert(["Pod", "object-store", "minio-0"].map(str::to_owned), minio);
    bench.world.state().buckets.extend(["dags", "sample-dags"].map(str::to_owned));
    bench.world.state().store.insert("sample-dags/hello.py".to_owned(), b"with DAG(\"hello\"):\n".to_vec());
    bench
}

async fn push(bench: &Bench, files: &[(&str, &str)], delete: bool) -> Result<()> {
    let files: Files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    bench.act(Action::PushDags { folder: Folder { path: "mine".to_owned(), files }, delete }).await
}

/// What the bucket of DAGs has.
fn there(bench: &Bench) -> Vec<String> {
    bench.world.state().store.keys().filter_map(|path| path.strip_prefix("dags/").map(str::to_owned)).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_pushed_is_known_to_airflow_afterwards() {
    let bench = bench();
    push(&bench, &[("orders.py", ORDERS), ("sql/load.sql", "SELECT 1")], false).await.unwrap();
    assert_eq!(there(&bench), ["orders.py", "sql/load.sql"]);
    let listing = list(&bench.run()).await.unwrap();
    let ids: Vec<&str> = listing.dags.iter().map(|dag| dag.dag.as_str()).collect();
    assert_eq!(ids, ["hello", "orders"]);
    // Nothing is written twice.
    bench.world.heal();
    push(&bench, &[("orders.py", ORDERS), ("sql/load.sql", "SELECT 1")], false).await.unwrap();
    assert_eq!(bench.world.changes(), Vec::<String>::new());
    push(&bench, &[("orders.py", "with DAG(\"orders\"):\n    second()\n")], false).await.unwrap();
    let state = bench.world.state();
    assert!(state.airflow.lock().unwrap().sources["orders"].contains("second()"));
}

#[tokio::test(start_paused = true)]
async fn files_that_are_not_in_the_folder_stay_unless_they_are_not_wanted() {
    let bench = bench();
    push(&bench, &[("orders.py", ORDERS)], false).await.unwrap();
    push(&bench, &[("stock.py", "DAG(\"stock\")")], false).await.unwrap();
    assert_eq!(there(&bench), ["orders.py", "stock.py"]);
    let warning = bench.said.warnings().pop().unwrap();
    assert!(warning.contains("the bucket has 1 file that mine has not: orders.py"), "{warning}");
    assert!(warning.contains("lab dags push mine --delete --name lab"), "{warning}");
    push(&bench, &[("stock.py", "DAG(\"stock\")")], true).await.unwrap();
    assert_eq!(there(&bench), ["stock.py"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_loaded_changes_nothing() {
    let bench = bench();
    push(&bench, &[("orders.py", ORDERS)], false).await.unwrap();
    bench.world.heal();
    for (files, why) in [
        (vec![("orders.py", "x\nbroken: syntax")], "mine/orders.py:2: broken: syntax"),
        (vec![("a.py", ORDERS), ("orders.py", ORDERS)], "orders is in a.py as well"),
        // What stays in the bucket counts as well.
        (vec![("b.py", ORDERS)], "mine/orders.py: AirflowDagDuplicatedIdException: orders is in b.py as well"),
        (vec![("hello.py", "DAG(\"hello\")")], "mine/hello.py: sample-dags has a DAG hello already"),
    ] {
        let error = push(&bench, &files, false).await.unwrap_err();
        let (code, text) = told(&error);
        assert!(code == 3 && text.contains(why), "{code} {text}");
        assert!(text.starts_with("these DAG files are not taken; what runs stays as it is"), "{text}");
        assert_eq!(next(&error), "mend these lines; lab dags push mine --name lab");
    }
    let (code, text) = told(&push(&bench, &[("orders.py", "print()")], true).await.unwrap_err());
    assert!(code == 3 && text.ends_with("no file of mine holds a DAG"), "{text}");
    assert_eq!(bench.world.changes(), Vec::<String>::new());
    assert_eq!(bench.world.state().store["dags/orders.py"], ORDERS.as_bytes());
}

#[tokio::test(start_paused = true)]
async fn an_object_store_that_fails_loses_nothing() {
    let bench = bench();
    bench.world.script("exec minio-0 mc --no-color --quiet pipe", Say::Fail("connection refused"));
    let (code, text) = told(&push(&bench, &[("orders.py", ORDERS)], false).await.unwrap_err());
    assert!(code == 5 && text.contains("connection refused"), "{code} {text}");
    bench.world.heal();
    push(&bench, &[("orders.py", ORDERS)], false).await.unwrap();
    assert_eq!(there(&bench), ["orders.py"]);
}

#[tokio::test(start_paused = true)]
async fn a_dag_that_is_never_seen_meets_the_deadline() {
    let bench = bench();
    bench.world.state().dags_are_late = true;
    let (code, text) = told(&push(&bench, &[("orders.py", ORDERS)], false).await.unwrap_err());
    assert!(code == 5 && text.ends_with("last seen: DAG orders: Airflow has not seen it yet"), "{code} {text}");
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_lost_meanwhile_fail_no_push() {
    let bench = bench();
    for reply in [Reply::Lost, Reply::Status(500, json!(null)), Reply::Text("<html>")] {
        script(&bench, "GET /api/v2/dags/orders", 1, reply.clone());
        script(&bench, "GET /api/v2/dagSources", 1, reply);
    }
    push(&bench, &[("orders.py", ORDERS)], false).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn logs_have_the_name_of_their_task() {
    let bench = bench();
    push(&bench, &[("orders.py", ORDERS)], false).await.unwrap();
    let read = async |run: Option<&str>, task: Option<&str>, attempt: Option<u32>| {
        let lines = std::cell::RefCell::new(Vec::new());
        let wanted = Wanted { dag: "orders", run, task, attempt };
        let take = |task: &str, line: &str| {
            lines.borrow_mut().push(format!("{task}: {line}"));
            std::ops::ControlFlow::Continue(())
        };
        logs(&bench.run(), &wanted, &take).await.map(|()| lines.take())
    };
    let error = read(None, None, None).await.unwrap_err();
    assert_eq!(
        (told(&error), next(&error).as_str()),
        ((2, "DAG orders has not run yet".to_owned()), "lab dags run orders --name lab")
    );
    {
        let airflow = bench.world.state().airflow.clone();
        let mut airflow = airflow.lock().unwrap();
        airflow.end = RunEnd::Success;
        airflow.runs.insert(("orders".to_owned(), "run-1".to_owned()), (5, json!({})));
        airflow.logs.insert(("extract".to_owned(), 1), vec![json!({ "event": "three rows" })]);
        airflow.logs.insert(("load".to_owned(), 1), vec![json!({ "event": "no table" })]);
        airflow.logs.insert(("load".to_owned(), 2), vec![json!({ "event": "done" })]);
    }
    assert_eq!(read(None, None, None).await.unwrap(), ["extract: three rows", "load: done"]);
    assert_eq!(read(Some("run-1"), Some("load"), Some(1)).await.unwrap(), ["load: no table"]);
    let (code, text) = told(&read(None, Some("store"), None).await.unwrap_err());
    assert_eq!(code, 2);
    assert_eq!(text, "run run-1 of DAG orders has no such log; its tasks are extract (1 tries), load (2 tries)");
    let (code, text) = told(&read(Some("run-2"), None, None).await.unwrap_err());
    assert_eq!((code, text.as_str()), (2, "there is no run run-2 of DAG orders"));
}

const REPOSITORY: &str = "https://git.example/team/dags.git";

async fn reach(bench: &Bench, reference: &str) -> Result<()> {
    let (url, reference) = (REPOSITORY.to_owned(), reference.to_owned());
    bench.act(Action::GitRepository { repository: Git { url, reference, ..Git::default() } }).await
}

#[tokio::test(start_paused = true)]
async fn a_repository_is_asked_from_where_airflow_reads_it() {
    let bench = bench();
    reach(&bench, "main").await.unwrap();
    reach(&bench, &"4b825dc642".repeat(4)).await.unwrap();
    let asked: Vec<String> = bench.world.calls().into_iter().filter(|call| call.contains(REPOSITORY)).collect();
    assert!(asked.iter().all(|call| call.starts_with("exec dag-processor-0 sh -c")), "{asked:?}");
    // A commit has no name in the repository's list.
    let [one, other] = &asked[..] else { panic!("{asked:?}") };
    assert!(one.ends_with(&format!("list {REPOSITORY} main")), "{one}");
    assert!(other.ends_with(&format!("list {REPOSITORY} HEAD")), "{other}");
}

#[tokio::test(start_paused = true)]
async fn a_repository_that_airflow_cannot_read_is_said_with_what_git_says() {
    let denied = "fatal: Authentication failed for 'https://git.example/team/dags.git/'";
    for (code, stderr, why) in
        [(128, denied, denied), (124, "", "no answer within 20 s"), (2, "", "no branch or tag main")]
    {
        let bench = bench();
        bench.world.state().answer = Some(Output { code, stderr: stderr.to_owned(), stdout: Vec::new() });
        let error = reach(&bench, "main").await.unwrap_err();
        let (code, text) = told(&error);
        assert!(code == 5 && text.contains(why), "{code} {text}");
        assert!(next(&error).contains("spec.airflow.dags.git"), "{}", next(&error));
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_nobody_made_is_asked_for_with_the_command_that_makes_it() {
    let bench = bench();
    let secret = ObjectName::new("airflow", "git");
    let expect = Action::Secret { secret, keys: ["username", "password"].map(str::to_owned).to_vec() };
    let error = bench.act(expect.clone()).await.unwrap_err();
    let (code, text) = told(&error);
    assert!(code == 3 && text.contains("Secret airflow/git is not there"), "{code} {text}");
    assert!(next(&error).contains("-n airflow create secret generic git"), "{}", next(&error));
    let mut live = json!({ "kind": "Secret", "metadata": { "namespace": "airflow", "name": "git" } });
    live["data"] = json!({ "username": "bGFi" });
    let key = ["Secret", "airflow", "git"].map(str::to_owned);
    bench.world.state().objects.insert(key.clone(), live.clone());
    let error = bench.act(expect.clone()).await.unwrap_err();
    assert!(told(&error).1.contains("Secret airflow/git has no key password"), "{error:#}");
    live["data"]["password"] = json!("bGFi");
    bench.world.state().objects.insert(key, live);
    bench.act(expect).await.unwrap();
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

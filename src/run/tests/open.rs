//! `lab open`: pages behind a port of this machine, over real sockets on loopback.

use std::cell::RefCell;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::world::{Say, container};
use super::{Bench, next, told};
use crate::components::JOBS_NAMESPACE;
use crate::run::forward::{answers, ended, serve};
use crate::run::open::{Page, minio, spark};

/// A lab whose `MinIO` listens.
fn bench() -> Bench {
    let bench = Bench::small();
    bench.world.state().containers.push(container("lab", "lab-control-plane", "lab", 2));
    pod(&bench, "object-store", "minio-0", "Running");
    bench.world.state().listening.insert(("minio-0".to_owned(), 9001));
    bench
}

fn pod(bench: &Bench, namespace: &str, name: &str, phase: &str) {
    let metadata = json!({ "namespace": namespace, "name": name, "labels": { "spark-role": "driver" } });
    let object = json!({ "kind": "Pod", "metadata": metadata, "status": { "phase": phase } });
    bench.world.state().objects.insert(["Pod", namespace, name].map(str::to_owned), object);
}

fn application(bench: &Bench, name: &str, state: &str, page: &str) {
    let object = json!({
        "kind": "SparkApplication", "metadata": { "namespace": JOBS_NAMESPACE, "name": name },
        "spec": { "sparkConf": { "spark.ui.enabled": page } }, "status": { "applicationState": { "state": state } },
    });
    let key = ["SparkApplication", JOBS_NAMESPACE, name].map(str::to_owned);
    bench.world.state().objects.insert(key, object);
}

/// Runs a browser against a page that is served; what was said meanwhile.
async fn browse<T>(bench: &Bench, page: &Page, browser: impl AsyncFnOnce(u16) -> T) -> (T, Vec<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let said = RefCell::new(Vec::new());
    let say = |text: &str| said.borrow_mut().push(text.to_owned());
    let done = tokio::select! {
        () = serve(&bench.world, page, &listener, &say) => panic!("it serves until it is dropped"),
        done = timeout(Duration::from_secs(30), browser(port)) => done.expect("an answer"),
    };
    (done, said.into_inner())
}

/// Sends a text and reads what comes back until the end.
async fn ask(port: u16, text: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    // A connection that is refused at the other end may be reset.
    drop(stream.read_to_string(&mut answer).await);
    answer
}

#[tokio::test]
async fn connections_are_forwarded_side_by_side() {
    let bench = bench();
    let page = minio(&bench.run()).unwrap();
    let browser = async |port| {
        let asks: Vec<_> =
            (0..50).map(|number| async move { (number, ask(port, &format!("ask {number}")).await) }).collect();
        futures::future::join_all(asks).await
    };
    let (answers, said) = browse(&bench, &page, browser).await;
    for (number, answer) in answers {
        assert_eq!(answer, format!("minio-0 ask {number}"));
    }
    assert_eq!((bench.world.count("forward object-store/minio-0:9001"), said.len()), (50, 0));
}

#[tokio::test]
async fn a_pod_that_comes_back_is_found_again() {
    let bench = bench();
    let page = minio(&bench.run()).unwrap();
    let key = ["Pod", "object-store", "minio-0"].map(str::to_owned);
    let browser = async |port| {
        let first = ask(port, "one").await;
        let gone = bench.world.state().objects.remove(&key).unwrap();
        let [second, third] = [ask(port, "two").await, ask(port, "three").await];
        bench.world.state().objects.insert(key.clone(), gone);
        [first, second, third, ask(port, "four").await]
    };
    let (seen, said) = browse(&bench, &page, browser).await;
    assert_eq!(seen, ["minio-0 one", "", "", "minio-0 four"]);
    assert_eq!(said, [r#"pods "minio-0" not found"#], "the same trouble is said once");
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_said() {
    let bench = bench();
    bench.world.state().listening.clear();
    let page = minio(&bench.run()).unwrap();
    let (answer, said) = browse(&bench, &page, async |port| ask(port, "hello").await).await;
    assert_eq!((answer.as_str(), said), ("", vec!["port 9001 of pod minio-0: connection refused".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_does_not_answer_is_refused_with_the_reason() {
    let bench = bench();
    let page = minio(&bench.run()).unwrap();
    answers(&bench.world, &page, "").await.unwrap();
    let refused = async || {
        let error = answers(&bench.world, &page, " --name lab").await.unwrap_err();
        assert_eq!(next(&error), "lab status --name lab; lab logs object-store/minio-0 --name lab");
        told(&error)
    };
    bench.world.state().listening.clear();
    let (code, text) = refused().await;
    assert_eq!((code, text.as_str()), (5, "MinIO's console cannot be reached: connection refused"));
    pod(&bench, "object-store", "minio-0", "Pending");
    assert!(refused().await.1.ends_with("pod object-store/minio-0: Pending"));
    bench.world.state().objects.clear();
    assert!(refused().await.1.ends_with("there is no pod object-store/minio-0"));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_comes_up_late_is_waited_for() {
    let bench = bench();
    bench.world.state().listening.clear();
    let page = minio(&bench.run()).unwrap();
    let late = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        bench.world.state().listening.insert(("minio-0".to_owned(), 9001));
    };
    let (answered, ()) = tokio::join!(answers(&bench.world, &page, ""), late);
    answered.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_only_running_job_needs_no_name() {
    let bench = bench();
    let error = spark(&bench.run(), None).await.unwrap_err();
    assert!(told(&error).0 == 5 && next(&error).starts_with("lab run pagerank --name lab"), "{error:#}");
    application(&bench, "old-aaaaaa", "COMPLETED", "true");
    pod(&bench, JOBS_NAMESPACE, "old-aaaaaa-driver", "Succeeded");
    application(&bench, "pi-bbbbbb", "RUNNING", "true");
    pod(&bench, JOBS_NAMESPACE, "pi-bbbbbb-driver", "Running");
    let page = spark(&bench.run(), None).await.unwrap();
    assert_eq!((page.pod.as_str(), page.port), ("pi-bbbbbb-driver", 4040));
    assert_eq!(spark(&bench.run(), Some("pi")).await.unwrap(), page);
    let (code, text) = told(&spark(&bench.run(), Some("old")).await.unwrap_err());
    assert_eq!((code, text.as_str()), (2, "no running Spark job is called old; there are pi-bbbbbb"));
}

#[tokio::test(start_paused = true)]
async fn of_several_running_jobs_one_is_to_be_named() {
    let bench = bench();
    for name in ["pi-aaaaaa", "pi-bbbbbb"] {
        application(&bench, name, "RUNNING", "true");
        pod(&bench, JOBS_NAMESPACE, &format!("{name}-driver"), "Running");
    }
    let error = spark(&bench.run(), None).await.unwrap_err();
    assert_eq!(told(&error), (2, "several Spark jobs run: pi-bbbbbb, pi-aaaaaa".to_owned()));
    assert_eq!(next(&error), "lab open spark pi-bbbbbb --name lab");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_begins_is_waited_for() {
    let bench = bench();
    application(&bench, "pi-aaaaaa", "SUBMITTED", "true");
    let start = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        pod(&bench, JOBS_NAMESPACE, "pi-aaaaaa-driver", "Running");
    };
    let run = bench.run();
    let (page, ()) = tokio::join!(spark(&run, None), start);
    assert_eq!(page.unwrap().pod, "pi-aaaaaa-driver");
    assert_eq!(bench.said.notes(), ["pi-aaaaaa: waiting for its driver"]);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_switched_off_says_how_to_switch_it_on() {
    let bench = bench();
    application(&bench, "pi-aaaaaa", "RUNNING", "false");
    pod(&bench, JOBS_NAMESPACE, "pi-aaaaaa-driver", "Running");
    let error = spark(&bench.run(), None).await.unwrap_err();
    assert!(told(&error).0 == 5 && next(&error).starts_with("spark.ui.enabled: \"true\""), "{error:#}");
}

#[tokio::test(start_paused = true)]
async fn a_job_s_page_ends_with_it_and_the_console_does_not() {
    let bench = bench();
    application(&bench, "pi-aaaaaa", "RUNNING", "true");
    pod(&bench, JOBS_NAMESPACE, "pi-aaaaaa-driver", "Running");
    let page = spark(&bench.run(), None).await.unwrap();
    let a_while = Duration::from_mins(1);
    timeout(a_while, ended(&bench.world, &page)).await.expect_err("it runs");
    bench.world.script_times("get Pod", 1, Say::Fail("connection reset"));
    pod(&bench, JOBS_NAMESPACE, "pi-aaaaaa-driver", "Succeeded");
    timeout(a_while, ended(&bench.world, &page)).await.expect("it has ended");
    bench.world.state().objects.clear();
    timeout(a_while, ended(&bench.world, &page)).await.expect("it has gone");
    let console = minio(&bench.run()).unwrap();
    timeout(a_while, ended(&bench.world, &console)).await.expect_err("MinIO comes back");
}

//! `lab logs`: from a word to lines.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::time::Duration;

use serde_json::json;

use super::world::{JobEnd, Say, container};
use super::{Bench, next, told};
use crate::components::JOBS_NAMESPACE;
use crate::ports::{LogQuery, Output};
use crate::run::logs::{Source, find, listing, read};

/// A lab without its long way up: a control plane, a worker, and these pods with logs.
fn bench(pods: &[(&str, &str, &str, &str)]) -> Bench {
    let bench = Bench::small();
    for (name, number) in [("lab-control-plane", 2), ("lab-worker", 3)] {
        bench.world.state().containers.push(container("lab", name, "lab", number));
    }
    for (namespace, name, label, phase) in pods {
        let (key, value) = label.split_once('=').unwrap();
        let metadata = json!({ "namespace": namespace, "name": name, "labels": { key: value } });
        let pod = json!({ "kind": "Pod", "metadata": metadata, "status": { "phase": phase } });
        bench.world.state().objects.insert(["Pod", namespace, name].map(str::to_owned), pod);
        bench.world.state().logs.insert((*name).to_owned(), format!("first of {name}\nlast of {name}\n"));
    }
    bench
}

const MINIO: (&str, &str, &str, &str) = ("object-store", "minio-0", "app.kubernetes.io/name=minio", "Running");

fn application(bench: &Bench, name: &str, state: &str, since: &str) {
    let metadata = json!({ "namespace": JOBS_NAMESPACE, "name": name, "creationTimestamp": since });
    let object = json!({
        "kind": "SparkApplication", "metadata": metadata, "status": { "applicationState": { "state": state } },
    });
    let key = ["SparkApplication", JOBS_NAMESPACE, name].map(str::to_owned);
    bench.world.state().objects.insert(key, object);
}

fn spark_pod(bench: &Bench, application: &str, role: &str, pod: &str) {
    let labels = json!({ "spark-role": role, "sparkoperator.k8s.io/app-name": application });
    let metadata = json!({ "namespace": JOBS_NAMESPACE, "name": pod, "labels": labels });
    let object = json!({ "kind": "Pod", "metadata": metadata, "status": { "phase": "Running" } });
    bench.world.state().objects.insert(["Pod", JOBS_NAMESPACE, pod].map(str::to_owned), object);
}

async fn found(bench: &Bench, word: &str) -> Vec<Source> {
    find(&bench.run(), word, false, false).await.unwrap()
}

async fn refused(bench: &Bench, word: &str) -> (u8, String, String) {
    let error = find(&bench.run(), word, false, false).await.unwrap_err();
    let (code, text) = told(&error);
    (code, text, next(&error))
}

/// Every line with the source that it came from.
async fn lines(bench: &Bench, sources: &[Source], query: &LogQuery) -> anyhow::Result<Vec<String>> {
    let seen = RefCell::new(Vec::new());
    let take = |source: &Source, line: &str| {
        seen.borrow_mut().push(format!("{}: {line}", source.name()));
        ControlFlow::Continue(())
    };
    read(&bench.run(), sources, query, &take).await?;
    Ok(seen.into_inner())
}

#[tokio::test(start_paused = true)]
async fn a_component_is_found_by_the_lab_s_own_word() {
    let bench = bench(&[MINIO]);
    let sources = found(&bench, "minio").await;
    assert_eq!(sources, [Source::Pod { namespace: "object-store".to_owned(), name: "minio-0".to_owned() }]);
    let tail = LogQuery { tail: Some(1), ..LogQuery::default() };
    assert_eq!(lines(&bench, &sources, &tail).await.unwrap(), ["minio-0: last of minio-0"]);
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn every_component_of_a_lab_that_stands_is_known() {
    let bench = Bench::full().made().await;
    for name in listing(&bench.run()).await.unwrap().components {
        // The world in memory makes no pods of DaemonSets, nor those that kind brings; that they are looked for is
        // enough.
        match find(&bench.run(), &name, false, false).await {
            Ok(sources) => {
                // The audit log is kept by each control plane.
                let wanted = if name == "audit" { 3 } else { 1 };
                assert_eq!(sources.len(), wanted, "{name}: {sources:?}");
            }
            Err(error) => {
                let text = told(&error).1;
                let of_kind = ["kube-system", "local-path-storage"].map(|place| format!("has no pods in {place}"));
                assert!(of_kind.iter().any(|end| text.contains(end)), "{name}: {text}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn several_pods_are_read_one_after_the_other_and_followed_side_by_side() {
    let router = |name| ("kube-system", name, "k8s-app=kube-router", "Running");
    let bench = bench(&[router("kube-router-b"), router("kube-router-a")]);
    let sources = found(&bench, "kube-router").await;
    let all = lines(&bench, &sources, &LogQuery::default()).await.unwrap();
    assert_eq!(
        all[..3],
        [
            "kube-router-a: first of kube-router-a",
            "kube-router-a: last of kube-router-a",
            "kube-router-b: first of kube-router-b"
        ]
    );
    bench.world.script("follow kube-system/kube-router-a", Say::Hang);
    let followed = tokio::time::timeout(Duration::from_secs(9), lines(&bench, &sources, &LogQuery::following())).await;
    assert!(followed.is_err(), "one of them never ends");
    assert_eq!(bench.world.count("follow kube-system/kube-router-b"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_has_gone_ends_everything() {
    let router = |name| ("kube-system", name, "k8s-app=kube-router", "Running");
    let bench = bench(&[router("kube-router-a"), router("kube-router-b")]);
    bench.world.script("follow kube-system/kube-router-a", Say::Hang);
    let sources = found(&bench, "kube-router").await;
    let take = |_: &Source, _: &str| ControlFlow::Break(());
    let (run, all) = (bench.run(), LogQuery::following());
    let reading = read(&run, &sources, &all, &take);
    tokio::time::timeout(Duration::from_secs(9), reading).await.expect("it ends").unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_log_that_cannot_be_read_does_not_hide_the_others() {
    let router = |name| ("kube-system", name, "k8s-app=kube-router", "Running");
    let bench = bench(&[router("kube-router-a"), router("kube-router-b")]);
    bench.world.script("read kube-system/kube-router-a", Say::Fail("container is waiting to start"));
    let seen = RefCell::new(0);
    let take = |_: &Source, _: &str| {
        *seen.borrow_mut() += 1;
        ControlFlow::Continue(())
    };
    let sources = found(&bench, "kube-router").await;
    let error = read(&bench.run(), &sources, &LogQuery::default(), &take).await.unwrap_err();
    let (code, text) = told(&error);
    assert_eq!((code, text.as_str()), (5, "no log of kube-router-a: container is waiting to start"));
    assert_eq!(seen.into_inner(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_has_not_started_is_waited_for_only_when_it_is_followed() {
    let bench = bench(&[("object-store", "minio-0", "app.kubernetes.io/name=minio", "Pending")]);
    let sources = found(&bench, "minio").await;
    let query = LogQuery::following();
    let following = lines(&bench, &sources, &query);
    let start = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(bench.world.count("follow"), 0);
        let key = ["Pod", "object-store", "minio-0"].map(str::to_owned);
        bench.world.state().objects.get_mut(&key).unwrap()["status"]["phase"] = json!("Running");
    };
    let (followed, ()) = tokio::join!(following, start);
    assert_eq!(followed.unwrap().len(), 2);
    assert_eq!(bench.said.notes(), ["minio-0: Pending"]);
}

#[tokio::test(start_paused = true)]
async fn a_job_means_the_driver_of_its_newest_run() {
    let bench = bench(&[]);
    application(&bench, "pi-aaaaaa", "COMPLETED", "2026-01-01T00:00:00Z");
    application(&bench, "pi-bbbbbb", "RUNNING", "2026-01-02T00:00:00Z");
    for name in ["pi-aaaaaa", "pi-bbbbbb"] {
        spark_pod(&bench, name, "driver", &format!("{name}-driver"));
        spark_pod(&bench, name, "executor", &format!("{name}-exec-1"));
        spark_pod(&bench, name, "executor", &format!("{name}-exec-2"));
    }
    let names = |sources: Vec<Source>| sources.iter().map(|source| source.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(found(&bench, "pi").await), ["pi-bbbbbb-driver"]);
    assert_eq!(names(found(&bench, "pi-aaaaaa").await), ["pi-aaaaaa-driver"]);
    let executors = find(&bench.run(), "pi", true, false).await.unwrap();
    assert_eq!(names(executors), ["pi-bbbbbb-exec-1", "pi-bbbbbb-exec-2"]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_ran_is_listed_and_its_driver_read() {
    let bench = Bench::small().made().await;
    let listed = listing(&bench.run()).await.unwrap();
    assert_eq!((listed.nodes.len(), listed.jobs[0].job.as_str()), (2, "smoke"));
    assert_eq!(listed.jobs[0].state, "COMPLETED");
    let sources = found(&bench, "smoke").await;
    let read = lines(&bench, &sources, &LogQuery::default()).await.unwrap();
    assert!(read[0].ends_with("-driver: reading the input"), "{read:?}");
}

#[tokio::test(start_paused = true)]
async fn a_job_without_pods_says_why() {
    let bench = bench(&[]);
    application(&bench, "pi-aaaaaa", "COMPLETED", "");
    let (code, text, _) = refused(&bench, "pi").await;
    assert!(code == 5 && text.contains("pi-aaaaaa has no driver any more: COMPLETED"), "{text}");
    assert!(text.contains("finished jobs are deleted after 60 minutes"), "{text}");
    let (_, text) = told(&find(&bench.run(), "pi", true, false).await.unwrap_err());
    assert!(text.contains("pi-aaaaaa has no executor any more") && text.contains("deleteOnTermination"), "{text}");
    application(&bench, "own-bbbbbb", "SUBMITTED", "");
    assert_eq!(refused(&bench, "own").await.1, "own-bbbbbb has no driver yet: SUBMITTED");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_begins_is_waited_for_when_it_is_followed() {
    let bench = Bench::small().made().await;
    bench.world.state().jobs.end = JobEnd::Runs;
    let submit = async { bench.act(crate::step::Action::Job(super::job::pi())).await };
    let wait = async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        find(&bench.run(), "pi", false, true).await
    };
    let (_, sources) = tokio::join!(submit, wait);
    assert!(sources.unwrap()[0].name().ends_with("-driver"));
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_told_from_what_never_was() {
    let bench = bench(&[MINIO]);
    for (word, again) in [("pi", "lab run pi --name lab"), ("smoke", "lab up --smoke --name lab")] {
        let (code, text, next) = refused(&bench, word).await;
        assert_eq!((code, next.as_str()), (5, again));
        assert!(text.starts_with(&format!("no run of {word} is there; finished jobs are deleted after")), "{text}");
    }
    assert_eq!(refused(&bench, "own-a1b2c3").await.0, 5);
    let (code, text, next) = refused(&bench, "mino").await;
    assert_eq!((code, next.as_str()), (2, "lab logs minio --name lab"));
    assert!(text.starts_with("nothing with a log is called mino; there are minio, spark-operator, "), "{text}");
    let (code, text, _) = refused(&bench, "load-balancer").await;
    assert!(code == 2 && text.contains("its configuration does not ask for it"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_node_shows_its_kubelet_and_goes_on_where_it_stopped() {
    let bench = bench(&[]);
    let answer = |text: &str| Say::Answer(Output { stdout: text.as_bytes().to_vec(), ..Output::default() });
    bench.world.script_times("exec lab-worker journalctl", 1, answer("one\ntwo\n-- cursor: s=1;i=2\n"));
    bench.world.script_times("exec lab-worker journalctl", 1, answer("three\n"));
    bench.world.script_times("exec lab-worker journalctl", 1, answer("four\n-- cursor: s=1;i=9\n"));
    bench.world.script("exec lab-worker journalctl", Say::Fail("the node has gone"));
    for word in ["node/lab-worker", "lab-worker"] {
        assert_eq!(found(&bench, word).await, [Source::Node("lab-worker".to_owned())]);
    }
    let seen = RefCell::new(Vec::new());
    let take = |_: &Source, line: &str| {
        seen.borrow_mut().push(line.to_owned());
        ControlFlow::Continue(())
    };
    let query = LogQuery { tail: Some(2), since: Some(Duration::from_mins(1)), ..LogQuery::following() };
    let sources = found(&bench, "lab-worker").await;
    read(&bench.run(), &sources, &query, &take).await.unwrap_err();
    assert_eq!(seen.into_inner(), ["one", "two", "three", "four"]);
    let asked: Vec<String> = bench.world.calls().into_iter().filter(|call| call.contains("journalctl")).collect();
    let ends = ["--lines=2 --since=-60s", "--after-cursor=s=1;i=2", "--after-cursor=s=1;i=2", "--after-cursor=s=1;i=9"];
    for (asked, end) in asked.iter().zip(ends) {
        assert!(asked.ends_with(&format!("--show-cursor {end}")), "{asked}");
    }
    assert_eq!(asked.len(), ends.len());
}

#[tokio::test(start_paused = true)]
async fn a_node_that_died_shows_what_its_container_said() {
    let bench = bench(&[]);
    bench.world.state().container("lab-worker").running = false;
    bench.world.state().logs.insert("lab-worker".to_owned(), "Failed to mount cgroup\n".to_owned());
    let sources = found(&bench, "lab-worker").await;
    let read = lines(&bench, &sources, &LogQuery::default()).await.unwrap();
    assert_eq!(read, ["lab-worker: Failed to mount cgroup"]);
}

#[tokio::test(start_paused = true)]
async fn what_only_pods_have_is_refused_for_others() {
    let bench = bench(&[MINIO]);
    let sources = found(&bench, "registry").await;
    let query = LogQuery { previous: true, ..LogQuery::default() };
    let (code, text) = told(&lines(&bench, &sources, &query).await.unwrap_err());
    assert!(code == 2 && text.contains("lab-registry is none"), "{text}");
    let (code, _) = told(&find(&bench.run(), "minio", true, false).await.unwrap_err());
    assert_eq!(code, 2);
}

//! Steps that fail, and steps that never end.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::world::Say;
use super::{Bench, next, told};
use crate::event::Event;
use crate::fault::Fault;

/// Makes one call fail and looks at how the run ends: the error's text and the steps that began.
async fn failing(call: &str) -> (Bench, String) {
    let bench = Bench::small();
    bench.world.script(call, Say::Fail("no space left on device"));
    let error = bench.up().await.unwrap_err();
    let (code, text) = told(&error);
    assert_eq!(code, 5, "{text}");
    assert!(text.contains("no space left on device"), "{text}");
    let next = next(&error);
    assert!(next.starts_with("docker system df ") && next.contains("lab up --name lab"), "{next}");
    assert!(!bench.said.0.borrow().iter().any(|event| matches!(event, Event::RunDone { .. })));
    (bench, text)
}

#[tokio::test(start_paused = true)]
async fn the_first_step_that_fails_stops_the_run() {
    let (bench, text) = failing("create network").await;
    assert!(text.starts_with("step network: Docker network lab (172.29.0.0/24)"), "{text}");
    let first = bench.plan().steps.into_iter().filter(|step| step.needs.is_empty()).map(|step| step.id.to_owned());
    assert_eq!(bench.said.started(), first.collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_step_in_the_middle_that_fails_stops_the_run() {
    let (bench, text) = failing("apply CustomResourceDefinition").await;
    assert!(text.starts_with("step definitions: "), "{text}");
    let started = bench.said.started();
    assert!(started.contains(&"cluster".to_owned()), "{started:?}");
    assert!(!started.contains(&"spark-operator".to_owned()) && !started.contains(&"smoke".to_owned()), "{started:?}");
}

#[tokio::test(start_paused = true)]
async fn the_last_step_that_fails_fails_the_run() {
    let (bench, text) = failing("exec minio-0 mc --no-color --quiet pipe").await;
    assert!(text.starts_with("step smoke: "), "{text}");
    assert_eq!(bench.said.started().len(), bench.plan().steps.len());
}

#[tokio::test(start_paused = true)]
async fn a_failure_does_not_wait_for_its_neighbours() {
    let bench = Bench::small();
    bench.world.script("image", Say::Hang);
    bench.world.script("create network", Say::Fail("no"));
    let started = Instant::now();
    bench.up().await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_says_what_was_seen_last() {
    let bench = Bench::small();
    bench.world.state().stuck.insert("minio".to_owned());
    let pod = json!({
        "kind": "Pod",
        "metadata": {
            "namespace": "object-store", "name": "minio-0", "labels": { "app.kubernetes.io/name": "minio" },
        },
        "status": { "phase": "Running", "containerStatuses": [{
            "restartCount": 3,
            "state": { "waiting": { "reason": "CrashLoopBackOff" } },
        }] },
    });
    bench.world.state().objects.insert(["Pod", "object-store", "minio-0"].map(str::to_owned), pod);
    bench.world.state().logs.insert("minio-0".to_owned(), "exec format error".to_owned());
    let started = Instant::now();
    let error = bench.up().await.unwrap_err();
    let (code, text) = told(&error);
    assert_eq!(code, 5);
    let expected = "step object-store: MinIO: not done within 300 s; \
        last seen: StatefulSet object-store/minio not ready: pod minio-0: CrashLoopBackOff";
    assert_eq!(text, expected);
    let fault = error.downcast_ref::<Fault>().unwrap();
    let culprit = "Pod object-store/minio-0: CrashLoopBackOff\n  log: exec format error";
    assert_eq!(fault.culprit.as_deref(), Some(culprit));
    assert_eq!(fault.known.unwrap().id, "exec-format");
    assert!(started.elapsed() < Duration::from_secs(400), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_without_any_sign_says_so() {
    let bench = Bench::small();
    bench.world.script("create network", Say::Hang);
    let (_, text) = told(&bench.up().await.unwrap_err());
    assert!(text.ends_with("not done within 30 s; nothing was seen"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_search_for_a_culprit_holds_no_failure_up() {
    let bench = Bench::small();
    bench.world.script("apply StatefulSet", Say::Fail("no"));
    bench.world.script("list Pod", Say::Hang);
    let started = Instant::now();
    bench.up().await.unwrap_err();
    assert!(started.elapsed() < Duration::from_mins(1), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_is_seen_twice_is_said_once() {
    let bench = Bench::small();
    bench.world.state().stuck.insert("minio".to_owned());
    bench.up().await.unwrap_err();
    let notes = bench.said.notes();
    assert_eq!(notes.iter().filter(|note| note.contains("object-store/minio not ready")).count(), 1, "{notes:?}");
}

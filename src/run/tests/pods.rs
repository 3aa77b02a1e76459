//! The proof of which pods are let in, and what becomes of several proofs.

use super::world::Say;
use super::{Bench, next, told};
use crate::run::verify::pods::{Pods, pods};
use crate::run::verify::{Subject, verify};

async fn proof(bench: &Bench) -> Pods {
    pods(&bench.run(), &bench.plan()).await.unwrap()
}

/// Changes the label by which a namespace says what it enforces.
fn enforce(bench: &Bench, namespace: &str, level: &str) {
    let mut state = bench.world.state();
    let key = ["Namespace", "", namespace].map(str::to_owned);
    state.objects.get_mut(&key).unwrap()["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = level.into();
}

#[tokio::test(start_paused = true)]
async fn each_namespace_refuses_what_it_should() {
    let bench = Bench::full().made().await;
    bench.world.heal();
    let proof = proof(&bench).await;
    assert!(proof.passed, "{proof:?}");
    assert_eq!(proof.attempts.len(), 5 * 4);
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_refuses_nothing_is_named() {
    let bench = Bench::full().made().await;
    enforce(&bench, "airflow", "privileged");
    let proof = proof(&bench).await;
    assert!(!proof.passed);
    assert_eq!(proof.namespaces.iter().map(|one| one.subject.as_str()).collect::<Vec<_>>(), ["Namespace airflow"]);
    let wrong: Vec<_> = proof.attempts.iter().filter(|one| !one.right).map(|one| (&*one.namespace, one.pod)).collect();
    let kinds = ["privileged", "hostPath volume", "no seccomp profile"];
    assert_eq!(wrong, kinds.map(|kind| ("airflow", kind)));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_another_reason_proves_nothing() {
    let bench = Bench::full().made().await;
    bench.world.state().objects.remove(&["Namespace", "", "object-store"].map(str::to_owned));
    let proof = proof(&bench).await;
    let wrong: Vec<_> = proof.attempts.iter().filter(|one| !one.right).map(|one| one.namespace.as_str()).collect();
    assert_eq!(wrong, ["object-store"; 4]);
}

#[tokio::test(start_paused = true)]
async fn an_api_that_does_not_answer_is_no_verdict() {
    let bench = Bench::full().made().await;
    bench.world.script("send POST /api/v1/namespaces/airflow/pods", Say::Fail("connection reset"));
    let error = pods(&bench.run(), &bench.plan()).await.unwrap_err();
    assert_eq!(told(&error).0, 5);
}

#[tokio::test(start_paused = true)]
async fn the_error_says_what_is_wrong_and_what_to_do() {
    let bench = Bench::full().made().await;
    enforce(&bench, "airflow", "baseline");
    let proof = verify(&bench.run(), &bench.plan(), &[Subject::Access, Subject::Pods]).await.unwrap();
    assert!(proof.access.as_ref().is_some_and(|proof| proof.passed) && proof.network.is_none());
    let error = proof.check(" --name lab").unwrap_err();
    assert_eq!(told(&error), (6, "lab lab is not as it should be: pods".to_owned()));
    assert!(next(&error).starts_with("lab up --name lab "), "{}", next(&error));
}

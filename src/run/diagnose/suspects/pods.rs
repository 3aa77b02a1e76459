//! Pods in trouble, and drivers whose trouble is somebody else's: an executor that was lost, keys that are refused.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Rank, Suspect};
use crate::fault::known;
use crate::run::diagnose::object::{label, list, name, namespace, number, text};
use crate::run::diagnose::pods;
use crate::run::diagnose::quote::quote;
use crate::run::diagnose::scene::Scene;

/// A pod that ended so long ago explains nothing that happens now.
const PAST: SignedDuration = SignedDuration::from_mins(30);
/// How much of an error in a log is quoted in the first line.
const QUOTED: usize = 200;
const SPARK_ROLE: &str = "spark-role";
const APPLICATION: &str = "sparkoperator.k8s.io/app-name";

pub fn suspects(scene: &Scene, said: &str, now: Timestamp) -> Vec<Suspect> {
    let mut found = Vec::new();
    for pod in scene.of("Pod").iter().filter(|pod| text(pod, "/metadata/deletionTimestamp").is_empty()) {
        let Some(reason) = pods::reason(pod) else {
            found.extend(pods::ended_before(pod).map(|reason| Suspect::new(scene, Rank::Waiting, pod, reason)));
            continue;
        };
        let mentioned = [name(pod), label(pod, APPLICATION)].iter().any(|name| !name.is_empty() && said.contains(name));
        let warned = !scene.warnings("Pod", namespace(pod), name(pod)).is_empty();
        let rank = if is_over(pod) && !mentioned && is_past(pod, now) {
            Rank::Past
        } else if pods::is_starting(pod) && !warned {
            Rank::Waiting
        } else {
            Rank::Pod
        };
        if label(pod, SPARK_ROLE) == "driver" && is_over(pod) {
            found.extend(behind_driver(scene, pod, rank));
        }
        if label(pod, SPARK_ROLE) == "executor" && ended_after_driver(scene, pod) {
            continue;
        }
        found.push(Suspect::new(scene, rank, pod, explained(scene, pod, reason)));
    }
    found
}

/// The reason, with what says more: the error in a failed driver's log, the probe that a pod does not pass.
fn explained(scene: &Scene, pod: &Value, reason: String) -> String {
    let warnings = scene.warnings("Pod", namespace(pod), name(pod));
    let unhealthy = warnings.iter().find(|event| text(event, "/reason") == "Unhealthy");
    match (unhealthy, quote(scene.log(namespace(pod), name(pod))).0) {
        (Some(event), _) if reason.starts_with("Running: ") => text(event, "/message").to_owned(),
        (_, Some(error)) if is_over(pod) => format!("{reason}; {error:.QUOTED$}"),
        _ => reason,
    }
}

/// True for a pod that has ended; its phase says so a moment later than its container.
fn is_over(pod: &Value) -> bool {
    text(pod, "/status/phase") == "Failed" || !ended(pod).is_empty()
}

fn is_past(pod: &Value, now: Timestamp) -> bool {
    let ended = ended(pod).parse::<Timestamp>();
    ended.is_ok_and(|ended| now.duration_since(ended) > PAST)
}

/// When the first container of a pod ended, empty where it has not.
fn ended(pod: &Value) -> &str {
    list(pod, "/status/containerStatuses")
        .first()
        .map(|one| text(one, "/state/terminated/finishedAt"))
        .unwrap_or_default()
}

fn same_application(one: &Value, other: &Value) -> bool {
    let application = label(one, APPLICATION);
    !application.is_empty() && application == label(other, APPLICATION) && namespace(one) == namespace(other)
}

/// Who made a driver fail, where it was not the driver itself.
fn behind_driver(scene: &Scene, driver: &Value, rank: Rank) -> Vec<Suspect> {
    let log = scene.log(namespace(driver), name(driver));
    let shows = |id: &str| known::all_in(log).iter().any(|known| known.id == id);
    // Without a body S3 says no more than that it refuses; but in the lab's own bucket nothing else can be wrong.
    let own = !scene.bucket.is_empty() && log.contains(&format!("s3a://{}/", scene.bucket));
    if shows("s3-unknown-key") || shows("s3-wrong-secret") || (own && shows("s3-access-denied")) {
        let rank = if rank == Rank::Past { rank } else { Rank::Credentials };
        let reason = format!("the object store refuses its keys; driver {} failed", name(driver));
        let suspect = |secret| {
            let mut suspect = Suspect::named(scene, rank, ["Secret", namespace(driver), secret], &reason);
            suspect.lines = quote(log).0.map(str::to_owned).into_iter().collect();
            suspect
        };
        return key_secret(driver).map(suspect).into_iter().collect();
    }
    if !shows("executor-lost") {
        return Vec::new();
    }
    let lost = |pod: &&Value| {
        label(pod, SPARK_ROLE) == "executor" && same_application(pod, driver) && !ended_after_driver(scene, pod)
    };
    let mut executors: Vec<&Value> =
        scene.of("Pod").iter().filter(lost).filter(|pod| pods::reason(pod).is_some()).collect();
    executors.sort_by_key(|pod| ended(pod));
    let rank = if rank == Rank::Past { rank } else { Rank::Executor };
    let why = |pod: &Value| format!("{}; driver {} lost it", pods::reason(pod).unwrap_or_default(), name(driver));
    executors.into_iter().map(|pod| Suspect::new(scene, rank, pod, why(pod))).collect()
}

/// True for an executor that ended because its driver did: not before it, and not by force.
fn ended_after_driver(scene: &Scene, executor: &Value) -> bool {
    let killed = list(executor, "/status/containerStatuses").iter().any(|one| {
        number(one, "/state/terminated/exitCode") == Some(137) || text(one, "/state/terminated/reason") == "OOMKilled"
    });
    let driver = |pod: &&Value| label(pod, SPARK_ROLE) == "driver" && same_application(pod, executor);
    let ends = scene.of("Pod").iter().find(driver).map(ended).unwrap_or_default();
    !killed && !ends.is_empty() && ended(executor) >= ends
}

/// The Secret from which a pod has its S3 keys.
fn key_secret(pod: &Value) -> Option<&str> {
    let containers = list(pod, "/spec/containers").iter();
    let mut variables = containers.flat_map(|container| list(container, "/env"));
    let key = |variable: &&Value| text(variable, "/name").starts_with("AWS_");
    variables
        .find(|variable| key(variable) && variable["valueFrom"]["secretKeyRef"].is_object())
        .map(|variable| text(variable, "/valueFrom/secretKeyRef/name"))
}

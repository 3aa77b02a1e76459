//! The crash matrix: whatever call a run is killed at, or finds broken, the next `up` ends where an undisturbed
//! one does, and the one after that changes nothing.

use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::{Value, json};

use super::Bench;
use super::world::{Machine, Say, State};
use crate::run::check_host;

/// A question small enough to be answered thousands of times.
fn bench(full: bool) -> Bench {
    let mut bench = if full { Bench::full() } else { Bench::small() };
    bench.lab.smoke.pages = 12;
    bench.lab.smoke.iterations = 2;
    bench
}

/// As `lab up`: the checks, then the plan.
async fn up(bench: &Bench) -> anyhow::Result<()> {
    bench.world.revive();
    check_host(&bench.run(), &Machine::default()).await?;
    bench.up().await
}

/// As [`up`], until it is killed.
async fn up_until_killed(bench: &Bench) {
    tokio::select! {
        biased;
        () = bench.world.killed() => {}
        result = up(bench) => panic!("it came to its end: {result:?}"),
    }
}

/// What there is in the world, without what is random or counts how often something was done.
fn picture(state: &State) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    all.extend(state.networks.iter().map(|network| format!("{network:?}")));
    all.extend(state.containers.iter().map(|container| format!("{container:?}")));
    all.extend(state.volumes.iter().map(|volume| format!("volume {volume:?}")));
    all.extend(state.images.keys().map(|image| format!("image {image}")));
    all.extend(state.files.keys().map(|file| format!("file {file:?}")));
    all.extend(state.packet_rules.iter().map(|rules| format!("rules {rules:?}")));
    all.extend(state.pulled.iter().map(|pulled| format!("pulled {pulled:?}")));
    all.extend(state.registry.iter().map(|tag| format!("tag {tag:?}")));
    all.extend(state.objects.values().map(|object| format!("object {}", settled(object))));
    all.extend(state.buckets.iter().map(|bucket| format!("bucket {bucket}")));
    all.extend(state.users.iter().map(|user| format!("user {user:?}")));
    all.extend(state.policies.iter().map(|policy| format!("policy {policy:?}")));
    all.extend(state.store.keys().map(|path| format!("stored {path}")));
    let mut all: Vec<String> = all.iter().map(|line| without_number(line)).collect();
    all.sort();
    all
}

/// An object without what differs from run to run.
fn settled(object: &Value) -> Value {
    let mut object = object.clone();
    for field in ["uid", "generation", "creationTimestamp"] {
        object["metadata"][field] = Value::Null;
    }
    object["status"]["observedGeneration"] = Value::Null;
    for reference in object["metadata"]["ownerReferences"].as_array_mut().into_iter().flatten() {
        reference["uid"] = Value::Null;
    }
    // Random, a record with times, and a job's own files.
    if let Some(data) = object["data"].as_object_mut() {
        data.values_mut().for_each(|value| *value = json!("…"));
    }
    object
}

/// `smoke-1a2b3c` is `smoke-…`.
fn without_number(line: &str) -> String {
    let mut parts = line.split("smoke-");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let number = part.chars().take_while(char::is_ascii_hexdigit).count();
        let number = if number >= 6 { 6 } else { 0 };
        text.push_str("smoke-…");
        text.push_str(&part[number..]);
    }
    text
}

/// The next `up` ends where an undisturbed one does, and then all is at rest; else why not.
async fn converges(bench: &Bench, whole: &[String]) -> Result<(), String> {
    bench.world.heal();
    up(bench).await.map_err(|error| format!("the next up fails: {error:#}"))?;
    let now = picture(&bench.world.state());
    if now != whole {
        let missing: Vec<&String> = whole.iter().filter(|line| !now.contains(line)).collect();
        let more: Vec<&String> = now.iter().filter(|line| !whole.contains(line)).collect();
        return Err(format!("missing {missing:#?}, and more than there should be: {more:#?}"));
    }
    if fs_err::read_to_string(bench.run().kubeconfig()).ok() != Some(bench.world.state().kubeconfig.clone()) {
        return Err("the kubeconfig is not kind's".to_owned());
    }
    bench.world.heal();
    up(bench).await.map_err(|error| format!("the third up fails: {error:#}"))?;
    let changes = bench.world.changes();
    if changes.is_empty() { Ok(()) } else { Err(format!("the third up changes {changes:?}")) }
}

/// What a matrix found.
#[derive(Default)]
struct Cases {
    count: usize,
    broken: Vec<String>,
}

impl Cases {
    fn add(&mut self, case: &str, result: Result<(), String>) {
        self.count += 1;
        self.broken.extend(result.err().map(|why| format!("{case}: {why}")));
    }

    /// All of at least so many cases converged.
    #[expect(clippy::print_stdout, reason = "the figure is what the matrix is for")]
    fn judge(&self, name: &str, least: usize) {
        let (count, broken) = (self.count, self.broken.len());
        println!("{name}: {} of {count} cases converge", count - broken);
        assert!(broken == 0, "{name}: {broken} of {count}:\n{}", self.broken.join("\n"));
        assert!(count >= least, "{name}: only {count} cases");
    }
}

/// The calls of an undisturbed run, and what there is afterwards.
async fn undisturbed(full: bool) -> (Vec<String>, Vec<String>) {
    let bench = bench(full);
    up(&bench).await.unwrap();
    let whole = picture(&bench.world.state());
    (bench.world.calls(), whole)
}

/// Into how many parts a call can be cut.
fn parts(call: &str, full: bool) -> usize {
    match call.split(' ').collect::<Vec<_>>()[..] {
        // Containers one by one, then its kubeconfig.
        ["create", "cluster", _] => {
            if full {
                7
            } else {
                2
            }
        }
        // Created, not started; taken off the network, not back on it.
        ["run", "container", _] | ["pin", ..] => 1,
        _ => 0,
    }
}

async fn killed_at_every_call(full: bool) {
    let (calls, whole) = undisturbed(full).await;
    let mut cases = Cases::default();
    for (number, call) in (1..).zip(&calls) {
        let halves = (1..=parts(call, full)).map(Say::KillHalfway);
        for say in [Say::Kill, Say::KillAfter].into_iter().chain(halves) {
            let case = format!("killed at call {number} of {}, {call}, {say:?}", calls.len());
            let bench = bench(full);
            bench.world.script_number(number, say);
            up_until_killed(&bench).await;
            cases.add(&case, converges(&bench, &whole).await);
        }
    }
    let name = format!("crash matrix, {}, {} calls", if full { "full" } else { "small" }, calls.len());
    cases.judge(&name, 2 * calls.len().max(150));
}

#[tokio::test(start_paused = true)]
async fn a_small_lab_killed_at_any_call_converges() {
    killed_at_every_call(false).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_lab_killed_at_any_call_converges() {
    killed_at_every_call(true).await;
}

async fn failing_once_at_every_call(full: bool) {
    let (calls, whole) = undisturbed(full).await;
    let mut cases = Cases::default();
    for (number, call) in (1..).zip(&calls) {
        for say in [Say::Fail("cut off"), Say::FailAfter("cut off")] {
            let case = format!("call {number} of {}, {call}, {say:?}", calls.len());
            let bench = bench(full);
            bench.world.script_number(number, say);
            if let Err(error) = up(&bench).await {
                assert!(format!("{error:#}").contains("cut off"), "{case}: {error:#}");
            }
            cases.add(&case, converges(&bench, &whole).await);
        }
    }
    let name = format!("failing once, {}, {} calls", if full { "full" } else { "small" }, calls.len());
    cases.judge(&name, 2 * calls.len().max(150));
}

#[tokio::test(start_paused = true)]
async fn a_small_lab_whose_calls_fail_once_converges() {
    failing_once_at_every_call(false).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_lab_whose_calls_fail_once_converges() {
    failing_once_at_every_call(true).await;
}

/// Of all steps of the full plan.
fn positions() -> Vec<usize> {
    (0..bench(true).plan().steps.len()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any part of the plan may be done already.
    #[test]
    fn whatever_is_done_already_the_end_is_the_same(wanted in subsequence(positions(), 0..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (_, whole) = undisturbed(true).await;
            let bench = bench(true);
            let mut plan = bench.plan();
            let mut steps = wanted.iter().map(|position| plan.steps[*position].id).collect::<Vec<_>>();
            for step in plan.steps.iter().rev() {
                if steps.contains(&step.id) {
                    steps.extend(&step.needs);
                    // Nodes wait for their network beside it, not after it; so does what is pulled onto them.
                    steps.extend(match step.id {
                        "nodes" => Some("network-plugin"),
                        "prefetch" => Some("cluster"),
                        _ => None,
                    });
                }
            }
            plan.steps.retain(|step| steps.contains(&step.id));
            bench.run().up(&plan).await.unwrap();
            let result = converges(&bench, &whole).await;
            prop_assert_eq!(result, Ok(()), "after {:?}", steps);
            Ok(())
        })?;
    }
}

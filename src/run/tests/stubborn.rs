//! Every kind of call failing for ever, hanging for ever, flooding, and answering what is no text.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::world::Say;
use super::{Bench, next, told};
use crate::event::Event;
use crate::fault::Kind;
use crate::ports::Output;

/// What a call does, without what it does it to: `apply Role`, `exec minio-0 mc mb`.
fn kind(call: &str) -> String {
    let words = call.split(' ').filter(|word| !word.starts_with("--"));
    let word = |word: &str| word.split(['/', ':', '.', '=']).next().unwrap_or_default().to_owned();
    // Of an exec the command counts, of the others the first thing they are done to.
    let count = if call.starts_with("exec minio-0") {
        5
    } else if call.starts_with("exec") {
        3
    } else {
        2
    };
    words.take(count).map(word).collect::<Vec<_>>().join(" ")
}

/// The text that all calls of a kind begin with; names of smoke jobs are made up each time.
fn start(call: &str) -> &str {
    let end = call.find("smoke-").unwrap_or(call.len());
    match call.split_once(' ') {
        Some(("exec", rest)) if !rest.starts_with("minio-0") => {
            // Every call of this command in this container, whatever its last word.
            let words: usize = rest.split(' ').take(2).map(|word| word.len() + 1).sum();
            &call[..("exec".len() + words).min(end)]
        }
        _ => &call[..end],
    }
}

/// The first call of each kind in an undisturbed run.
async fn calls() -> Vec<String> {
    let bench = Bench::small();
    bench.up().await.unwrap();
    let mut seen = BTreeSet::new();
    let mut calls = bench.world.calls();
    calls.retain(|call| seen.insert(kind(call)));
    calls.iter().map(|call| start(call).to_owned()).collect()
}

/// Steps that began and did not end, or that failed.
fn open_steps(bench: &Bench) -> Vec<String> {
    let mut open = bench.said.started();
    for event in bench.said.0.borrow().iter() {
        if let Event::StepDone { id, .. } = event {
            open.retain(|step| step != id);
        }
    }
    open
}

/// Checks how a run ended that met a call that never works; how long it took.
async fn ends_well(call: &str, say: Say) -> (Bench, Option<anyhow::Error>) {
    let bench = Bench::small();
    bench.world.script(call, say);
    let started = Instant::now();
    let result = bench.up().await;
    let took = started.elapsed();
    let Err(error) = result else { return (bench, None) };
    let (code, text) = told(&error);
    assert_ne!(code, Kind::Bug.exit_code(), "{call}: {text}");
    let step = open_steps(&bench).into_iter().find(|step| text.contains(&format!("step {step}")));
    let names_more = text.starts_with("smoke job ") || text.starts_with("job ");
    assert!(step.is_some() || names_more, "{call}: no step is named: {text}");
    assert!(!next(&error).is_empty(), "{call}: nothing to type next: {text}");
    // The steps before it take no time: time stands still but for waiting.
    let step = step.unwrap_or_else(|| "smoke".to_owned());
    let deadline = bench.plan().steps.iter().find(|one| one.id == step).unwrap().deadline;
    // The search for a culprit may take its own time.
    let longest = deadline.mul_f64(1.1) + Duration::from_secs(35);
    assert!(took <= longest, "{call}: {step} may take {deadline:?}, the run took {took:?}");
    (bench, Some(error))
}

/// Calls without which the lab comes up as well.
const DISPENSABLE: [&str; 2] = ["follow ", "get Pod/spark-jobs/"];

fn is_dispensable(call: &str) -> bool {
    DISPENSABLE.iter().any(|start| call.starts_with(start))
}

#[tokio::test(start_paused = true)]
#[expect(clippy::print_stdout, reason = "the figure is what the test is for")]
async fn calls_that_fail_for_ever_end_their_step() {
    let calls = calls().await;
    for call in &calls {
        let (_, error) = ends_well(call, Say::Fail("cut off")).await;
        match error {
            Some(error) => assert!(format!("{error:#}").contains("cut off"), "{call}: {error:#}"),
            None => assert!(is_dispensable(call), "{call} fails and nobody notices"),
        }
    }
    println!("{} kinds of calls fail for ever", calls.len());
    assert!(calls.len() > 50, "{calls:#?}");
}

#[tokio::test(start_paused = true)]
async fn calls_that_hang_for_ever_are_ended_by_the_deadline() {
    for call in &calls().await {
        let (bench, error) = ends_well(call, Say::Hang).await;
        match error {
            Some(error) => {
                let text = format!("{error:#}");
                let noted = bench.said.notes();
                let says = text.contains("last seen: ") || text.contains("nothing was seen");
                assert!(says && text.contains("not done within"), "{call}: {text}");
                let seen = text.split("last seen: ").nth(1).map(|seen| seen.lines().next().unwrap_or_default());
                assert!(seen.is_none_or(|seen| noted.iter().any(|note| note.starts_with(seen))), "{call}: {text}");
            }
            None => assert!(is_dispensable(call), "{call} hangs and nobody notices"),
        }
    }
}

/// What comes from outside may be no text, or huge.
fn outputs() -> [(&'static str, Vec<u8>); 4] {
    [
        ("no UTF-8", vec![0xff, 0xfe, b'\n', 0xc3, 0x28, 0x80]),
        ("binary", (0..=255).collect()),
        ("a hundred megabytes in one line", vec![b'x'; 100_000_000]),
        ("a million lines", b"1\t2\n".repeat(1_000_000)),
    ]
}

#[tokio::test(start_paused = true)]
async fn outputs_that_are_no_text_or_huge_are_survived() {
    let execs: Vec<String> = calls().await.into_iter().filter(|call| call.starts_with("exec ")).collect();
    assert!(execs.len() > 10, "{execs:?}");
    for (name, bytes) in outputs() {
        for code in [0, 1] {
            let stderr = String::from_utf8_lossy(&bytes[..bytes.len().min(1_000_000)]).into_owned();
            let answer = Output { code, stdout: bytes.clone(), stderr };
            for call in &execs {
                // Huge ones are tried once for each reader.
                if bytes.len() > 1000 && !["cat", "ctr", "info"].iter().any(|word| call.contains(word)) {
                    continue;
                }
                let bench = Bench::small();
                bench.world.script_times(call, 3, Say::Answer(answer.clone()));
                if let Err(error) = bench.up().await {
                    let (exit, text) = told(&error);
                    assert!(exit != 1 && !next(&error).is_empty(), "{call}, {name}: {exit} {text:.1000}");
                    assert!(
                        text.len() < 2_000_000,
                        "{call}, {name}: the error has {} characters: {text:.300}",
                        text.len()
                    );
                }
                bench.world.heal();
                bench.up().await.unwrap_or_else(|error| panic!("{call}, {name}: {error:.1000}"));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_progress_and_logs_is_survived() {
    let bench = Bench::small();
    bench.world.state().flood = 1_000_000;
    let started = std::time::Instant::now();
    bench.up().await.unwrap();
    assert!(started.elapsed() < Duration::from_mins(1), "{:?}", started.elapsed());
    let lines = bench.said.0.borrow().iter().filter(|event| matches!(event, Event::JobLog { .. })).count();
    assert!(lines >= 1_000_000, "the driver's log has all its lines: {lines}");
}

#[test]
fn kinds_of_calls_are_told_apart() {
    assert_eq!(kind("apply Role/spark-jobs/spark"), "apply Role");
    assert_eq!(kind("exec minio-0 mc --quiet mb lab/lab"), "exec minio-0 mc mb lab");
    assert_eq!(start("get Pod/spark-jobs/smoke-123456-driver"), "get Pod/spark-jobs/");
    assert_eq!(start("exec lab-worker timeout 3 bash"), "exec lab-worker timeout");
}

//! `--output json` of verbs that run steps: every line an event, and the last one always the end.

use std::collections::BTreeSet;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::bench::{Bench, JobEnd};
use crate::engine::Engine;
use crate::sandbox::{Finished, Sandbox};
use crate::schema::{assert_valid, problems, schema};

/// The events of a run, each checked against its schema, the last one against the exit code.
#[track_caller]
fn events(finished: &Finished) -> Vec<Value> {
    let events: Vec<Value> = finished.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for event in &events {
        assert_valid("event", event);
    }
    let (last, before) = events.split_last().unwrap_or_else(|| panic!("no line; {}", finished.stderr));
    assert_eq!((&last["event"], last["exitCode"].as_i64()), (&json!("end"), finished.code.map(i64::from)));
    assert!(before.iter().all(|event| event["event"] != "end"), "{}", finished.stdout);
    // The error once more for people, and nothing else: warnings are events.
    let text = finished.stderr.trim_start();
    match &last["error"] {
        Value::Null => assert_eq!(text, ""),
        error => {
            let heading = format!("{}: {}", last["kind"].as_str().unwrap(), error["what"].as_str().unwrap());
            assert!(text.starts_with(&heading), "{heading:?} is not the start of {text:?}");
        }
    }
    events
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap()).collect()
}

#[test]
fn an_end_before_the_first_step_is_the_only_line() {
    let no_engine = Sandbox::new();
    for (args, code) in [
        (&["up"][..], 4),
        (&["up", "--config", "none.yaml"], 3),
        (&["run", "pi"], 4),
        (&["run", "pgrank"], 2),
        (&["images", "build"], 4),
        (&["images", "pull"], 4),
    ] {
        let finished = no_engine.run(&[args, &["--output", "json"]].concat());
        finished.code(code);
        assert_eq!(kinds(&events(&finished)), ["end"], "{args:?}");
    }
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    for (args, code) in [(&["up"][..], 4), (&["run", "pi"], 5), (&["images", "build", "sprak"], 2)] {
        let finished = sandbox.run(&[args, &["--output", "json"]].concat());
        finished.code(code);
        assert_eq!(kinds(&events(&finished)), ["end"], "{args:?}");
    }
}

#[test]
fn a_step_that_fails_is_an_event_and_its_error_the_end() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.tool("bash", "exit 0");
    sandbox.tool("docker", "echo '#5 [2/3] RUN go build'; echo 'checksum mismatch' >&2; exit 3");
    let finished = sandbox.run(&["images", "build", "--output", "json", "base"]);
    finished.code(5);
    let events = events(&finished);
    let kinds = kinds(&events);
    assert_eq!((kinds[0], &kinds[kinds.len() - 2..]), ("stepStarted", &["stepFailed", "end"][..]));
    let end = &events[events.len() - 1];
    assert_eq!((&end["kind"], &end["error"]["what"]), (&json!("failed"), &json!("image base cannot be built")));
    assert!(end["error"]["causes"].to_string().contains("checksum mismatch"), "{end}");
    assert!(end["error"]["next"].as_str().unwrap().starts_with("lab images build"), "{end}");
}

/// The first steps run; the engine has no networks to give.
#[test]
fn an_up_that_fails_prints_nothing_but_events() {
    let (mut sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.tool("kind", "echo 'kind v0.33.0 go1.25 linux/amd64'");
    // Whatever this machine has.
    let fit = "port-api=free,port-registry=free,route=none,inotify-instances=8192,inotify-watches=1048576";
    sandbox.set("LAB_DOCTOR_VALUES", fit);
    let finished = sandbox.run(&["up", "-o", "json", "--config", "small"]);
    finished.code(5);
    let events = events(&finished);
    // What this machine lacks comes first.
    let kinds = kinds(&events).into_iter().skip_while(|kind| *kind == "warning").collect::<Vec<_>>();
    assert_eq!(kinds[..2], ["runStarted", "stepStarted"]);
    assert!(kinds.contains(&"stepFailed"), "{}", finished.stdout);
}

/// Those of the environment, of the configuration and of the machine.
#[test]
fn warnings_are_events_with_what_mends_them() {
    let (mut sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.file("old.yaml", "apiVersion: lab/v1alpha1\nkind: Lab\nmetadata: {name: lab}\n");
    sandbox.set("LAB_STAT", "elsewhere");
    sandbox.tool("kind", "echo 'kind v0.99.0 go1.25 linux/amd64'");
    let fit = "port-api=free,port-registry=free,route=none,inotify-instances=8192,inotify-watches=1048576";
    sandbox.set("LAB_DOCTOR_VALUES", fit);
    let finished = sandbox.run(&["up", "-o", "json", "--config", "old.yaml"]);
    finished.code(5);
    let events = events(&finished);
    let told = sandbox.run(&["up", "--ci", "--config", "old.yaml"]);
    for (id, next) in [
        ("unknown-variable", None),
        ("old-configuration", Some("lab config migrate old.yaml   (shows it in lab/v1alpha2)")),
        ("kind", Some("go install sigs.k8s.io/kind@v0.33.0   (and remove the other from PATH)")),
    ] {
        let warnings = events.iter().filter(|event| event["event"] == "warning" && event["id"] == id);
        let [warning] = warnings.collect::<Vec<_>>()[..] else { panic!("not one {id}: {}", finished.stdout) };
        assert_eq!(warning["next"].as_str(), next);
        // People read the same, a line each.
        let next = next.map(|next| format!(": {next}")).unwrap_or_default();
        told.says(&format!("warning: {}{next}\n", warning["what"].as_str().unwrap()));
    }
}

#[test]
fn a_signal_is_an_end_like_any_other() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let (sandbox, engine) = Sandbox::with(Engine::silent);
        let running = sandbox.start(&["up", "--output", "json"]);
        engine.wait_for("/version");
        running.signal(signal);
        let finished = running.end();
        finished.code(code);
        assert_eq!(events(&finished)[0]["kind"], "interrupted");
    }
}

#[test]
fn a_lab_in_other_hands_is_an_end_too() {
    let (sandbox, engine) = Sandbox::with(Engine::stuck);
    let holder = sandbox.start(&["down"]);
    engine.wait_for("/containers/json");
    let finished = sandbox.run(&["up", "--output", "json"]);
    finished.code(8);
    assert_eq!(events(&finished)[0]["kind"], "locked");
    holder.signal(Signal::SIGTERM);
    holder.end().code(143);
}

/// The whole of a run that makes a lab in memory, and of one whose job gives a wrong answer.
#[test]
fn every_event_of_a_whole_run_is_as_its_schema_says() {
    for (end, code, last) in [(JobEnd::Right, 0, "runDone"), (JobEnd::WrongRank, 6, "stepFailed")] {
        let bench = Bench::small();
        bench.world.state().images.clear();
        bench.world.state().jobs.end = end;
        assert_eq!(bench.up(), code);
        let mut seen = Vec::new();
        for event in bench.said() {
            let line: Value = serde_json::from_str(&lab::report::line(event).unwrap()).unwrap();
            assert_valid("event", &line);
            seen.push(line);
        }
        let kinds = kinds(&seen);
        assert_eq!((kinds[0], *kinds.last().unwrap()), ("runStarted", last));
        let steps = seen[0]["steps"].as_array().unwrap().len();
        assert_eq!(kinds.iter().filter(|kind| **kind == "stepStarted").count(), steps);
        let judged = seen.iter().find(|event| event["event"] == "smokeJudged").unwrap();
        assert_eq!(judged["verdict"]["passed"], code == 0);
        let done = |event: &&Value| event["event"] == "stepDone";
        assert!(seen.iter().filter(done).any(|event| event["outcome"]["changed"] == true));
        assert!(seen.iter().any(|event| event["event"] == "jobLog"));
        // No registry is in reach.
        assert!(seen.iter().any(|event| event["event"] == "warning" && event["id"] == "built-instead"));
    }
}

/// Of two fields with one name, readers see one.
#[test]
fn no_event_has_a_field_of_its_line() {
    let line = schema("event");
    let names = |schema: &Value| -> BTreeSet<String> {
        schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
    };
    for event in line["oneOf"].as_array().unwrap() {
        let parts = event["$ref"].as_str().map(|part| &line["$defs"][part.trim_start_matches("#/$defs/")]);
        for fields in [Some(event), parts].into_iter().flatten().map(names) {
            assert!(fields.is_disjoint(&names(&line)), "{fields:?} of {event:#}");
        }
    }
}

#[test]
fn a_wrong_field_is_caught() {
    let event = lab::event::Event::JobLog { line: "hello".to_owned() };
    let right: Value = serde_json::from_str(&lab::report::line(event).unwrap()).unwrap();
    assert_valid("event", &right);
    for (field, value) in
        [("line", json!(1)), ("lines", json!("hello")), ("event", json!("log")), ("schema", json!("v2"))]
    {
        let mut wrong = right.clone();
        wrong[field] = value;
        assert_ne!(problems("event", &wrong), Vec::<String>::new(), "{field}");
    }
    let mut wrong = right;
    wrong.as_object_mut().unwrap().remove("at");
    assert_ne!(problems("event", &wrong), Vec::<String>::new());
}

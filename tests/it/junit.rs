//! `lab up --junit FILE`: written however the run ends.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nix::sys::signal::Signal;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus};

use crate::bench::{Bench, JobEnd, Say};
use crate::engine::Engine;
use crate::sandbox::Sandbox;

fn read(path: &Path) -> Report {
    Report::deserialize_from_str(&fs_err::read_to_string(path).unwrap()).unwrap()
}

/// Names of a suite's cases, with how each ended: `+` passed, `-` failed, `!` error, `0` skipped.
fn cases(report: &Report, suite: &str) -> Vec<String> {
    let suite = report.test_suites.iter().find(|found| found.name.as_str() == suite);
    let mark = |case: &TestCase| match &case.status {
        TestCaseStatus::Success { .. } => '+',
        TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. } => '-',
        TestCaseStatus::NonSuccess { .. } => '!',
        TestCaseStatus::Skipped { .. } => '0',
    };
    let cases = suite.map(|suite| &suite.test_cases).into_iter().flatten();
    cases.map(|case| format!("{}{}", mark(case), case.name.as_str())).collect()
}

/// Message and text of the only case that did not pass.
fn failure(report: &Report) -> (String, String) {
    let cases = report.test_suites.iter().flat_map(|suite| &suite.test_cases);
    let told = |case: &TestCase| match &case.status {
        TestCaseStatus::NonSuccess { message, description, .. } => {
            let text =
                |part: &Option<quick_junit::XmlString>| part.as_ref().map_or("", |part| part.as_str()).to_owned();
            Some((text(message), text(description)))
        }
        _ => None,
    };
    let failures: Vec<_> = cases.filter_map(told).collect();
    assert_eq!(failures.len(), 1, "{failures:?}");
    failures.into_iter().next().unwrap()
}

#[test]
fn a_run_that_passes_has_a_case_for_each_step_and_each_claim() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.xml");
    let bench = Bench::with_junit(&path);
    assert_eq!(bench.up(), 0);
    let report = read(&path);
    let steps = cases(&report, "lab up");
    assert!(steps.len() > 15 && steps.iter().all(|case| case.starts_with('+')), "{steps:?}");
    assert_eq!(cases(&report, "smoke"), ["+input", "+ranks", "+executors", "+nodes", "+work"]);
    assert!(report.test_suites[0].test_cases.iter().all(|case| case.time.is_some() && case.system_out.is_some()));
    // A second run finds the verdict and reports it again.
    assert_eq!(bench.up(), 0);
    assert_eq!(cases(&read(&path), "smoke").len(), 5);
    assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left beside it");
}

#[test]
fn a_wrong_answer_fails_its_claim_and_its_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.xml");
    let bench = Bench::with_junit(&path);
    bench.world.state().jobs.end = JobEnd::WrongRank;
    assert_eq!(bench.up(), 6);
    let report = read(&path);
    assert_eq!(cases(&report, "smoke"), ["+input", "-ranks", "+executors", "+nodes", "+work"]);
    assert_eq!(cases(&report, "lab up").last().unwrap(), "-smoke");
}

#[test]
fn a_step_that_fails_has_the_errors_text_and_the_rest_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.xml");
    let bench = Bench::with_junit(&path);
    // What a terminal would do with it is no concern of XML's.
    bench.world.script("create cluster", Say::Fail("kind says <no> & \u{1b}[31mfails\u{0}"));
    assert_eq!(bench.up(), 5);
    let report = read(&path);
    let steps = cases(&report, "lab up");
    for expected in ["+network", "-cluster", "0nodes", "0smoke"] {
        assert!(steps.iter().any(|case| case == expected), "{expected} is not among {steps:?}");
    }
    let (what, text) = failure(&report);
    assert!(what.starts_with("step cluster: "), "{what}");
    assert!(text.contains("kind says <no> & ") && text.contains("next: lab "), "{text}");
    assert_eq!(cases(&report, "smoke"), Vec::<String>::new());
}

#[test]
fn an_end_outside_of_any_step_is_a_case_of_its_own() {
    let (sandbox, engine) = Sandbox::with(Engine::silent);
    let path = sandbox.path("out.xml");
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let running = sandbox.start(&["up", "--junit", "out.xml"]);
        engine.wait_for("/version");
        running.signal(signal);
        running.end().code(code);
        assert_eq!(cases(&read(&path), "lab up"), ["!end"]);
        assert_eq!(failure(&read(&path)).0, "stopped before the end");
        fs_err::remove_file(&path).unwrap();
    }
    Sandbox::new().run(&["up", "--junit", &path.display().to_string()]).code(4);
    let (what, text) = failure(&read(&path));
    assert!(what == "no Docker engine answers" && text.contains("next: make setup"), "{what} {text}");
    let mode = fs_err::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_ne!(mode, 0o600, "whoever collects reports must be able to read it");
}

#[test]
fn a_file_that_cannot_be_written_is_known_before_anything_starts() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    fs_err::create_dir(sandbox.path("folder")).unwrap();
    for path in ["folder", "none/out.xml", "/proc/out.xml", "/"] {
        let finished = sandbox.run(&["up", "--junit", path]);
        finished.code(2).says(&format!("usage: --junit: {path} cannot be written")).says("next: ");
        assert!(!sandbox.path("state").exists(), "{path}");
        let finished = sandbox.run(&["up", "--junit", path, "-o", "json"]);
        assert!(finished.stdout.contains(r#""event":"end","exitCode":2"#), "{}", finished.stdout);
    }
}

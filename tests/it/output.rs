//! Where output goes, and what it looks like there.

use std::path::Path;
use std::process::Stdio;

use crate::engine::Engine;
use crate::sandbox::Sandbox;

#[test]
fn data_goes_to_standard_output_and_talk_does_not() {
    let finished = Sandbox::new().run(&["plan", "-o", "json"]);
    finished.code(0);
    let plan: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(plan["lab"], "lab");
    assert_eq!(finished.stderr, "");
}

#[test]
fn a_status_is_data_even_where_nothing_is_up() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    let finished = sandbox.run(&["status", "--output", "json"]);
    finished.code(5);
    let status: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!((&status["name"], &status["api"]), (&"lab".into(), &serde_json::Value::Null));
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    for args in [&["plan", "-o", "json"][..], &["plan"], &["--help"], &["images", "--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Sandbox::new().command(args).stdout(writer).output().unwrap();
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    }
}

#[test]
fn standard_error_may_be_closed_as_well() {
    for log in ["warn", "trace"] {
        let mut sandbox = Sandbox::new();
        sandbox.set("LAB_LOG", log);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = sandbox.command(&["up"]).stderr(writer).stdout(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(4), "{log}");
    }
}

/// Runs on a terminal; what that shows.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn on_a_terminal(sandbox: &Sandbox, args: &str) -> Option<String> {
    let script = Path::new("/usr/bin/script");
    if !script.exists() {
        eprintln!("skipped: {} is not here", script.display());
        return None;
    }
    let command = format!("{} {args}", env!("CARGO_BIN_EXE_lab"));
    let output = sandbox.command_of(script, &["-qec", &command, "/dev/null"]).output().unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn no_colour_on_wish_and_none_for_ci() {
    let (mut sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.tool("bash", "exit 0");
    sandbox.tool("docker", "exit 3");
    sandbox.set("SHELL", "/bin/sh");
    sandbox.set("TERM", "xterm");
    let Some(coloured) = on_a_terminal(&sandbox, "images build base") else { return };
    assert!(coloured.contains("\u{1b}[31m✗"), "{coloured:?}");
    let plain = on_a_terminal(&sandbox, "images build --ci base").unwrap();
    assert!(!plain.contains('\u{1b}') && plain.contains("[images] failed"), "{plain:?}");
    sandbox.set("NO_COLOR", "1");
    for args in ["images build base", "--help", "plan", "up --bad"] {
        let shown = on_a_terminal(&sandbox, args).unwrap();
        assert!(!shown.contains('\u{1b}'), "{args}: {shown:?}");
    }
}

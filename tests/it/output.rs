//! Where output goes, and what it looks like there.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::engine::Engine;
use crate::sandbox::Sandbox;
use crate::schema::{assert_valid, problems};

/// Arguments, exit code, schema. An engine with nothing on it is there.
const DOCUMENTS: [(&[&str], i32, &str); 11] = [
    (&["plan"], 0, "plan"),
    (&["plan", "--config", "small"], 0, "plan"),
    (&["plan", "--diff"], 9, "diff"),
    (&["status"], 5, "status"),
    (&["images", "list"], 0, "images"),
    // There is no kind.
    (&["doctor"], 4, "doctor"),
    (&["config", "validate", "full"], 0, "problems"),
    (&["config", "validate", "none.yaml"], 3, "problems"),
    (&["config", "show", "--origin"], 0, "settings"),
    (&["down"], 0, "down"),
    (&["down", "--all"], 0, "down"),
];

#[test]
fn every_document_is_what_its_schema_says_and_stands_alone_on_standard_output() {
    for (args, code, schema) in DOCUMENTS {
        let (sandbox, _engine) = Sandbox::with(Engine::empty);
        let finished = sandbox.run(&[args, &["--output", "json"]].concat());
        finished.code(code);
        let document: Value = serde_json::from_str(&finished.stdout).unwrap();
        assert_valid(schema, &document);
        assert_eq!(document["schema"], format!("lab.{schema}/v1"));
        // The error is for people; without one there is nothing to say.
        assert_eq!(finished.stderr.is_empty(), code == 0, "{args:?}: {}", finished.stderr);
    }
}

#[test]
fn text_goes_where_it_belongs() {
    for (args, code, _) in DOCUMENTS {
        let (sandbox, _engine) = Sandbox::with(Engine::empty);
        let finished = sandbox.run(args);
        finished.code(code);
        // What `down` did and problems of files are talk; all the others print what was asked for.
        let talks = args[0] == "down" || code == 3;
        assert_eq!(finished.stdout.is_empty(), talks, "{args:?}: {}", finished.stdout);
        assert_eq!(finished.stderr.is_empty(), code == 0 && args[0] != "down", "{args:?}: {}", finished.stderr);
    }
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.tool("docker", "exit 3");
    for args in [&["up", "--ci"][..], &["run", "pi"], &["images", "build", "--ci", "base"], &["images", "pull", "--ci"]]
    {
        let finished = sandbox.run(args);
        assert_eq!(finished.stdout, "", "{args:?}");
        assert_ne!(finished.stderr, "", "{args:?}");
    }
}

/// A block of JSON in the documentation is one document, or one event a line.
#[test]
fn the_documented_examples_are_what_their_schemas_say() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/output.md");
    let page = fs_err::read_to_string(page).unwrap();
    for block in page.split("```json\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for document in serde_json::Deserializer::from_str(block).into_iter::<Value>() {
            let document = document.unwrap_or_else(|error| panic!("{error} in {block}"));
            let schema = document["schema"].as_str().unwrap_or_else(|| panic!("no schema in {block}"));
            assert_valid(schema.trim_start_matches("lab.").trim_end_matches("/v1"), &document);
        }
    }
    for (name, _) in lab::report::schemas() {
        assert!(page.contains(&format!("](schema/{name}.json)")), "nobody would find the schema {name}");
    }
}

#[test]
fn a_wrong_field_in_a_document_is_caught() {
    let plan: Value = serde_json::from_str(&Sandbox::new().run(&["plan", "-o", "json"]).stdout).unwrap();
    for (pointer, field, value) in [
        ("", "lab", json!(1)),
        ("", "steps", json!({})),
        ("", "extra", json!("")),
        ("/steps/0", "deadline", json!(30)),
        ("/steps/0", "deadlineSeconds", json!("30")),
        ("/steps/0/action", "type", json!("Network")),
    ] {
        let mut wrong = plan.clone();
        wrong.pointer_mut(pointer).unwrap()[field] = value;
        assert_ne!(problems("plan", &wrong), Vec::<String>::new(), "{pointer} {field}");
    }
}

#[test]
fn a_list_of_some_images_names_no_others() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    let finished = sandbox.run(&["images", "list", "-o", "json", "spark", "minio"]);
    finished.code(0);
    let list: Value = serde_json::from_str(&finished.stdout).unwrap();
    let names: Vec<&str> = list["images"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["spark", "minio"]);
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

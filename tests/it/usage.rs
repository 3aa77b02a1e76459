//! Wrong command lines.

use crate::engine::Engine;
use crate::sandbox::Sandbox;

#[test]
fn no_verb_shows_the_verbs() {
    Sandbox::new().run(&[]).code(2).says("Usage: lab <COMMAND>").says("Exit codes:");
}

#[test]
fn a_value_that_looks_like_a_flag_is_a_wrong_command_line() {
    for args in [&["up", "--name", "-x"][..], &["up", "--name"], &["up", "--api-port", "high"], &["up", "extra"]] {
        Sandbox::new().run(args).code(2).says("error: ");
    }
}

#[test]
fn what_is_nearly_right_is_named() {
    let sandbox = Sandbox::new();
    sandbox.run(&["stauts"]).code(2).says("'status'");
    sandbox.run(&["up", "--smok"]).code(2).says("'--smoke'");
    sandbox.run(&["up", "--images", "pull"]).code(2).says("[possible values: auto, registry, build]");
}

#[test]
fn an_unknown_job_names_the_nearest() {
    let sandbox = Sandbox::new();
    for (wrong, nearest) in [("pgrank", "pagerank"), ("p", "pi"), ("pii", "pi")] {
        let finished = sandbox.run(&["run", wrong]);
        finished.code(2).says(&format!("no sample job and no folder is called {wrong}; samples: pagerank, pi"));
        finished.says(&format!("next: lab run {nearest}"));
    }
}

#[test]
fn a_folder_without_a_job_is_a_matter_of_configuration() {
    let sandbox = Sandbox::new();
    fs_err::create_dir(sandbox.path("empty")).unwrap();
    sandbox.run(&["run", "empty"]).code(3).says("empty is no job").says("has no application.yaml");
}

#[test]
fn a_job_needs_a_lab_that_is_up() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.run(&["run", "pi"]).code(5).says("lab lab is not up").says("next: lab up\n");
}

#[test]
fn the_next_command_is_for_the_same_lab() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    let flags = ["--config", "small", "--name", "second", "--subnet", "172.30.0.0/24", "--api-port", "17443"];
    let finished = sandbox.run(&[&["status"], &flags[..]].concat());
    finished.code(5).says(&format!("next: lab up {}\n", flags.join(" ")));
}

/// What a shell would split stays one word.
#[test]
fn the_next_command_can_be_pasted() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    fs_err::create_dir(sandbox.path("my labs")).unwrap();
    sandbox.file("my labs/a.yaml", "apiVersion: lab/v1alpha2\nkind: Lab\nmetadata: {name: lab}\n");
    let finished = sandbox.run(&["status", "--config", "my labs/a.yaml", "--images", "build"]);
    finished.code(5).says("next: lab up --config 'my labs/a.yaml' --images build\n");
}

#[test]
fn an_unknown_image_lists_those_that_there_are() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    for verb in ["list", "build", "pull"] {
        sandbox.run(&["images", verb, "sprak"]).code(2).says("no image is called sprak; there are base, ");
    }
}

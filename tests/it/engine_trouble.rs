//! No Docker engine, one that may not be used, one that is none.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::engine::Engine;
use crate::sandbox::{Running, Sandbox};

#[test]
fn every_verb_that_needs_an_engine_says_that_there_is_none() {
    let verbs: [&[&str]; 5] =
        [&["up"], &["down"], &["down", "--all"], &["status", "--output", "json"], &["images", "list"]];
    for verb in verbs {
        let sandbox = Sandbox::new();
        let started = Instant::now();
        let finished = sandbox.run(verb);
        finished.code(4).says("this machine: no Docker engine answers").says("next: make setup");
        assert!(started.elapsed() < Duration::from_secs(10), "{verb:?}");
        assert_eq!(finished.stdout, "");
        assert!(!sandbox.path("state").exists(), "{verb:?} left state behind");
    }
}

#[test]
fn a_plan_needs_no_engine() {
    let finished = Sandbox::new().run(&["plan", "--config", "ci"]);
    finished.code(0);
    assert!(finished.stdout.starts_with("lab lab: "), "{}", finished.stdout);
}

#[test]
fn an_engine_without_permission_is_told_apart() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    fs_err::set_permissions(sandbox.path("docker.sock"), std::fs::Permissions::from_mode(0o000)).unwrap();
    // Root may do everything: as somebody else, from a place that everybody reaches.
    let root = nix::unistd::geteuid().is_root();
    let mut program = Path::new(env!("CARGO_BIN_EXE_lab")).to_owned();
    if root {
        fs_err::copy(&program, sandbox.path("lab")).unwrap();
        program = sandbox.path("lab");
        fs_err::set_permissions(sandbox.path(""), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = sandbox.command_of(&program, &["status"]);
    if root {
        command.uid(65534).gid(65534);
    }
    Running::of(command).end().code(4).says("no permission to use the Docker engine").says("usermod -aG docker");
}

#[test]
fn a_socket_that_speaks_no_docker_is_no_engine() {
    let (sandbox, _engine) = Sandbox::with(Engine::garbage);
    sandbox.run(&["status"]).code(4).says("no Docker engine answers").says("because: ");
}

/// No text, no JSON, no end of it: trouble of this machine or of the lab, and an error that can be read.
#[test]
fn whatever_an_engine_says_is_no_bug_and_floods_nobody() {
    let flood = "x".repeat(2_000_000);
    let bodies = [
        b"\xff\xfe\xc3\x28".to_vec(),
        b"[".repeat(100_000),
        flood.clone().into_bytes(),
        format!("{{\"message\":\"{flood}\"}}").into_bytes(),
    ];
    for body in bodies {
        for status in [200, 500] {
            for verb in [&["status"][..], &["down"], &["doctor"], &["up", "--ci"], &["plan", "--diff"]] {
                let (sandbox, _engine) = Sandbox::with(|socket| Engine::saying(socket, status, body.clone()));
                let finished = sandbox.run(verb);
                let case = format!("{verb:?}, {status}, {:.20}", String::from_utf8_lossy(&body));
                assert!(
                    [4, 5].map(Some).contains(&finished.code),
                    "{case}: {:?} {:.500}",
                    finished.code,
                    finished.stderr
                );
                let said = finished.stderr.len() + finished.stdout.len();
                assert!(said < 100_000, "{case}: {said} bytes: {:.500}", finished.stderr);
            }
        }
    }
}

#[test]
fn the_engine_of_the_current_docker_context_is_used() {
    let (mut sandbox, engine) = Sandbox::with(Engine::empty);
    sandbox.unset("DOCKER_HOST");
    sandbox.tool("docker", &format!("echo unix://{}", sandbox.path("docker.sock").display()));
    let finished = sandbox.run(&["status"]);
    engine.wait_for("/containers/json");
    finished.code(5).says("lab lab is not up").says("next: lab up\n");
    assert!(finished.stdout.contains("nodes: 0 of 0 Ready"), "{}", finished.stdout);
}

#[test]
fn a_fresh_machine_has_nothing_to_take_down() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.run(&["down", "--all"]).code(0).says("lab lab: nothing to remove");
}

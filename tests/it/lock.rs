//! One run at a time for each lab, and files that nobody else reads.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::engine::Engine;
use crate::sandbox::{Running, Sandbox};

fn mode(path: &Path) -> u32 {
    fs_err::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A run that has the lock and waits for an engine that is stuck.
fn holder(sandbox: &Sandbox, engine: &Engine) -> Running {
    let running = sandbox.start(&["down"]);
    engine.wait_for("/containers/json");
    running
}

fn end(running: Running) -> Option<i32> {
    running.signal(Signal::SIGTERM);
    running.end().code
}

#[test]
fn a_lab_in_other_hands_names_them() {
    let (sandbox, engine) = Sandbox::with(Engine::stuck);
    let first = holder(&sandbox, &engine);
    for verb in [&["down"][..], &["up", "--ci"]] {
        let finished = sandbox.run(verb);
        finished.code(8).says(&format!("locked: lab lab is in the hands of another run, process {}", first.pid()));
    }
    assert_eq!(end(first), Some(143));
    // What is left of the lock is a file, and a file locks nobody out.
    assert!(sandbox.path("state/lab/lock").exists());
    assert_eq!(end(holder(&sandbox, &engine)), Some(143));
}

#[test]
fn another_lab_is_not_locked() {
    let (sandbox, engine) = Sandbox::with(Engine::stuck);
    let one = holder(&sandbox, &engine);
    let other = sandbox.start(&["down", "--name", "second"]);
    engine.wait_for("/containers/json");
    assert_eq!([end(one), end(other)], [Some(143), Some(143)]);
}

#[test]
fn files_are_private_whatever_the_umask() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    let script = format!("umask 000; exec {} down", env!("CARGO_BIN_EXE_lab"));
    Running::of(sandbox.command_of(Path::new("/bin/sh"), &["-c", &script])).end().code(0);
    assert_eq!(mode(&sandbox.path("state/lab/lock")), 0o600);
    assert_eq!(mode(&sandbox.path("state/lab")), 0o700);
    assert_eq!(mode(&sandbox.path("state")), 0o700);
}

#[test]
fn a_state_folder_that_cannot_be_made_is_named() {
    let (mut sandbox, _engine) = Sandbox::with(Engine::empty);
    let file = sandbox.file("file", "");
    sandbox.set("LAB_STATE", &format!("{file}/state"));
    for verb in [&["down"][..], &["up", "--ci"]] {
        sandbox.run(verb).code(4).says(&format!("{file}/state")).says("next: ").says("LAB_STATE");
    }
}

#[test]
fn a_lock_file_that_cannot_be_opened_is_named() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    fs_err::create_dir_all(sandbox.path("state/lab/lock")).unwrap();
    sandbox.run(&["down"]).code(4).says("state/lab/lock").says("next: ");
}

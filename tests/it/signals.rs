//! Ctrl-C and SIGTERM are normal ways to end, at once, with the children.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::engine::Engine;
use crate::sandbox::{Finished, Running, Sandbox};

fn send(running: Running, signal: Signal) -> Finished {
    let started = Instant::now();
    running.signal(signal);
    let finished = running.end();
    assert!(started.elapsed() < Duration::from_secs(1), "it took {:?}", started.elapsed());
    finished
}

#[test]
fn a_run_that_waits_for_the_engine_ends_at_once() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let (sandbox, engine) = Sandbox::with(Engine::silent);
        let running = sandbox.start(&["status"]);
        engine.wait_for("/version");
        send(running, signal).code(code).says("interrupted: stopped before the end").says("next: ");
    }
}

/// Waits until a tool has written its process id.
fn written(sandbox: &Sandbox, file: &str) -> Pid {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let text = fs_err::read_to_string(sandbox.path(file)).unwrap_or_default();
        if let Ok(number) = text.trim().parse() {
            return Pid::from_raw(number);
        }
        assert!(Instant::now() < deadline, "{file} was not written");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until a process has ended.
fn assert_ends(process: Pid) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while kill(process, None).is_ok() {
        assert!(Instant::now() < deadline, "process {process} lives on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_program_that_runs_ends_with_the_run() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.tool("kind", &format!("echo $$ > {}; exec /bin/sleep 1000", sandbox.path("pid").display()));
    let running = sandbox.start(&["up", "--ci"]);
    let kind = written(&sandbox, "pid");
    send(running, Signal::SIGINT).code(130);
    assert_ends(kind);
}

#[test]
fn the_programs_of_a_program_end_with_the_run() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    let script = format!("/bin/sleep 1000 & echo $! > {}; wait", sandbox.path("pid").display());
    sandbox.tool("kind", &script);
    let running = sandbox.start(&["up", "--ci"]);
    let sleep = written(&sandbox, "pid");
    send(running, Signal::SIGTERM).code(143);
    assert_ends(sleep);
}

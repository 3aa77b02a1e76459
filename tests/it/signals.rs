//! Ctrl-C, SIGTERM and SIGHUP are normal ways to end: with the programs that were started, and no later than they.

use std::net::TcpListener;
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::engine::Engine;
use crate::processes::{assert_ends, stop, written};
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
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143), (Signal::SIGHUP, 143)] {
        let (sandbox, engine) = Sandbox::with(Engine::silent);
        let running = sandbox.start(&["status"]);
        engine.wait_for("/version");
        send(running, signal).code(code).says("interrupted: stopped before the end").says("next: ");
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

/// A kind that is done with its work only some time after it was asked to end.
fn slow_to_end(sandbox: &Sandbox) -> String {
    let (pid, end) = (sandbox.path("pid"), sandbox.path("end"));
    let last = format!("/bin/sleep 1; echo over > {}; exit", end.display());
    format!("trap '{last}' TERM; echo $$ > {}; while :; do /bin/sleep 0.05; done", pid.display())
}

#[test]
#[expect(clippy::print_stdout, reason = "the figure is of interest")]
fn a_program_that_puts_its_things_in_order_is_waited_for() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.tool("kind", &slow_to_end(&sandbox));
    let running = sandbox.start(&["up", "--ci"]);
    let kind = written(&sandbox, "pid");
    let lab = running.pid();
    running.signal(Signal::SIGINT);
    running.wait_for(&format!("stopping: waiting for kind (process {kind}); Ctrl-C again leaves at once\n"));
    // Nobody else has the lab before that.
    let other = sandbox.run(&["down"]);
    other.code(8).says(&format!("another run, process {lab}, `lab up`, since 20"));
    running.end().code(130).says("interrupted: stopped before the end").says("goes on from here");
    let ended = fs_err::metadata(sandbox.path("end")).unwrap().modified().unwrap();
    let late = SystemTime::now().duration_since(ended).unwrap();
    println!("out {} ms after the program's end", late.as_millis());
    assert!(late < Duration::from_secs(2), "{late:?} after the program's end");
    assert_ends(kind);
}

#[test]
fn a_program_that_is_stopped_ends_with_the_run() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.tool("kind", &format!("echo $$ > {}; exec /bin/sleep 1000", sandbox.path("pid").display()));
    let running = sandbox.start(&["up", "--ci"]);
    let kind = written(&sandbox, "pid");
    stop(kind);
    send(running, Signal::SIGINT).code(130);
    assert_ends(kind);
}

#[test]
fn the_second_signal_leaves_at_once_and_leaves_nothing() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    let script = "trap '' TERM; /bin/sleep 1000 & echo $! > SLEEP; echo $$ > PID; wait";
    let [pid, sleep] = ["pid", "sleep"].map(|name| sandbox.path(name).display().to_string());
    sandbox.tool("kind", &script.replace("PID", &pid).replace("SLEEP", &sleep));
    let running = sandbox.start(&["up", "--ci"]);
    let (kind, sleep) = (written(&sandbox, "pid"), written(&sandbox, "sleep"));
    running.signal(Signal::SIGTERM);
    running.wait_for("stopping: waiting for kind");
    send(running, Signal::SIGINT).code(143);
    assert_ends(kind);
    assert_ends(sleep);
}

#[test]
fn a_build_ends_with_the_run() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.tool("bash", "exit 0");
    sandbox.tool("docker", &format!("echo $$ > {}; exec /bin/sleep 1000", sandbox.path("pid").display()));
    let running = sandbox.start(&["images", "build", "--ci", "base"]);
    let docker = written(&sandbox, "pid");
    send(running, Signal::SIGINT).code(130);
    assert_ends(docker);
}

#[test]
fn a_job_that_waits_for_the_cluster_ends_at_once() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    fs_err::create_dir_all(sandbox.path("state/lab")).unwrap();
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters: [{{name: a, cluster: {{server: 'http://{}'}}}}]\n\
         contexts: [{{name: a, context: {{cluster: a, user: a}}}}]\nusers: [{{name: a, user: {{}}}}]\n",
        listener.local_addr().unwrap()
    );
    sandbox.file("state/lab/kubeconfig", &kubeconfig);
    let running = sandbox.start(&["run", "--ci", "pi"]);
    // It asks, and is not answered.
    let _connection = listener.accept().unwrap();
    send(running, Signal::SIGINT).code(130);
}

#[test]
fn a_configuration_that_never_comes_is_not_waited_for() {
    let sandbox = Sandbox::new();
    mkfifo(&sandbox.path("lab.yaml"), Mode::S_IRWXU).unwrap();
    let running = sandbox.start(&["up", "--config", "lab.yaml"]);
    // Opening it for writing waits for a reader.
    let _writer = fs_err::OpenOptions::new().write(true).open(sandbox.path("lab.yaml")).unwrap();
    let started = Instant::now();
    running.signal(Signal::SIGINT);
    running.end().code(130);
    assert!(started.elapsed() < Duration::from_secs(3), "it took {:?}", started.elapsed());
}

#[test]
fn a_signal_at_any_moment_of_the_start_ends_it() {
    for milliseconds in [0, 1, 2, 4, 8, 16, 32, 64] {
        let (sandbox, _engine) = Sandbox::with(Engine::stuck);
        let running = sandbox.start(&["down"]);
        std::thread::sleep(Duration::from_millis(milliseconds));
        // Not SIGINT: whoever starts these tests may have it ignored until somebody listens.
        running.signal(Signal::SIGTERM);
        // Before it listens, the signal itself ends it.
        let finished = running.end();
        assert!(matches!(finished.code, None | Some(143)), "{:?} {}", finished.code, finished.stderr);
    }
}

/// Waits until a run has asked the engine so often; false where it ended before.
fn has_asked(engine: &Engine, running: &mut Running, number: usize) -> bool {
    let mut asked = 0;
    loop {
        let ended = running.has_ended();
        asked += engine.requests().len();
        if asked >= number || ended {
            return asked >= number && !ended;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whatever a run asks the engine: while it waits for that answer, it can be stopped.
#[test]
#[expect(clippy::print_stdout, reason = "the figure is what the test is for")]
fn a_signal_in_any_call_of_the_engine_ends_the_run() {
    for (args, least) in [(&["up", "--ci", "--config", "small"][..], 10), (&["down"], 5), (&["status"], 3)] {
        let (mut stopped, mut longest) = (0, Duration::ZERO);
        for number in 1.. {
            let (sandbox, engine) = Sandbox::with(|socket| Engine::stuck_at(socket, number));
            sandbox.tool("kind", "case $1 in version) echo kind v0.33.0;; esac");
            let mut running = sandbox.start(args);
            if !has_asked(&engine, &mut running, number) {
                break;
            }
            let started = Instant::now();
            running.signal(Signal::SIGINT);
            running.end().code(130).says("interrupted: stopped before the end");
            stopped += 1;
            longest = longest.max(started.elapsed());
        }
        println!("{args:?}: stopped in each of {stopped} calls, {longest:.2?} at the longest");
        assert!(stopped >= least && longest < Duration::from_secs(2), "{args:?}: {stopped}, {longest:?}");
    }
}

#[test]
fn a_run_that_is_to_outlive_the_terminal_does() {
    let (sandbox, engine) = Sandbox::with(Engine::silent);
    let script = format!("trap '' HUP; exec {} status", env!("CARGO_BIN_EXE_lab"));
    let running = Running::of(sandbox.command_of(std::path::Path::new("/bin/sh"), &["-c", &script]));
    engine.wait_for("/version");
    running.signal(Signal::SIGHUP);
    send(running, Signal::SIGINT).code(130);
}

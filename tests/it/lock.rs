//! One run at a time for each lab, and files that nobody else reads.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::engine::Engine;
use crate::processes::{runs, written};
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
        let holder = format!("process {}, `lab down`, since 20", first.pid());
        finished.code(8).says(&format!("locked: lab lab is in the hands of another run, {holder}"));
    }
    assert_eq!(end(first), Some(143));
    // What is left of the lock is a file, and a file locks nobody out.
    assert!(sandbox.path("state/lab/lock").exists());
    assert_eq!(end(holder(&sandbox, &engine)), Some(143));
}

/// What stands in the file is for people only: the lock itself is the kernel's.
#[test]
fn whatever_the_file_holds_the_lock_holds() {
    let (sandbox, engine) = Sandbox::with(Engine::stuck);
    let garbage = [&b""[..], b"4711", b"\xff\xfe", b"{\"process\":", &b"7".repeat(100_000)];
    for text in garbage {
        fs_err::create_dir_all(sandbox.path("state/lab")).unwrap();
        fs_err::write(sandbox.path("state/lab/lock"), text).unwrap();
        let first = holder(&sandbox, &engine);
        fs_err::write(sandbox.path("state/lab/lock"), text).unwrap();
        sandbox.run(&["down"]).code(8).says(&format!("another run, process {}\n", first.pid()));
        assert_eq!(end(first), Some(143));
    }
}

/// A killed run cannot end what it started: the next one does, before it looks at anything.
#[test]
fn what_a_killed_run_left_at_work_is_ended_first() {
    for listens in [true, false] {
        let (sandbox, _engine) = Sandbox::with(Engine::empty);
        let [pid, sleep] = ["pid", "sleep"].map(|name| sandbox.path(name).display().to_string());
        let trap = if listens { "/bin/sleep 0.5; exit" } else { "" };
        let script = format!("trap '{trap}' TERM; /bin/sleep 1000 & echo $! > {sleep}; echo $$ > {pid}; wait");
        sandbox.tool("kind", &script);
        let running = sandbox.start(&["up", "--ci"]);
        let lab = running.pid();
        let left = [written(&sandbox, "pid"), written(&sandbox, "sleep")];
        running.signal(Signal::SIGKILL);
        assert_eq!(running.end().code, None);
        assert!(left.iter().all(|process| runs(*process)), "they ended by themselves");
        // An engine of its own, since the first one may still be busy with what the killed run asked.
        let socket = sandbox.path("docker.sock");
        fs_err::remove_file(&socket).unwrap();
        let engine = Engine::empty(&socket);
        let next = sandbox.start(&["down"]);
        engine.wait_for("/containers/json");
        assert!(!left.iter().any(|process| runs(*process)), "they still run: {left:?}");
        let finished = next.end();
        finished
            .code(0)
            .says(&format!("warning: ending kind (process {}), left behind by `lab up`, process {lab}\n", left[0]));
    }
}

#[test]
fn of_many_runs_of_a_lab_one_goes_on() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    let release = sandbox.path("release");
    sandbox.tool("kind", &format!("while [ ! -e {} ]; do /bin/sleep 0.05; done; echo kind v0.20.0", release.display()));
    let mut running: Vec<Running> = (0..20).map(|_| sandbox.start(&["up", "--ci"])).collect();
    let deadline = Instant::now() + Duration::from_mins(1);
    let mut refused = Vec::new();
    while running.len() > 1 {
        assert!(Instant::now() < deadline, "{} still run", running.len());
        std::thread::sleep(Duration::from_millis(20));
        let (ended, rest) =
            running.into_iter().map(|mut one| (one.has_ended(), one)).partition::<Vec<_>, _>(|one| one.0);
        refused.extend(ended.into_iter().map(|(_, one)| one.end()));
        running = rest.into_iter().map(|(_, one)| one).collect();
    }
    let winner = running.pop().unwrap();
    let holder = format!("another run, process {}, `lab up`, since 20", winner.pid());
    for finished in refused {
        finished.code(8).says(&holder);
    }
    fs_err::write(release, "").unwrap();
    winner.end().code(4).says("kind is 0.20.0");
}

#[test]
fn many_labs_go_on_at_once() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    let (release, here) = (sandbox.path("release"), sandbox.path("here"));
    fs_err::create_dir(&here).unwrap();
    let script = "echo > HERE/$$; while [ ! -e RELEASE ]; do /bin/sleep 0.05; done; echo kind v0.20.0";
    let script = script.replace("HERE", &here.display().to_string()).replace("RELEASE", &release.display().to_string());
    sandbox.tool("kind", &script);
    let start = |number: i32| sandbox.start(&["up", "--ci", "--name", &format!("lab-{number}")]);
    let running: Vec<Running> = (0..20).map(start).collect();
    let deadline = Instant::now() + Duration::from_mins(1);
    while fs_err::read_dir(&here).unwrap().count() < 20 {
        assert!(Instant::now() < deadline, "some do not go on");
        std::thread::sleep(Duration::from_millis(20));
    }
    fs_err::write(release, "").unwrap();
    for one in running {
        one.end().code(4).says("kind is 0.20.0");
    }
}

/// Starts the binary as a user without rights, from a place that everybody reaches.
fn as_nobody(sandbox: &Sandbox, args: &[&str]) -> Running {
    if !nix::unistd::geteuid().is_root() {
        return sandbox.start(args);
    }
    let program = sandbox.path("lab");
    if !program.exists() {
        fs_err::copy(env!("CARGO_BIN_EXE_lab"), &program).unwrap();
        for (path, mode) in [("", 0o755), ("docker.sock", 0o777)] {
            fs_err::set_permissions(sandbox.path(path), std::fs::Permissions::from_mode(mode)).unwrap();
        }
    }
    let mut command = sandbox.command_of(&program, args);
    command.uid(65534).gid(65534);
    Running::of(command)
}

#[test]
fn a_state_folder_that_may_not_be_written_is_named() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    let folder = sandbox.path("state/lab");
    fs_err::create_dir_all(&folder).unwrap();
    let lock = sandbox.file("state/lab/lock", "");
    // Somebody else's lock; a folder that is read-only.
    fs_err::set_permissions(&lock, std::fs::Permissions::from_mode(0o000)).unwrap();
    as_nobody(&sandbox, &["down"]).end().code(4).says(&format!("cannot use {lock}")).says("next: set LAB_STATE");
    fs_err::remove_file(&lock).unwrap();
    fs_err::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    as_nobody(&sandbox, &["down"]).end().code(4).says("ermission denied").says("next: set LAB_STATE");
    fs_err::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn another_lab_is_not_locked() {
    let (sandbox, engine) = Sandbox::with(Engine::stuck);
    let one = holder(&sandbox, &engine);
    let other = sandbox.start(&["down", "--name", "second"]);
    engine.wait_for("/containers/json");
    assert_eq!([end(one), end(other)], [Some(143), Some(143)]);
}

/// What verbs write that succeed, fail and explain themselves.
#[test]
fn files_are_private_whatever_the_umask() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.tool("kind", "echo kind v0.33.0 go1.26.0 linux/amd64");
    for (verb, code) in [("up --ci", 5), ("diagnose --output-file archive", 0), ("down", 0)] {
        let script = format!("umask 000; exec {} {verb}", env!("CARGO_BIN_EXE_lab"));
        Running::of(sandbox.command_of(Path::new("/bin/sh"), &["-c", &script])).end().code(code);
    }
    let mut written = Vec::new();
    let mut paths = vec![sandbox.path("state"), sandbox.path("archive")];
    while let Some(path) = paths.pop() {
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), wanted, "{}", path.display());
        if path.is_dir() {
            paths.extend(fs_err::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        written.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
    }
    for name in ["archive", "lock", "journal", "diagnostics", "summary.txt"] {
        assert!(written.iter().any(|found| found == name), "{name} is not among {written:?}");
    }
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

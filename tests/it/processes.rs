//! Programs that a run started: who they are, whether they have ended, and that they do.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::sandbox::{Running, Sandbox};

/// Waits until a tool has written its process id.
pub fn written(sandbox: &Sandbox, file: &str) -> Pid {
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

/// The letter that the kernel gives to what a process does; none where there is no such process.
fn state(process: Pid) -> Option<char> {
    let stat = fs_err::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// True while it runs. One that has ended may still wait for its parent to take note.
pub fn runs(process: Pid) -> bool {
    state(process).is_some_and(|state| state != 'Z')
}

/// Stops it, and waits until it has heard.
pub fn stop(process: Pid) {
    kill(process, Signal::SIGSTOP).unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while state(process) != Some('T') {
        assert!(Instant::now() < deadline, "process {process} goes on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// It has ended, or is about to.
pub fn assert_ends(process: Pid) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while runs(process) {
        assert!(Instant::now() < deadline, "process {process} lives on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Kills whatever works in this folder.
pub fn end_all_in(folder: &Path) {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let here = all_in(folder);
        // This runs while a test fails as well: no panic.
        if here.is_empty() || Instant::now() > deadline {
            return;
        }
        for process in here {
            // It may have ended by now.
            kill(process, Signal::SIGKILL).unwrap_or_default();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// One that has ended works nowhere.
fn all_in(folder: &Path) -> Vec<Pid> {
    let entries = fs_err::read_dir("/proc").into_iter().flatten().flatten();
    let here = entries.filter(|entry| fs_err::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == folder));
    here.filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw)).collect()
}

#[test]
fn nothing_outlives_its_sandbox() {
    let sandbox = Sandbox::new();
    let script = "trap '' TERM; /bin/sleep 1000 & echo $! > pid";
    Running::of(sandbox.command_of(Path::new("/bin/sh"), &["-c", script])).end().code(0);
    let sleep = written(&sandbox, "pid");
    assert!(runs(sleep));
    drop(sandbox);
    assert!(!runs(sleep));
}

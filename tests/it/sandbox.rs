//! A home of its own for each run of the binary: no tools, no state, no settings but those a test gives.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::engine::Engine;
use crate::processes::end_all_in;

pub struct Sandbox {
    home: TempDir,
    settings: Vec<(String, String)>,
}

impl Sandbox {
    /// No Docker: the socket is not there.
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs_err::create_dir(home.path().join("bin")).unwrap();
        let mut sandbox = Self { home, settings: Vec::new() };
        let nowhere = sandbox.path("no.sock");
        sandbox.set("DOCKER_HOST", &format!("unix://{}", nowhere.display()));
        sandbox.set("LAB_STATE", &sandbox.path("state").display().to_string());
        sandbox
    }

    /// With a Docker engine that this test plays.
    pub fn with(engine: impl FnOnce(&Path) -> Engine) -> (Self, Engine) {
        let mut sandbox = Self::new();
        let engine = engine(&sandbox.path("docker.sock"));
        sandbox.set("DOCKER_HOST", &format!("unix://{}", sandbox.path("docker.sock").display()));
        (sandbox, engine)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    pub fn unset(&mut self, name: &str) {
        self.settings.retain(|(known, _)| known != name);
    }

    pub fn file(&self, name: &str, text: &str) -> String {
        fs_err::write(self.path(name), text).unwrap();
        self.path(name).display().to_string()
    }

    /// A program on the binary's PATH; it may use only what the shell brings.
    pub fn tool(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs_err::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_lab")), args)
    }

    #[expect(clippy::disallowed_methods, reason = "a test starts the binary under test")]
    pub fn command_of(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).env_clear().current_dir(self.home.path()).stdin(Stdio::null());
        command.env("HOME", self.home.path()).env("PATH", self.path("bin"));
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Signals have their effect, also where these tests were started in the background or below nohup.
    pub fn start(&self, args: &[&str]) -> Running {
        let program = ["--default-signal=INT,HUP", env!("CARGO_BIN_EXE_lab")];
        Running::of(self.command_of(Path::new("/usr/bin/env"), &[&program, args].concat()))
    }

    pub fn run(&self, args: &[&str]) -> Finished {
        self.start(args).end()
    }
}

impl Drop for Sandbox {
    /// What a test started ends with it, also where a check failed.
    fn drop(&mut self) {
        end_all_in(&fs_err::canonicalize(self.home.path()).unwrap_or_default());
    }
}

/// A run that goes on; it is killed when the test ends before it.
pub struct Running {
    child: Child,
    stdout: File,
    stderr: File,
}

impl Running {
    /// Both streams go into files: a pipe that nobody reads would hold it up.
    pub fn of(mut command: Command) -> Self {
        let files = [(), ()].map(|()| tempfile::tempfile().unwrap());
        let [stdout, stderr] = files.each_ref().map(|file| Stdio::from(file.try_clone().unwrap()));
        command.stdout(stdout).stderr(stderr);
        // A program that was just written is busy while a child that another test starts has yet to close it.
        let child = loop {
            match command.spawn() {
                Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => thread::yield_now(),
                child => break child.unwrap(),
            }
        };
        let [stdout, stderr] = files;
        Self { child, stdout, stderr }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap())
    }

    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Waits until it has said this.
    pub fn wait_for(&self, part: &str) {
        use std::os::unix::fs::FileExt as _;
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            // Reading must not move the place where the run writes.
            let mut said = vec![0; 1 << 16];
            let length = self.stderr.read_at(&mut said, 0).unwrap();
            let said = String::from_utf8_lossy(&said[..length]);
            if said.contains(part) {
                return;
            }
            assert!(Instant::now() < deadline, "{part:?} is not in:\n{said}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end, but not for ever.
    pub fn end(mut self) -> Finished {
        let deadline = Instant::now() + Duration::from_mins(1);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it goes on and on:\n{}", text(&mut self.stderr));
            thread::sleep(Duration::from_millis(10));
        };
        Finished { code: status.code(), stdout: text(&mut self.stdout), stderr: text(&mut self.stderr) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nothing to end where it has ended.
        drop(self.child.kill().and_then(|()| self.child.wait()));
    }
}

fn text(file: &mut File) -> String {
    let mut text = String::new();
    file.rewind().and_then(|()| file.read_to_string(&mut text)).unwrap();
    text
}

/// What a run left behind.
pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// Checks the exit code and, where the error names a command of ours, that there is such a command.
    #[track_caller]
    pub fn code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        let next = self.stderr.lines().find_map(|line| line.trim().strip_prefix("next: "));
        let commands = next.into_iter().flat_map(|next| next.split([';', ',', '(', ')']));
        for command in commands.map(|part| part.trim().trim_start_matches("then ")) {
            if let Some(args) = command.strip_prefix("lab ") {
                exists(args);
            }
        }
        self
    }

    #[track_caller]
    pub fn says(&self, part: &str) -> &Self {
        assert!(self.stderr.contains(part), "{part:?} is not in:\n{}", self.stderr);
        self
    }
}

/// The binary accepts these arguments: with `--help` at the end it complains about what is before that.
#[track_caller]
fn exists(args: &str) {
    // Words as a shell makes them; of quotes, only those around a whole word.
    let parts = args.split('\'').enumerate();
    let words =
        parts.flat_map(|(index, part)| if index % 2 == 1 { vec![part] } else { part.split_whitespace().collect() });
    let args: Vec<&str> = words.chain(["--help"]).collect();
    let finished = Sandbox::new().run(&args);
    assert_eq!(finished.code, Some(0), "lab {}: {}", args.join(" "), finished.stderr);
}

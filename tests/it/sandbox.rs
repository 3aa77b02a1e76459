//! A home of its own for each run of the binary: no tools, no state, no settings but those a test gives.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::engine::Engine;

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

    pub fn run(&self, args: &[&str]) -> Finished {
        Finished::of(args, self.command(args).output().unwrap())
    }
}

/// What a run left behind.
pub struct Finished {
    args: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    pub fn of(args: &[&str], output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Self {
            args: args.join(" "),
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Checks the exit code and, where the error names a command of ours, that there is such a command.
    #[track_caller]
    pub fn code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "lab {}\n{}\n{}", self.args, self.stdout, self.stderr);
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
        assert!(self.stderr.contains(part), "lab {}: {part:?} is not in:\n{}", self.args, self.stderr);
        self
    }
}

/// The binary accepts these arguments: with `--help` at the end it complains about what is before that.
#[track_caller]
fn exists(args: &str) {
    let args: Vec<&str> = args.split_whitespace().chain(["--help"]).collect();
    let output = Sandbox::new().command(&args).output().unwrap();
    assert!(output.status.success(), "lab {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
}

//! The binary under test, and plain `docker` to look at what it did.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_mins(3);

pub struct Lab {
    pub name: &'static str,
    /// What `--config` names; a test may change it on the way.
    pub config: String,
    /// Makes its subnet and ports.
    number: u16,
    state: tempfile::TempDir,
    printed: RefCell<String>,
}

/// What a run of the binary left behind.
pub struct Finished {
    code: Option<i32>,
    text: String,
}

impl Lab {
    /// `number` is at most 255, and no other lab's.
    pub fn new(name: &'static str, config: &str, number: u16) -> Self {
        let state = tempfile::tempdir().expect("a folder for state");
        Self { name, config: config.to_owned(), number, state, printed: RefCell::default() }
    }

    /// The binary with this lab's flags; `args` starts with the verb.
    #[expect(clippy::disallowed_methods, reason = "a test starts the binary under test")]
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        command.args(args).args(["--config", &self.config, "--name", self.name]);
        command.args(["--subnet", &format!("172.30.{}.0/24", self.number)]);
        command.args(["--api-port", &(16500 + self.number).to_string()]);
        command.args(["--registry-port", &(15100 + self.number).to_string()]);
        command.env("LAB_STATE", self.state.path());
        command
    }

    /// Runs the binary; its talk goes to the test's log as well.
    pub fn run(&self, args: &[&str]) -> Finished {
        let finished = Finished::of(&mut self.command(args));
        self.printed.borrow_mut().push_str(&finished.text);
        finished
    }

    /// As [`Lab::run`], with every call in its log, which is too long for the test's.
    pub fn trace(&self, args: &[&str]) -> Finished {
        let finished = Finished::silent(self.command(args).env("LAB_LOG", "debug"));
        self.printed.borrow_mut().push_str(&finished.text);
        finished
    }

    /// Everything that the binary printed so far, but what [`Lab::command`] was needed for.
    pub fn printed(&self) -> String {
        self.printed.borrow().clone()
    }

    /// As [`Lab::run`], but presses Ctrl-C at the first line that contains `part`.
    pub fn interrupt(&self, args: &[&str], part: &str) -> Finished {
        let mut child = self.command(args).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let process = Pid::from_raw(child.id().try_into().expect("a process id"));
        let (mut text, mut pressed) = (String::new(), false);
        for line in BufReader::new(child.stderr.take().expect("its talk")).lines() {
            let line = line.expect("text");
            if !pressed && line.contains(part) {
                kill(process, Signal::SIGINT).expect("the binary still runs");
                pressed = true;
            }
            eprintln!("{line}");
            text.push_str(&line);
            text.push('\n');
        }
        assert!(pressed, "{part:?} is not in:\n{text}");
        Finished { code: child.wait().expect("its end").code(), text }
    }

    pub fn status(&self) -> Value {
        let output = self.command(&["status", "--output", "json"]).output().expect("the binary runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON on standard output")
    }

    pub fn state(&self) -> PathBuf {
        self.state.path().to_owned()
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.state.path().join(self.name).join("kubeconfig")
    }

    pub fn first_node(&self) -> String {
        format!("{}-control-plane", self.name)
    }

    /// What the `kubectl` of the first node says.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        docker(&[&["exec", &self.first_node(), "kubectl"], arguments].concat())
    }

    pub fn containers(&self) -> Vec<String> {
        let mut names = lines(&docker(&["ps", "-a", "--format", "{{.Names}}"]));
        names.retain(|name| name.starts_with(&format!("{}-", self.name)));
        names.sort();
        names
    }

    /// Containers with their ids and start, and uid and generation of every object that a person made.
    pub fn snapshot(&self) -> Vec<String> {
        let format = "{{.Name}} {{.Id}} {{.State.StartedAt}}";
        let mut all: Vec<String> =
            self.containers().iter().map(|name| docker(&["inspect", "--format", format, name])).collect();
        let kinds = "ns,deploy,sts,ds,svc,sa,cm,secret,roles,rolebindings,clusterroles,clusterrolebindings,crd,sc,pvc,\
                     sparkapplications,mutatingwebhookconfigurations,validatingwebhookconfigurations";
        let columns =
            "-o=custom-columns=K:.kind,S:.metadata.namespace,N:.metadata.name,U:.metadata.uid,G:.metadata.generation";
        all.extend(lines(&self.kubectl(&["get", kinds, "-A", columns])));
        all
    }
}

impl Finished {
    /// Runs a command; what it says goes to the test's log as well.
    pub fn of(command: &mut Command) -> Self {
        let finished = Self::silent(command);
        eprint!("{}", finished.text);
        finished
    }

    fn silent(command: &mut Command) -> Self {
        let output = command.output().expect("the binary runs");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        Self { code: output.status.code(), text }
    }

    #[track_caller]
    pub fn expect_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.text);
        self
    }

    #[track_caller]
    pub fn expect(&self, part: &str) -> &Self {
        assert!(self.text.contains(part), "{part:?} is not in:\n{}", self.text);
        self
    }
}

/// Looks until something is so that takes its time.
pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "not within {} s: {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Standard output and error of a docker command.
#[expect(clippy::disallowed_methods, reason = "a test looks at the engine with other eyes than the binary's")]
pub fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().expect("docker runs");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

pub fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

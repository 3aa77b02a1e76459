//! Every child process: what is run, its output, its exit status, and its end.

mod group;

use std::process::Stdio;

use crate::fault::{Fault, Kind};
use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

use self::group::Group;
pub use self::group::{all_ended, kill_all, running, start_no_more};

/// How many of its last lines a failed command is quoted with.
const QUOTED_LINES: usize = 20;

/// A command to run to its end. Its standard input is closed and it gets a process
/// group of its own, so that Ctrl-C reaches it only through us.
pub struct Command {
    program: String,
    args: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Command {
    pub fn new(program: &str) -> Self {
        Self { program: program.to_owned(), args: Vec::new(), environment: Vec::new() }
    }

    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: Into<String>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts it and lets it go: it lives on when this process ends. Nobody hears what it says.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(self) -> Result<()> {
        let program = which::which(&self.program).with_context(|| format!("{} is not on PATH", self.program))?;
        #[expect(clippy::disallowed_methods, reason = "the one place that starts processes")]
        let mut command = tokio::process::Command::new(program);
        command.args(&self.args).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        command.spawn().with_context(|| format!("starting {}", self.program))?;
        Ok(())
    }

    /// Its standard output.
    ///
    /// # Errors
    /// When it cannot be started or exits with anything but 0; the error quotes its last lines.
    pub async fn output(self) -> Result<String> {
        self.run(&mut |_| {}).await
    }

    /// As [`Command::output`], and hands every line of both streams to `line` as it comes.
    /// Where this future is dropped, the command is ended with all that it started: [`all_ended`] waits for that.
    pub async fn run(self, line: &mut dyn FnMut(&str)) -> Result<String> {
        let program = which::which(&self.program)
            .with_context(|| Fault::new(Kind::Host, format!("{} is not on PATH", self.program)).next("make setup"))?;
        #[expect(clippy::disallowed_methods, reason = "the one place that starts processes")]
        let mut command = tokio::process::Command::new(program);
        command
            .args(&self.args)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let mut group = Group::start(&mut command, &self.program)?;
        tracing::debug!(command = %self, "started");
        let child = group.leader().context("it was started")?;
        let mut stdout = lines(child.stdout.as_mut());
        let mut stderr = lines(child.stderr.as_mut());
        let (mut output, mut last) = (String::new(), Vec::new());
        loop {
            let (text, is_stdout) = tokio::select! {
                Some(text) = next(&mut stdout) => (text?, true),
                Some(text) = next(&mut stderr) => (text?, false),
                else => break,
            };
            line(&text);
            if is_stdout {
                output.push_str(&text);
                output.push('\n');
            }
            keep(&mut last, text);
        }
        let status = child.wait().await?;
        group.ended();
        if !status.success() {
            bail!("`{self}` ended with {status}:\n{}", last.join("\n"));
        }
        Ok(output)
    }
}

/// Keeps a line among the last. Of a stack trace of Go, which has two lines a call, nothing is kept: what went wrong
/// stands before it.
fn keep(last: &mut Vec<String>, text: String) {
    let is_place = text.starts_with('\t') && [".go:", ".s:"].iter().any(|part| text.contains(part));
    if is_place {
        last.pop_if(|call| !call.contains(char::is_whitespace));
        return;
    }
    last.push(text);
    if last.len() > QUOTED_LINES {
        last.remove(0);
    }
}

type Lines<R> = tokio::io::Split<BufReader<R>>;

fn lines<R: AsyncRead + Unpin>(stream: Option<R>) -> Option<Lines<R>> {
    stream.map(|stream| BufReader::new(stream).split(b'\n'))
}

/// The next line, none at the end of the stream, which is then closed. What is no text is shown as such.
async fn next<R: AsyncRead + Unpin>(stream: &mut Option<Lines<R>>) -> Option<Result<String>> {
    match stream.as_mut()?.next_segment().await {
        Ok(Some(line)) => Some(Ok(String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(&line)).into_owned())),
        Ok(None) => {
            *stream = None;
            None
        }
        Err(error) => Some(Err(error.into())),
    }
}

impl std::fmt::Display for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.program)?;
        self.args.iter().try_for_each(|arg| write!(f, " {arg}"))
    }
}

#[cfg(test)]
mod tests;

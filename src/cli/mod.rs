//! The command line: one file a verb. The only place that wires ports to the engine.

mod args;
mod completions;
mod config;
mod credentials;
mod diagnose;
mod doctor;
mod down;
mod images;
mod job;
mod kubeconfig;
mod logs;
mod man;
mod open;
mod plan;
mod session;
mod status;
mod up;

use std::io::IsTerminal as _;

use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::exec::host;
use crate::fault::{self, Fault, Kind};
use crate::report;
use args::{Args, Verb};

/// Parses the command line, runs the verb, reports its error; returns the exit code.
pub fn main() -> u8 {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are answers, not errors.
            drop(error.print());
            return if error.use_stderr() { Kind::Usage.exit_code() } else { 0 };
        }
    };
    // The client's errors come back as ours.
    let filter = tracing_subscriber::EnvFilter::new(
        host::variable("LAB_LOG").unwrap_or_else(|| "warn,kube_client=off".to_owned()),
    );
    let colour = std::io::stderr().is_terminal() && host::variable("NO_COLOR").is_none();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colour).with_writer(std::io::stderr).init();
    match run(args) {
        Ok(()) => 0,
        Err(error) => {
            let mut error = engine_trouble(error);
            fault::recognise(&mut error);
            report::error(&error);
            fault::kind(&error).exit_code()
        }
    }
}

/// An engine that fails outside a step is trouble of this machine, not a bug of ours.
fn engine_trouble(error: anyhow::Error) -> anyhow::Error {
    if fault::kind(&error) == Kind::Bug && error.downcast_ref::<bollard::errors::Error>().is_some() {
        let next = "docker info   (says what the engine has to say); make setup";
        return error.context(Fault::new(Kind::Host, "the Docker engine refuses").next(next));
    }
    error
}

#[tokio::main]
async fn run(args: Args) -> anyhow::Result<()> {
    // From here on, and not from the first moment of waiting on.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let work = async {
        match args.verb {
            Verb::Up(args) => up::up(args).await,
            Verb::Down(args) => down::down(args).await,
            Verb::Status(args) => status::status(args).await,
            Verb::Plan(args) => plan::plan(&args),
            Verb::Doctor(args) => doctor::doctor(args).await,
            Verb::Run(args) => job::run(args).await,
            Verb::Logs(args) => logs::logs(args).await,
            Verb::Credentials(args) => credentials::credentials(args).await,
            Verb::Kubeconfig(args) => kubeconfig::kubeconfig(args).await,
            Verb::Open(args) => open::open(args).await,
            Verb::Diagnose(args) => diagnose::diagnose(args).await,
            Verb::Images(verb) => images::images(verb).await,
            Verb::Config(verb) => config::config(&verb),
            Verb::Completions(args) => completions::completions(&args),
            Verb::Man => man::man(),
        }
    };
    tokio::select! {
        result = work => result,
        _ = interrupt.recv() => Err(interrupted(Kind::Interrupted)),
        _ = terminate.recv() => Err(interrupted(Kind::Terminated)),
    }
}

fn interrupted(kind: Kind) -> anyhow::Error {
    Fault::new(kind, "stopped before the end").next("the same command again goes on from here").error()
}

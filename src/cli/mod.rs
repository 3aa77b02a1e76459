//! The command line: one file a verb. The only place that wires ports to the engine.

pub mod args;
mod completions;
mod config;
mod credentials;
mod dags;
mod diagnose;
mod doctor;
mod down;
mod environment;
mod images;
mod job;
mod kubeconfig;
mod logs;
mod man;
mod open;
mod plan;
mod session;
mod signals;
mod status;
mod suggest;
mod up;
mod verify;

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Parser as _;

use crate::exec::host;
use crate::fault::{self, Fault, Kind};
use crate::report::Reporter;
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
    let wishes = args.verb.wishes();
    let mut reporter = Reporter::new(&wishes);
    let ready = wishes.junit.map_or(Ok(()), |path| reporter.add_junit(&path));
    let reporter = Arc::new(reporter);
    let result = ready.and_then(|()| run(args, &reporter)).map_err(engine_trouble).map_err(recognised);
    reporter.end(result)
}

/// With what is known of such a failure.
fn recognised(mut error: anyhow::Error) -> anyhow::Error {
    fault::recognise(&mut error);
    error
}

/// An engine that fails outside a step is trouble of this machine, not a bug of ours.
fn engine_trouble(error: anyhow::Error) -> anyhow::Error {
    if fault::kind(&error) == Kind::Bug && error.downcast_ref::<bollard::errors::Error>().is_some() {
        let next = "docker info   (says what the engine has to say); make setup";
        return error.context(Fault::new(Kind::Host, "the Docker engine refuses").next(next));
    }
    // Nor is an API server that is on its knees.
    if fault::kind(&error) == Kind::Bug && error.downcast_ref::<kube::Error>().is_some() {
        let what = "the Kubernetes API of the lab does not answer as it should";
        return error.context(Fault::new(Kind::Step, what).next("the same command again"));
    }
    error
}

fn run(args: Args, reporter: &Arc<Reporter>) -> anyhow::Result<()> {
    let said = Arc::clone(reporter);
    // What serves has Ctrl-C for its normal end.
    let serving = Arc::<AtomicBool>::default();
    let serves = Arc::clone(&serving);
    let work = async move || match args.verb {
        Verb::Up(args) => up::up(args, &said).await,
        Verb::Down(args) => down::down(args, &said).await,
        Verb::Status(args) => status::status(args, &said).await,
        Verb::Verify(args) => verify::verify(args, &said).await,
        Verb::Plan(args) => plan::plan(&args, &said).await,
        Verb::Doctor(args) => doctor::doctor(args, &said).await,
        Verb::Run(args) => job::run(args, &said).await,
        Verb::Dags(verb) => dags::dags(verb, &said).await,
        Verb::Logs(args) => logs::logs(args, &said).await,
        Verb::Credentials(args) => credentials::credentials(args, &said).await,
        Verb::Kubeconfig(args) => kubeconfig::kubeconfig(args, &said).await,
        Verb::Open(args) => open::open(args, &said, &serves).await,
        Verb::Diagnose(args) => diagnose::diagnose(args, &said).await,
        Verb::Images(verb) => images::images(verb, &said).await,
        Verb::Config(verb) => config::config(verb, &said),
        Verb::Completions(args) => completions::completions(&args),
        Verb::Man(args) => man::man(&args),
    };
    signals::run(work, reporter, &serving)
}

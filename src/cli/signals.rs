//! Signals: the first stops the run and waits for the programs that it started, the second leaves at once.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::runtime::{Handle, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::exec::{host, process};
use crate::fault::{Fault, Kind};
use crate::report::{self, Reporter};

/// How long stopped work may take to let go. Only what hangs in a read of the kernel's takes longer.
const LET_GO: Duration = Duration::from_secs(1);

/// Does the work, and leaves no program of it behind, however it ends. Once `serving` is set, Ctrl-C is its normal
/// end.
///
/// # Errors
/// Those of the work; [`Kind::Interrupted`] and [`Kind::Terminated`] where a signal ended it.
pub fn run(
    work: impl AsyncFnOnce() -> Result<()> + Send + 'static,
    reporter: &Reporter,
    serving: &AtomicBool,
) -> Result<()> {
    let runtime = Runtime::new().context("starting the runtime")?;
    let result = runtime.block_on(supervise(work, reporter, serving));
    // Does not wait for work that hangs.
    runtime.shutdown_background();
    result
}

async fn supervise(
    work: impl AsyncFnOnce() -> Result<()> + Send + 'static,
    reporter: &Reporter,
    serving: &AtomicBool,
) -> Result<()> {
    // From here on, and not from the first moment of waiting on.
    let mut signals = Signals::listen()?;
    let (stop, stopped) = oneshot::channel::<Infallible>();
    // On a thread of its own: signals are heard even where a file that is read keeps us waiting.
    let mut work = spawn_blocking(move || {
        Handle::current().block_on(async {
            tokio::select! {
                biased;
                _ = stopped => None,
                result = work() => Some(result),
            }
        })
    });
    let result = tokio::select! {
        ended = &mut work => ended.map(|result| result.unwrap_or(Ok(()))),
        kind = signals.next() => {
            process::start_no_more();
            reporter.leave_terminal();
            drop(stop);
            match timeout(LET_GO, work).await {
                Ok(Ok(Some(Ok(())))) => Ok(Ok(())),
                Ok(Err(error)) => Err(error),
                _ if serving.load(Ordering::Relaxed) && kind == Kind::Interrupted => Ok(Ok(())),
                _ => Ok(Err(interrupted(kind))),
            }
        }
    };
    if let Some(programs) = process::running() {
        reporter.leave_terminal();
        report::talk(&format!("stopping: waiting for {programs}; Ctrl-C again leaves at once"));
        tokio::select! {
            () = process::all_ended() => {}
            _ = signals.next() => process::kill_all(),
        }
    }
    match result {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(error.into()),
        },
    }
}

fn interrupted(kind: Kind) -> anyhow::Error {
    Fault::new(kind, "stopped before the end").next("the same command again goes on from here").error()
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// None where we are to outlive the terminal.
    hangup: Option<Signal>,
}

impl Signals {
    fn listen() -> Result<Self> {
        // Asked before we listen, which ends the ignoring.
        let hangup = if host::ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())?, hangup })
    }

    async fn next(&mut self) -> Kind {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => drop(hangup.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Kind::Interrupted,
            _ = self.terminate.recv() => Kind::Terminated,
            () = hangup => Kind::Terminated,
        }
    }
}

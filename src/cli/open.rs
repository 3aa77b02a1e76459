//! `lab open`

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};
use clap::{Args as ClapArgs, ValueEnum};

use super::args::LabArgs;
use super::session::Session;
use super::suggest;
use crate::exec::{browser, host};
use crate::fault::{Fault, Kind};
use crate::ports::Ports as _;
use crate::report::Reporter;
use crate::run::{forward, open};
use crate::{report, run};

const AFTER: &str = "The address is printed on standard output. Only this machine can use it, and only until Ctrl-C,
which is the normal end: exit code 0. kubectl is not needed.";

#[derive(ClapArgs)]
#[command(after_help = AFTER)]
pub struct OpenArgs {
    /// The page
    pub page: Page,
    /// The Spark application or job; without it, the only one that runs
    #[arg(value_parser = suggest::JOBS, hide_possible_values = true)]
    pub application: Option<String>,
    /// Loopback port of the page; any free one if you do not say
    #[arg(long)]
    pub port: Option<u16>,
    /// Print the address only
    #[arg(long)]
    pub no_browser: bool,
    #[command(flatten)]
    pub lab: LabArgs,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Page {
    /// MinIO's console
    Minio,
    /// Airflow's pages
    Airflow,
    /// The page of a Spark job that runs
    Spark,
}

/// Sets `serving` as soon as nothing is left to do but to serve: then Ctrl-C is the normal end.
pub async fn open(args: OpenArgs, reporter: &Reporter, serving: &AtomicBool) -> Result<()> {
    if args.page != Page::Spark && args.application.is_some() {
        return Err(Fault::new(Kind::Usage, "only `lab open spark` takes an application").error());
    }
    let session = Session::open(&args.lab, reporter).await?;
    let run = session.run(reporter);
    run::reach(&run).await?;
    let (kube, flags) = (session.world.kube(), &session.flags);
    let page = match args.page {
        Page::Minio => open::minio(&run)?,
        Page::Airflow => open::airflow(&run).await?,
        Page::Spark => open::spark(&run, args.application.as_deref()).await?,
    };
    let listener = host::listen(args.port.unwrap_or(0)).await.with_context(|| {
        let what = format!("port {} for the page cannot be used", args.port.unwrap_or(0));
        Fault::new(Kind::Host, what).next("another --port; without it, a free one is taken")
    })?;
    forward::answers(kube, &page, flags).await?;
    let address = format!("http://{}/", listener.local_addr()?);
    report::data(&format!("{address}\n"));
    report::talk(&format!("{}, until Ctrl-C", page.title));
    let service = match args.page {
        Page::Minio => Some("minio"),
        Page::Airflow => Some("airflow"),
        Page::Spark => None,
    };
    if let Some(service) = service {
        report::talk(&format!("user and password: lab credentials {service}{flags}"));
    }
    if !args.no_browser {
        browser::open(&address);
    }
    serving.store(true, Ordering::Relaxed);
    tokio::select! {
        () = forward::serve(kube, &page, &listener, &|trouble| report::talk(trouble)) => {}
        () = forward::ended(kube, &page) => report::talk(&format!("{} has ended", page.pod)),
    }
    Ok(())
}

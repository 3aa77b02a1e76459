//! `lab credentials`

use anyhow::Result;
use clap::{Args as ClapArgs, ValueEnum};

use super::args::{LabArgs, OutputArgs};
use super::session::Session;
use crate::report::{Format, Reporter};
use crate::run::logins::{self, Credentials, Login};
use crate::{report, run};

const AFTER: &str = "This is the only command that prints passwords, and it prints them on standard output only.";

#[derive(ClapArgs)]
#[command(after_help = AFTER)]
pub struct CredentialsArgs {
    /// Only of this service
    pub service: Option<Service>,
    #[command(flatten)]
    pub lab: LabArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// A service with users of its own.
#[derive(Clone, Copy, ValueEnum)]
pub enum Service {
    /// The object store
    Minio,
    /// The pages and API of Airflow
    Airflow,
}

pub async fn credentials(args: CredentialsArgs, reporter: &Reporter) -> Result<()> {
    let session = Session::open(&args.lab, reporter).await?;
    let run = session.run(reporter);
    run::reach(&run).await?;
    let logins = match args.service {
        None => logins::all(&run).await?,
        Some(Service::Minio) => logins::minio(&run).await?,
        Some(Service::Airflow) => logins::airflow(&run).await?,
    };
    if args.output.output == Format::Json {
        let document = Credentials { lab: session.lab.name.clone(), credentials: logins };
        report::data(&report::json(&document)?);
        return Ok(());
    }
    report::data(&report::logins(&logins));
    let flags = &session.flags;
    let mut services: Vec<&Login> = Vec::new();
    for login in &logins {
        if !services.iter().any(|one| one.service == login.service) {
            services.push(login);
        }
    }
    for Login { service, endpoint, .. } in services {
        report::talk(&format!("{service} for pods: {endpoint}; its pages: lab open {service}{flags}"));
    }
    report::talk(&format!("Kubernetes has no password: export KUBECONFIG=$(lab kubeconfig --path{flags})"));
    Ok(())
}

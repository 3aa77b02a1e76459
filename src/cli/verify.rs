//! `lab verify`: proves what the lab claims.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args as ClapArgs, Subcommand, ValueHint};

use super::args::{LabArgs, OutputArgs};
use super::session::Session;
use crate::components::Site;
use crate::report::{Format, Reporter};
use crate::run::verify;
use crate::{plan, report};

#[derive(Subcommand)]
pub enum VerifyVerb {
    /// Try every connection of the flow table from where its source stands, on every node
    Network(VerifyArgs),
}

#[derive(ClapArgs)]
pub struct VerifyArgs {
    #[command(flatten)]
    pub lab: LabArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Write a JUnit report as well
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub junit: Option<PathBuf>,
}

pub async fn verify(verb: VerifyVerb, reporter: &Reporter) -> Result<()> {
    match verb {
        VerifyVerb::Network(args) => network(args, reporter).await,
    }
}

async fn network(args: VerifyArgs, reporter: &Reporter) -> Result<()> {
    let session = Session::open(&args.lab, reporter).await?;
    session.lock("lab verify network", reporter).await?;
    let plan = plan::up(&Site { lab: &session.lab, catalogue: &session.catalogue })?;
    let proof = verify::network::network(&session.run(reporter), &plan).await?;
    match args.output.output {
        Format::Json => report::data(&report::json(&proof)?),
        Format::Text => report::data(&report::network(&proof)),
    }
    if let Some(path) = &args.junit {
        report::network_junit(&proof, path)?;
    }
    proof.check(&session.flags)
}

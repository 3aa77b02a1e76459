//! `lab verify`: proves what the lab claims.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args as ClapArgs, Subcommand, ValueHint};

use super::args::{LabArgs, OutputArgs};
use super::session::Session;
use crate::components::Site;
use crate::plan::{self, Plan};
use crate::report::{self, Document, Format, Reporter};
use crate::run::verify;

#[derive(Subcommand)]
pub enum VerifyVerb {
    /// Ask the API for every cell of the table of access, and try as each person and as those who are none
    Access(VerifyArgs),
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
        VerifyVerb::Access(args) => access(args, reporter).await,
        VerifyVerb::Network(args) => network(args, reporter).await,
    }
}

async fn access(args: VerifyArgs, reporter: &Reporter) -> Result<()> {
    let (session, plan) = open(&args, "lab verify access", reporter).await?;
    let proof = verify::access::access(&session.run(reporter), &plan).await?;
    print(&args, &proof, report::access)?;
    if let Some(path) = &args.junit {
        report::access_junit(&proof, path)?;
    }
    proof.check(&session.flags)
}

async fn network(args: VerifyArgs, reporter: &Reporter) -> Result<()> {
    let (session, plan) = open(&args, "lab verify network", reporter).await?;
    let proof = verify::network::network(&session.run(reporter), &plan).await?;
    print(&args, &proof, report::network)?;
    if let Some(path) = &args.junit {
        report::network_junit(&proof, path)?;
    }
    proof.check(&session.flags)
}

/// The lab, in the hands of this run, and what it is to be.
async fn open(args: &VerifyArgs, verb: &str, reporter: &Reporter) -> Result<(Session, Plan)> {
    let session = Session::open(&args.lab, reporter).await?;
    session.lock(verb, reporter).await?;
    let plan = plan::up(&Site { lab: &session.lab, catalogue: &session.catalogue })?;
    Ok((session, plan))
}

fn print<T: Document>(args: &VerifyArgs, proof: &T, text: fn(&T) -> String) -> Result<()> {
    match args.output.output {
        Format::Json => report::data(&report::json(proof)?),
        Format::Text => report::data(&text(proof)),
    }
    Ok(())
}

//! `lab verify`: proves what the lab claims.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args as ClapArgs, ValueEnum, ValueHint};

use super::args::{LabArgs, OutputArgs};
use super::session::Session;
use crate::components::Site;
use crate::plan;
use crate::report::{self, Format, Reporter};
use crate::run::verify::{Subject, verify as prove};

#[derive(ClapArgs)]
pub struct VerifyArgs {
    /// What to prove
    #[arg(value_enum, default_value = "all")]
    what: What,
    #[command(flatten)]
    pub lab: LabArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Write a page with all tables as well
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    report: Option<PathBuf>,
    /// Write a JUnit report as well
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    junit: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// Who may do what: every cell of the table of access, asked of the API and tried as each person and as none
    Access,
    /// Which pods are let in: none that could take over a node
    Pods,
    /// Who may connect to whom: every connection of the flow tables, from where its source stands, on every node
    Network,
    All,
}

impl What {
    fn subjects(self) -> &'static [Subject] {
        match self {
            Self::Access => &[Subject::Access],
            Self::Pods => &[Subject::Pods],
            Self::Network => &[Subject::Network],
            Self::All => &Subject::ALL,
        }
    }
}

pub async fn verify(args: VerifyArgs, reporter: &Reporter) -> Result<()> {
    // Minutes of work are not to end at a file that cannot be written.
    for (flag, path) in [("--report", &args.report), ("--junit", &args.junit)] {
        path.as_ref().map_or(Ok(()), |path| report::can_be_written(flag, path))?;
    }
    let session = Session::open(&args.lab, reporter).await?;
    session.lock("lab verify", reporter).await?;
    let plan = plan::up(&Site { lab: &session.lab, catalogue: &session.catalogue })?;
    let proof = prove(&session.run(reporter), &plan, args.what.subjects()).await?;
    match args.output.output {
        Format::Json => report::data(&report::json(&proof)?),
        Format::Text => report::data(&report::proof(&proof)),
    }
    if let Some(path) = &args.junit {
        report::proof_junit(&proof, path)?;
    }
    if let Some(path) = &args.report {
        report::proof_page(&proof, &format!("lab up{}", session.flags), path)?;
    }
    proof.check(&session.flags)
}

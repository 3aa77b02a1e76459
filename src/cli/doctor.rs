//! `lab doctor`

use anyhow::{Context as _, Result};
use clap::Args as ClapArgs;

use super::args::{LabArgs, OutputArgs};
use super::session::{Session, resolve, supply};
use crate::config::Lab;
use crate::exec::{World, build, host, kind};
use crate::fault::{self, Fault, Kind};
use crate::images::Catalogue;
use crate::report::{self, FindingList, Format, Reporter};
use crate::run::doctor::{Examination, Finding};

#[derive(ClapArgs)]
pub struct DoctorArgs {
    #[command(flatten)]
    pub lab: LabArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Apply the fixes that touch nothing of others, and check again
    #[arg(long)]
    pub fix: bool,
}

pub async fn doctor(args: DoctorArgs, reporter: &Reporter) -> Result<()> {
    let lab = resolve(&args.lab, reporter)?;
    let findings = match Session::of(&args.lab, lab.clone()).await {
        Ok(session) => with_engine(&args, &session, reporter).await?,
        // That there is no engine is a finding among others.
        Err(error) if fault::kind(&error) == Kind::Host => without_engine(&args, &lab, &error).await?,
        Err(error) => return Err(error),
    };
    if args.output.output == Format::Text {
        report::data(&report::findings(&lab.name, &findings));
    }
    let list = FindingList { findings };
    if args.output.output == Format::Json {
        report::data(&report::json(&list)?);
    }
    let findings = list.findings;
    let errors: Vec<&str> = findings.iter().filter(|finding| !finding.passes()).map(|finding| finding.id).collect();
    if errors.is_empty() {
        return Ok(());
    }
    let what = format!("not fit for lab {}: {}", lab.name, errors.join(", "));
    let safe = findings.iter().any(|finding| finding.fix.as_ref().is_some_and(|fix| fix.safe));
    let next = if safe && !args.fix {
        format!("lab doctor --fix{}   (applies the safe ones of these fixes)", args.lab.typed())
    } else {
        "the fixes above".to_owned()
    };
    Err(Fault::new(Kind::Host, what).next(next).error())
}

async fn with_engine(args: &DoctorArgs, session: &Session, reporter: &Reporter) -> Result<Vec<Finding>> {
    let run = session.run(reporter);
    let examination = Examination::of(&run, &host::Machine);
    let findings = examination.findings().await?;
    if !args.fix {
        return Ok(findings);
    }
    // What looks unfinished may be in the making.
    session.lock("lab doctor --fix", reporter).await?;
    mend(&examination, findings).await
}

async fn without_engine(args: &DoctorArgs, lab: &Lab, why: &anyhow::Error) -> Result<Vec<Finding>> {
    let home =
        host::state_home().context(Fault::new(Kind::Host, "neither LAB_STATE, XDG_STATE_HOME nor HOME is set"))?;
    let catalogue = Catalogue::load()?;
    let examination = Examination::<World, _> {
        lab,
        catalogue: &catalogue,
        supply: &supply(lab, &catalogue)?,
        state: &home.join(&lab.name),
        flags: &args.lab.typed(),
        docker: Err(why),
        clusters: &kind::Kind,
        builder: &build::Buildx,
        host: &host::Machine,
    };
    let findings = examination.findings().await?;
    if args.fix { mend(&examination, findings).await } else { Ok(findings) }
}

/// Applies the safe fixes, and looks again.
async fn mend(examination: &Examination<'_, World, host::Machine>, findings: Vec<Finding>) -> Result<Vec<Finding>> {
    let said = examination.fix(&findings).await;
    if said.is_empty() {
        report::talk("nothing that could be fixed safely");
        return Ok(findings);
    }
    for line in &said {
        report::talk(&format!("fix: {line}"));
    }
    examination.findings().await
}

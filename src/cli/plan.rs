//! `lab plan`

use anyhow::Result;

use super::args::PlanArgs;
use super::session::resolve;
use crate::components::Site;
use crate::images::Catalogue;
use crate::{plan, report};

pub fn plan(args: &PlanArgs) -> Result<()> {
    let lab = resolve(&args.lab)?;
    let plan = plan::up(&Site { lab: &lab, catalogue: &Catalogue::load()? })?;
    if args.json {
        report::data(&format!("{}\n", serde_json::to_string_pretty(&plan)?));
    } else {
        report::data(&report::plan(&plan));
    }
    Ok(())
}

//! `lab completions`

use anyhow::Result;
use clap::{Args as ClapArgs, CommandFactory as _};
use clap_complete::Shell;

use super::args::Args;
use crate::report;

#[derive(ClapArgs)]
pub struct CompletionsArgs {
    /// The shell that will read the script
    #[arg(value_enum)]
    pub shell: Shell,
}

pub fn completions(args: &CompletionsArgs) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "lab", &mut script);
    report::data(&String::from_utf8(script)?);
    Ok(())
}

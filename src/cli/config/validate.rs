//! `lab config validate`

use anyhow::Result;
use clap::Args as ClapArgs;

use crate::cli::args::OutputArgs;
use crate::cli::session::{old_version, refused};
use crate::config::{self, Overrides, Place, Position, Problems, Source};
use crate::event::Sink as _;
use crate::report::{self, Format, ListedProblem, ProblemList, Reporter};

#[derive(ClapArgs)]
pub struct ValidateArgs {
    /// Configuration files, or the built-in full, small, ci
    #[arg(default_value = "lab.yaml", value_name = "FILE")]
    pub files: Vec<String>,
    /// JSON is a list of the problems
    #[command(flatten)]
    pub output: OutputArgs,
}

pub fn validate(args: &ValidateArgs, reporter: &Reporter) -> Result<()> {
    let mut broken = Vec::new();
    for name in &args.files {
        let checked = Source::named(name).and_then(|source| config::resolve(&source, &Overrides::default()));
        match checked {
            Ok(resolved) => {
                if resolved.is_old() {
                    reporter.warn(old_version(name, resolved.version));
                }
                if args.output.output == Format::Text {
                    report::data(&format!("{name}: valid\n"));
                }
            }
            Err(problems) => broken.push(problems),
        }
    }
    if args.output.output == Format::Json {
        report::data(&report::json(&ProblemList { problems: broken.iter().flat_map(listed).collect() })?);
    }
    if broken.is_empty() {
        return Ok(());
    }
    let what = match args.files.len() {
        1 => "the configuration cannot be used".to_owned(),
        all => format!("{} of {all} configurations cannot be used", broken.len()),
    };
    let said: Vec<String> = broken.iter().map(ToString::to_string).collect();
    Err(refused(&what, said.join("\n")))
}

fn listed(problems: &Problems) -> Vec<ListedProblem> {
    let one = |problem: &config::Problem| {
        let position = match problem.place {
            Place::At(position) => Some(position),
            _ => None,
        };
        ListedProblem {
            file: problems.file.clone(),
            line: position.map(|Position { line, .. }| line),
            column: position.map(|Position { column, .. }| column),
            path: problem.path.clone(),
            message: problem.complaint.message.clone(),
            hint: problem.complaint.hint.clone(),
        }
    };
    problems.list.iter().map(one).collect()
}

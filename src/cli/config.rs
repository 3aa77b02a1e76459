//! `lab config`

mod init;
mod migrate;
mod replace;
mod show;
mod validate;

use anyhow::Result;
use clap::Subcommand;

use crate::report::Reporter;
use crate::{config, report};

#[derive(Subcommand)]
pub enum ConfigVerb {
    /// Print the JSON Schema of configuration files
    Schema,
    /// Write a configuration file with comments, to start from
    Init(init::InitArgs),
    /// Check configuration files by themselves: no flag and no variable counts
    Validate(validate::ValidateArgs),
    /// Print every field with the value that counts: a flag wins over a variable, that over the file, that over
    /// the default
    Show(show::ShowArgs),
    /// Print a file of an older version in the current one
    ///
    /// Lines are moved whole, so comments and the order of all others stay. A file whose lines cannot be moved is
    /// written anew, without its comments, and a warning says so.
    Migrate(migrate::MigrateArgs),
}

pub fn config(verb: ConfigVerb, reporter: &Reporter) -> Result<()> {
    match verb {
        ConfigVerb::Schema => {
            report::data(&report::bare_json(&config::schema())?);
            Ok(())
        }
        ConfigVerb::Init(args) => init::init(&args),
        ConfigVerb::Validate(args) => validate::validate(&args, reporter),
        ConfigVerb::Show(args) => show::show(&args, reporter),
        ConfigVerb::Migrate(args) => migrate::migrate(&args),
    }
}

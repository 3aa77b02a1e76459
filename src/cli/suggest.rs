//! Arguments that take any word, of which completions know the usual ones. What is none of them is judged by
//! the verb, which knows the nearest and what else there is.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};

use crate::images::Catalogue;
use crate::jobs::Job;
use crate::run::logs;

/// Takes any text and suggests some.
#[derive(Clone)]
pub struct Suggest(fn() -> Vec<String>);

impl TypedValueParser for Suggest {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        // clap wants words that live for ever; it asks for them once, where it prints help or a completion script.
        Some(Box::new((self.0)().into_iter().map(|word| PossibleValue::new(&*word.leak()))))
    }
}

/// Sample jobs; any folder is one as well.
pub const JOBS: Suggest = Suggest(Job::samples);

/// Images of the catalogue.
pub const IMAGES: Suggest = Suggest(|| {
    let catalogue = Catalogue::load().ok();
    catalogue.iter().flat_map(Catalogue::all).map(|image| image.name.clone()).collect()
});

/// What always has a log; nodes and jobs are known only where a lab stands.
pub const LOGS: Suggest = Suggest(|| logs::NAMES.into_iter().chain(["smoke"]).map(str::to_owned).collect());

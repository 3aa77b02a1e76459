//! Parses, runs, exits with the right code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(lab::cli::main())
}

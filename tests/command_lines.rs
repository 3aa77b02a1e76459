//! Random command lines, made from the tree of verbs and flags: right ones, nearly right ones, and nonsense.
//! None makes the program panic.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that does not work")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};

use clap::{Arg, CommandFactory as _, FromArgMatches as _};
use lab::cli::args::Args;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

const IN_PROCESS: usize = 100_000;
const AS_PROCESS: usize = 300;

/// What people and scripts might write where a value belongs.
const VALUES: [&str; 40] = [
    "",
    " ",
    "lab",
    "full",
    "small",
    "ci",
    "auto",
    "registry",
    "build",
    "text",
    "json",
    "pi",
    "pagerank",
    "base",
    "spark",
    "bash",
    "zsh",
    "0",
    "1",
    "-1",
    "80",
    "16443",
    "65536",
    "18446744073709551616",
    "1e3",
    "0x10",
    "172.29.0.0/24",
    "172.29.0.0",
    "::1/64",
    "-",
    "--",
    "---",
    "=",
    "a=b",
    "--name",
    "\n",
    "\u{0}",
    "💥",
    "%s%n",
    "{{x}}",
];

struct Author {
    random: Xoshiro256PlusPlus,
    /// The words of every verb, those of a verb that has more below it included, and what may follow.
    verbs: Vec<(Vec<String>, Vec<Arg>)>,
}

fn verbs(command: &clap::Command, words: &[String], all: &mut Vec<(Vec<String>, Vec<Arg>)>) {
    all.push((words.to_vec(), command.get_arguments().cloned().collect()));
    for below in command.get_subcommands() {
        verbs(below, &[words, &[below.get_name().to_owned()]].concat(), all);
    }
}

impl Author {
    fn new(seed: u64) -> Self {
        let mut command = Args::command();
        command.build();
        let mut all = Vec::new();
        verbs(&command, &[], &mut all);
        Self { random: Xoshiro256PlusPlus::seed_from_u64(seed), verbs: all }
    }

    fn one_in(&mut self, times: u32) -> bool {
        self.random.random_ratio(1, times)
    }

    /// A whole command line, its program's name first.
    fn line(&mut self) -> Vec<OsString> {
        let mut words = vec![OsString::from("lab")];
        let verb = self.random.random_range(0..self.verbs.len());
        for name in self.verbs[verb].0.clone() {
            words.push(self.spoilt(&name));
        }
        for _ in 0..self.random.random_range(0..6) {
            match self.verbs[verb].1.choose(&mut self.random).cloned() {
                Some(argument) if !self.one_in(8) => self.argument(&argument, &mut words),
                _ => words.push(self.value(None)),
            }
        }
        words
    }

    fn argument(&mut self, argument: &Arg, words: &mut Vec<OsString>) {
        let flag = match (argument.get_long(), argument.get_short()) {
            (_, Some(short)) if self.one_in(3) => Some(format!("-{short}")),
            (Some(long), _) => Some(format!("--{long}")),
            (None, short) => short.map(|short| format!("-{short}")),
        };
        let takes = argument.get_action().takes_values();
        match flag {
            Some(flag) if takes && self.one_in(2) => {
                let mut word = OsString::from(format!("{flag}="));
                word.push(self.value(Some(argument)));
                words.push(word);
            }
            Some(flag) => {
                words.push(self.spoilt(&flag));
                if takes != self.one_in(10) {
                    words.push(self.value(Some(argument)));
                }
            }
            None => words.push(self.value(Some(argument))),
        }
    }

    fn value(&mut self, argument: Option<&Arg>) -> OsString {
        let possible: Vec<String> =
            argument.into_iter().flat_map(Arg::get_possible_values).map(|value| value.get_name().to_owned()).collect();
        if let Some(value) = possible.choose(&mut self.random)
            && !self.one_in(3)
        {
            return value.into();
        }
        match self.random.random_range(0..12) {
            0 => OsString::from_vec((0..self.random.random_range(1..20)).map(|_| self.random.random()).collect()),
            1 => OsString::from("x".repeat(self.random.random_range(1..10_000))),
            2 => self.random.random::<u16>().to_string().into(),
            _ => VALUES.choose(&mut self.random).unwrap().into(),
        }
    }

    /// Now and then a letter is missing or doubled.
    fn spoilt(&mut self, word: &str) -> OsString {
        let mut letters: Vec<char> = word.chars().collect();
        if self.one_in(20) {
            let position = self.random.random_range(0..letters.len());
            if self.one_in(2) {
                letters.remove(position);
            } else {
                letters.insert(position, letters[position]);
            }
        }
        letters.into_iter().collect::<String>().into()
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the figure is what the test is for")]
fn a_hundred_thousand_random_command_lines_make_no_panic() {
    let seed = rand::rng().random();
    let mut author = Author::new(seed);
    let mut parser = Args::command();
    let mut accepted = BTreeMap::<bool, usize>::new();
    for _ in 0..IN_PROCESS {
        let line = author.line();
        let parsed = catch_unwind(AssertUnwindSafe(|| {
            let matches = parser.try_get_matches_from_mut(&line)?;
            Args::from_arg_matches(&matches).map(drop)
        }));
        let parsed = parsed.unwrap_or_else(|_| panic!("seed {seed}: {line:?} made a panic"));
        if let Err(error) = &parsed {
            assert!([0, 2].contains(&error.exit_code()), "seed {seed}: {line:?}: {error}");
            assert!(!error.to_string().is_empty(), "seed {seed}: {line:?}");
        }
        *accepted.entry(parsed.is_ok()).or_default() += 1;
    }
    println!("{IN_PROCESS} random command lines: {accepted:?}");
    // Lines of which all or none are right would try little.
    assert!(accepted.values().all(|count| *count > IN_PROCESS / 50) && accepted.len() == 2, "{accepted:?}");
}

/// Codes that the README names.
fn is_documented(code: Option<i32>) -> bool {
    let known = |code: i32| lab::fault::Kind::ALL.iter().any(|kind| i32::from(kind.exit_code()) == code);
    code.is_some_and(|code| code == 0 || (code != 1 && known(code)))
}

#[test]
#[expect(clippy::print_stdout, reason = "the figure is what the test is for")]
fn random_command_lines_end_the_program_with_a_documented_code() {
    let seed = rand::rng().random();
    let mut author = Author::new(seed);
    let home = tempfile::tempdir().unwrap();
    let mut codes = BTreeMap::<Option<i32>, usize>::new();
    let mut count = 0;
    while count < AS_PROCESS {
        let mut line = author.line();
        line.remove(0);
        // The kernel takes no zero byte, and this machine's settings are not a test's to mend.
        let unfit =
            |word: &OsString| word.as_encoded_bytes().contains(&0) || word.as_encoded_bytes().starts_with(b"--f");
        if line.iter().any(unfit) {
            continue;
        }
        count += 1;
        #[expect(clippy::disallowed_methods, reason = "a test starts the binary under test")]
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        command.args(&line).env_clear().current_dir(home.path()).stdin(Stdio::null());
        command.env("HOME", home.path()).env("PATH", home.path()).env("LAB_STATE", home.path().join("state"));
        command.env("DOCKER_HOST", format!("unix://{}", home.path().join("no.sock").display()));
        let output = command.output().unwrap();
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(is_documented(output.status.code()), "seed {seed}: {line:?}: {}\n{talk}", output.status);
        assert!(!talk.contains("panicked"), "seed {seed}: {line:?}\n{talk}");
        *codes.entry(output.status.code()).or_default() += 1;
    }
    println!("{AS_PROCESS} random runs ended with {codes:?}");
}

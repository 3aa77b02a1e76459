//! `lab man`: the manual, made from the command line's own types.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Arg, Args as ClapArgs, Command, CommandFactory as _, ValueHint};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::args::{Args, LabArgs, OutputArgs};
use crate::fault::{Fault, Kind};
use crate::report;

const AFTER: &str = "Read it at once: lab man | man -l -
Keep it: lab man --dir ~/.local/share/man/man1, then man lab, man lab-up";

#[derive(ClapArgs)]
#[command(after_help = AFTER)]
pub struct ManArgs {
    /// Write a page for lab and one for each command into this folder
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

pub fn man(args: &ManArgs) -> Result<()> {
    // `lab help` needs no page of its own.
    let mut lab = Args::command().disable_help_subcommand(true);
    lab.build();
    let Some(folder) = &args.dir else {
        report::data(&ascii(whole(&lab)?)?);
        return Ok(());
    };
    let written = fs_err::create_dir_all(folder).map_err(Into::into).and_then(|()| write(&lab, folder, true));
    written.with_context(|| {
        let what = format!("the manual cannot be written to {}", folder.display());
        Fault::new(Kind::Host, what).next("lab man --dir FOLDER, with a folder that you may write")
    })
}

fn page(command: Command) -> Man {
    Man::new(command).source(concat!("lab ", env!("CARGO_PKG_VERSION"))).manual("User Commands")
}

/// The page of a command and those of the commands below it.
fn write(command: &Command, folder: &Path, main: bool) -> Result<()> {
    let page = page(command.clone());
    let mut text = Vec::new();
    head(&page, &mut text)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut text)?;
    }
    tail(command, main).to_writer(&mut text)?;
    fs_err::write(folder.join(page.get_filename()), ascii(text)?)?;
    command.get_subcommands().try_for_each(|inner| write(inner, folder, false))
}

/// A page that every roff can read: letters beyond ASCII by their numbers.
fn ascii(page: Vec<u8>) -> Result<String> {
    let letter = |letter: char| match letter {
        letter if letter.is_ascii() => letter.to_string(),
        letter => format!("\\[u{:04X}]", u32::from(letter)),
    };
    Ok(String::from_utf8(page)?.chars().map(letter).collect())
}

/// One page with everything.
fn whole(lab: &Command) -> Result<Vec<u8>> {
    let shared = OutputArgs::augment_args(LabArgs::augment_args(Command::new("lab")));
    let mut text = Vec::new();
    head(&page(lab.clone()), &mut text)?;
    control("SH", "COMMANDS").to_writer(&mut text)?;
    for command in lab.get_subcommands() {
        section(command, &shared, &mut text)?;
    }
    control("SH", "SHARED OPTIONS").to_writer(&mut text)?;
    let shared = page(shared.disable_help_flag(true));
    part(|text| shared.render_options_section(text), &mut text)?;
    tail(lab, true).to_writer(&mut text)?;
    Ok(text)
}

/// A command and those below it, as parts of a larger page.
fn section(command: &Command, shared: &Command, text: &mut Vec<u8>) -> Result<()> {
    let is_shared = |arg: &Arg| shared.get_arguments().any(|known| known.get_id() == arg.get_id());
    let shares = command.get_arguments().any(is_shared);
    let own = command.clone().mut_args(|arg| {
        let hide = is_shared(&arg) || arg.get_id() == "help";
        arg.hide(hide)
    });
    let page = page(own);
    control("SS", command.get_bin_name().unwrap_or_else(|| command.get_name())).to_writer(text)?;
    part(|text| page.render_synopsis_section(text), text)?;
    if shares {
        Roff::default().text([roman("[shared options]")]).to_writer(text)?;
    }
    part(|text| page.render_description_section(text), text)?;
    part(|text| page.render_options_section(text), text)?;
    examples(command).to_writer(text)?;
    command.get_subcommands().try_for_each(|inner| section(inner, shared, text))
}

/// Adds a section as a paragraph: without its heading, and without the definitions before it, which the page has.
fn part(render: impl Fn(&mut dyn Write) -> std::io::Result<()>, text: &mut Vec<u8>) -> Result<()> {
    let mut section = Vec::new();
    render(&mut section)?;
    let section = String::from_utf8(section)?;
    let after_heading = section.lines().skip_while(|line| !line.starts_with(".SH ")).skip(1);
    text.extend(after_heading.fold(".PP\n".to_owned(), |all, line| all + line + "\n").into_bytes());
    Ok(())
}

fn control(name: &str, heading: &str) -> Roff {
    let mut roff = Roff::default();
    roff.control(name, [heading]);
    roff
}

fn head(page: &Man, text: &mut Vec<u8>) -> Result<()> {
    page.render_title(text)?;
    page.render_name_section(text)?;
    page.render_synopsis_section(text)?;
    page.render_description_section(text)?;
    page.render_options_section(text)?;
    Ok(())
}

/// What a command's help says at its end, line by line as it stands there.
fn examples(command: &Command) -> Roff {
    let mut roff = Roff::default();
    if let Some(help) = command.get_after_help().filter(|_| command.get_name() != "lab") {
        roff.control("PP", []).control("nf", []);
        help.to_string().lines().for_each(|line| {
            roff.text([roman(line)]);
        });
        roff.control("fi", []);
    }
    roff
}

/// The sections at the end of a page: all of them on the page of `lab` itself.
fn tail(command: &Command, main: bool) -> Roff {
    let mut roff = Roff::default();
    if !main {
        if command.get_after_help().is_some() {
            roff.control("SH", ["NOTES"]);
            roff.extend([examples(command)]);
        }
        roff.control("SH", ["SEE ALSO"]);
        roff.text([bold("lab"), roman("(1): exit status, environment, files")]);
        return roff;
    }
    let mut list = |heading: &str, rows: &[(String, &str)]| {
        roff.control("SH", [heading]);
        for (term, meaning) in rows {
            roff.control("TP", []).text([bold(term.as_str())]).text([roman(*meaning)]);
        }
    };
    let mut codes = vec![("0".to_owned(), "done; for lab status: all is ready; for lab open: Ctrl-C")];
    codes.extend(Kind::ALL.map(|kind| (kind.exit_code().to_string(), meaning(kind))));
    list("EXIT STATUS", &codes);
    list("ENVIRONMENT", &ENVIRONMENT.map(|(name, meaning)| (name.to_owned(), meaning)));
    list("FILES", &FILES.map(|(name, meaning)| (name.to_owned(), meaning)));
    roff.control("SH", ["SEE ALSO"]).text([bold("docker"), roman("(1), "), bold("kubectl"), roman("(1)")]);
    roff
}

const ENVIRONMENT: [(&str, &str); 8] = [
    ("LAB_STATE", "the folder of state; without it XDG_STATE_HOME/lab, and without that ~/.local/state/lab"),
    ("LAB_CONFIG", "as --config, which wins over it"),
    (
        "LAB_NAME, LAB_CLUSTER_WORKERS, …",
        "fields of the configuration; they win over the file, and flags win over them. lab config show --origin tells",
    ),
    ("LAB_LOG", "what is logged to standard error: debug shows every call, warn is the default"),
    ("NO_COLOR", "set to anything: no colour and no live display"),
    ("DOCKER_HOST", "the Docker engine; without it, the one of the current Docker context"),
    ("BROWSER", "the program with which lab open opens a page"),
    ("HTTP_PROXY, HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE, PIP_INDEX_URL, GOPROXY", "used when images are built"),
];

const FILES: [(&str, &str); 3] = [
    ("~/.local/state/lab/NAME/kubeconfig", "administrator of the lab called NAME; readable by its owner alone"),
    ("~/.local/state/lab/NAME/lock", "held by the run that has the lab"),
    ("lab-configs/full.yaml", "in the source: every field of a configuration, with its default and its meaning"),
];

/// What an exit code says.
fn meaning(kind: Kind) -> &'static str {
    match kind {
        Kind::Bug => "a defect of lab itself: please report it",
        Kind::Usage => "a wrong command line",
        Kind::Config => "a configuration that cannot be used, or that does not fit the lab that stands",
        Kind::Host => "something is missing or taken on this machine",
        Kind::Step => "a step or a job failed, or the lab is not up",
        Kind::Verification => "everything ran, but the answer is wrong",
        Kind::Cleanup => "something of the lab is left behind",
        Kind::Locked => "another run has the lab",
        Kind::Drift => "what stands is not what the configuration says",
        Kind::Interrupted => "Ctrl-C; the same command goes on from here",
        Kind::Terminated => "SIGTERM, likewise",
    }
}

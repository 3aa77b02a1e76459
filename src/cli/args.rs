//! The command line as types: the verbs, and the arguments that several of them share.

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum as _, ValueHint};

use super::{
    completions, config, credentials, dags, diagnose, doctor, down, images, job, kubeconfig, logs, man, open, plan,
    status, up, verify,
};
use crate::config::{ImageSource, Overrides};
use crate::report::{Format, Wishes};

/// A local data-platform lab: an HA Kubernetes cluster in Docker with Spark Operator, MinIO and Airflow,
/// proved by a Spark job with three executors.
#[derive(Parser)]
#[command(name = "lab", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Args {
    #[command(subcommand)]
    pub verb: Verb,
}

const EXIT_CODES: &str = "Exit codes: 0 ok, 1 bug, 2 usage, 3 configuration, 4 machine not fit, 5 step failed,
6 wrong result, 7 cleanup incomplete, 8 locked by another run, 9 drift, 130 SIGINT, 143 SIGTERM.
LAB_LOG=debug shows every call; LAB_STATE is the folder of state (default ~/.local/state/lab).
LAB_CONFIG stands for --config; every field has a variable too (lab config show --origin).";

#[derive(Subcommand)]
pub enum Verb {
    /// Make the lab, or bring it back to what the configuration says
    Up(up::UpArgs),
    /// Remove the cluster; the registry and its images stay for the next time
    Down(down::DownArgs),
    /// Show nodes, components, addresses, certificates of people and the last smoke verdict
    Status(status::StatusArgs),
    /// Print what `lab up` will do
    Plan(plan::PlanArgs),
    /// Check this machine, and say how to mend what is in the way
    Doctor(doctor::DoctorArgs),
    /// Prove what the lab claims; exit code 6 where it is not so
    Verify(verify::VerifyArgs),
    /// Run a Spark job: a sample job's name, or a folder with an application.yaml
    Run(job::RunArgs),
    /// Push, list and run DAGs of Airflow, and show their logs
    #[command(subcommand)]
    Dags(dags::DagsVerb),
    /// Show the log of a component or of a job
    Logs(logs::LogsArgs),
    /// Show user names and passwords of the lab's services
    Credentials(credentials::CredentialsArgs),
    /// Print the kubeconfig, or where it is
    Kubeconfig(kubeconfig::KubeconfigArgs),
    /// Open a page of the lab in the browser, through a port on loopback
    Open(open::OpenArgs),
    /// Pack everything that explains a failure into one archive, secrets masked
    Diagnose(diagnose::DiagnoseArgs),
    /// List, build, pull or lock the lab's images
    #[command(subcommand)]
    Images(images::ImagesVerb),
    /// Make, check, show and migrate configuration files
    #[command(subcommand)]
    Config(config::ConfigVerb),
    /// Print the completion script of a shell
    Completions(completions::CompletionsArgs),
    /// Print the manual page, or write one page for each command
    Man(man::ManArgs),
}

impl Verb {
    /// How a verb that runs steps is to be reported; the others print their result and nothing else.
    pub fn wishes(&self) -> Wishes {
        match self {
            Verb::Up(args) => Wishes { junit: args.junit.clone(), ..args.report.wishes() },
            Verb::Run(args) => args.report.wishes(),
            Verb::Images(images::ImagesVerb::Build(args) | images::ImagesVerb::Pull(args)) => args.report.wishes(),
            Verb::Dags(
                dags::DagsVerb::Push(dags::PushArgs { report, .. }) | dags::DagsVerb::Run(dags::RunArgs { report, .. }),
            ) => report.wishes(),
            _ => Wishes::default(),
        }
    }
}

/// Which lab.
#[derive(ClapArgs, Clone)]
pub struct LabArgs {
    /// Configuration file, or one of the built-in full, small, ci (default: full)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<String>,
    /// Name of the lab, instead of the file's
    #[arg(long)]
    pub name: Option<String>,
    /// Subnet of the lab's Docker network, instead of the file's
    #[arg(long, value_name = "CIDR")]
    pub subnet: Option<String>,
    /// Loopback port of the Kubernetes API, instead of the file's
    #[arg(long, value_name = "PORT")]
    pub api_port: Option<u16>,
    /// Loopback port of the registry, instead of the file's
    #[arg(long, value_name = "PORT")]
    pub registry_port: Option<u16>,
    /// Where images come from, instead of the file's
    #[arg(long, value_enum)]
    pub images: Option<ImageSource>,
    #[command(flatten)]
    pub mirror: MirrorArgs,
}

/// Which registry stands in for those of upstream.
#[derive(ClapArgs, Clone, Default)]
pub struct MirrorArgs {
    /// Registry that stands in for all upstream ones, instead of the file's
    #[arg(long, value_name = "HOST[:PORT][/PATH]")]
    pub registry_mirror: Option<String>,
    /// File of digests that replace those known to lab, instead of the file's
    #[arg(long, value_name = "FILE")]
    pub images_lock: Option<String>,
}

impl LabArgs {
    /// These flags as they would be typed in a shell, each with a space before it.
    pub fn typed(&self) -> String {
        let flag = |name: &str, value: Option<String>| value.map(|value| format!(" --{name} {}", quoted(&value)));
        [
            flag("config", self.config.clone()),
            flag("name", self.name.clone()),
            flag("subnet", self.subnet.clone()),
            flag("api-port", self.api_port.map(|port| port.to_string())),
            flag("registry-port", self.registry_port.map(|port| port.to_string())),
            flag("images", self.source()),
            flag("registry-mirror", self.mirror.registry_mirror.clone()),
            flag("images-lock", self.mirror.images_lock.clone()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    pub fn overrides(&self) -> Overrides {
        Overrides {
            name: self.name.clone(),
            subnet: self.subnet.clone(),
            api_port: self.api_port,
            registry_port: self.registry_port,
            variables: Vec::new(),
            images: self.source(),
            mirror: self.mirror.registry_mirror.clone(),
            lock: self.mirror.images_lock.clone(),
        }
    }

    fn source(&self) -> Option<String> {
        self.images.and_then(|source| Some(source.to_possible_value()?.get_name().to_owned()))
    }
}

/// As a shell takes it for one word.
pub fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:,=@%+".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// How data is printed.
#[derive(ClapArgs, Clone, Copy)]
pub struct OutputArgs {
    /// Text for people, or JSON for programs
    #[arg(long, short, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

/// How a verb that runs steps is reported.
#[derive(ClapArgs, Clone, Copy)]
pub struct ReportArgs {
    #[command(flatten)]
    pub data: OutputArgs,
    /// Plain lines, no colour, no live display
    #[arg(long)]
    pub ci: bool,
}

impl ReportArgs {
    fn wishes(self) -> Wishes {
        Wishes { format: self.data.output, ci: self.ci, junit: None }
    }
}

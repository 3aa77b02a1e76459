//! The command line as types.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

use crate::config::Overrides;
use crate::run::Source;

/// A local data-platform lab: an HA Kubernetes cluster in Docker with Spark Operator and MinIO,
/// proved by a Spark job with three executors.
#[derive(Parser)]
#[command(name = "lab", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Args {
    #[command(subcommand)]
    pub verb: Verb,
}

const EXIT_CODES: &str = "Exit codes: 0 ok, 1 bug, 2 usage, 3 configuration, 4 machine not fit, 5 step failed,
6 wrong result, 7 cleanup incomplete, 8 locked by another run, 130 SIGINT, 143 SIGTERM.
LAB_LOG=debug shows every call; LAB_STATE is the folder of state (default ~/.local/state/lab).";

#[derive(Subcommand)]
pub enum Verb {
    /// Make the lab, or bring it back to what the configuration says
    Up(UpArgs),
    /// Remove the cluster; the registry and its images stay for the next time
    Down(DownArgs),
    /// Show nodes, components, addresses and the last smoke verdict
    Status(StatusArgs),
    /// Print what `lab up` will do
    Plan(PlanArgs),
    /// Run a Spark job: a sample job's name, or a folder with an application.yaml
    Run(RunArgs),
    /// List, build or pull the lab's images
    #[command(subcommand)]
    Images(ImagesVerb),
}

/// What `lab` makes when nothing else is said.
const DEFAULT_CONFIG: &str = "full";

/// Which lab.
#[derive(ClapArgs, Clone)]
pub struct LabArgs {
    /// Configuration file, or one of the built-in full, small, ci
    #[arg(long, default_value = DEFAULT_CONFIG, value_name = "FILE")]
    pub config: String,
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
    /// Where images come from
    #[arg(long, value_enum, default_value_t = Source::Auto)]
    pub images: Source,
}

impl LabArgs {
    /// These flags as they would be typed, each with a space before it; defaults are left out.
    pub fn typed(&self) -> String {
        let flag = |name: &str, value: Option<String>| value.map(|value| format!(" --{name} {value}"));
        [
            flag("config", (self.config != DEFAULT_CONFIG).then(|| self.config.clone())),
            flag("name", self.name.clone()),
            flag("subnet", self.subnet.clone()),
            flag("api-port", self.api_port.map(|port| port.to_string())),
            flag("registry-port", self.registry_port.map(|port| port.to_string())),
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
        }
    }
}

#[derive(ClapArgs)]
pub struct UpArgs {
    #[command(flatten)]
    pub lab: LabArgs,
    /// Plain lines, no colour, no live display
    #[arg(long)]
    pub ci: bool,
    /// Run the smoke job although its last verdict still holds
    #[arg(long)]
    pub smoke: bool,
    /// Merge the lab's context into this kubeconfig file as well
    #[arg(long, value_name = "FILE")]
    pub merge_kubeconfig: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub struct DownArgs {
    #[command(flatten)]
    pub lab: LabArgs,
    /// Remove the registry, its images, the network and all state as well
    #[arg(long)]
    pub all: bool,
}

#[derive(ClapArgs)]
pub struct StatusArgs {
    #[command(flatten)]
    pub lab: LabArgs,
    /// JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

#[derive(ClapArgs)]
pub struct PlanArgs {
    #[command(flatten)]
    pub lab: LabArgs,
    /// JSON with every object instead of a list of steps
    #[arg(long)]
    pub json: bool,
}

#[derive(ClapArgs)]
pub struct RunArgs {
    /// Name of a sample job, or a folder
    pub job: String,
    #[command(flatten)]
    pub lab: LabArgs,
    /// Plain lines, no colour, no live display
    #[arg(long)]
    pub ci: bool,
    /// Seconds the job may take
    #[arg(long, default_value_t = 1800, value_name = "SECONDS")]
    pub timeout: u64,
}

#[derive(Subcommand)]
pub enum ImagesVerb {
    /// Show every image, its version and where it is
    List(ImagesArgs),
    /// Build images from package registries alone
    Build(ImagesArgs),
    /// Pull images from their upstream registries
    Pull(ImagesArgs),
}

#[derive(ClapArgs)]
pub struct ImagesArgs {
    /// Only these images (default: all)
    pub names: Vec<String>,
    /// Plain lines, no colour, no live display
    #[arg(long)]
    pub ci: bool,
}

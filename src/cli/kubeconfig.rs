//! `lab kubeconfig`

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args as ClapArgs, ValueHint};

use super::args::{LabArgs, OutputArgs};
use super::session::Session;
use crate::components::Site;
use crate::components::people::people;
use crate::config::Role;
use crate::exec::World;
use crate::fault::{Fault, Kind};
use crate::report::{Format, Kubeconfig, Reporter};
use crate::run::Run;
use crate::{exec, report, run};

const AFTER: &str = "Use it in this shell: export KUBECONFIG=$(lab kubeconfig --path)
Without --role or --user it is the administrator's, who may do everything; where that file was lost, kind makes it
again. The others have what docs/access.md says, for as long as their certificates are good.";

#[derive(ClapArgs)]
#[command(after_help = AFTER)]
pub struct KubeconfigArgs {
    /// Print where the file is, not what is in it
    #[arg(long, conflicts_with = "merge")]
    pub path: bool,
    /// Merge the lab's context into this kubeconfig file, and make it the current one there
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub merge: Option<PathBuf>,
    /// Of the lab's user of this name instead of its administrator
    #[arg(long, conflicts_with = "user")]
    pub role: Option<Role>,
    /// Of a user in the configuration
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    #[command(flatten)]
    pub lab: LabArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub async fn kubeconfig(args: KubeconfigArgs, reporter: &Reporter) -> Result<()> {
    let session = Session::open(&args.lab, reporter).await?;
    let run = session.run(reporter);
    run::reach(&run).await?;
    let user = args.user.or(args.role.map(|role| role.name().to_owned()));
    let (path, context) = match &user {
        Some(name) => person(&session, &run, name)?,
        None => (run.kubeconfig(), format!("kind-{}", session.lab.name)),
    };
    match &args.merge {
        Some(file) if user.is_some() => run::people::merge(&path, file)?,
        Some(file) => exec::kind::merge(&session.lab.name, file).await?,
        None => {}
    }
    if args.output.output == Format::Json {
        let path = args.merge.unwrap_or(path).display().to_string();
        report::data(&report::json(&Kubeconfig { path, context })?);
    } else if let Some(file) = &args.merge {
        let file = file.display();
        report::talk(&format!("{file} has the context {context}: kubectl --kubeconfig {file} get nodes"));
    } else if args.path {
        report::data(&format!("{}\n", path.display()));
    } else {
        report::data(&fs_err::read_to_string(path)?);
        let user = user.map(|name| format!(" --user {name}")).unwrap_or_default();
        let flags = &session.flags;
        report::talk(&format!("use it in this shell: export KUBECONFIG=$(lab kubeconfig --path{user}{flags})"));
    }
    Ok(())
}

/// The kubeconfig of somebody whom the configuration knows, and its context.
fn person(session: &Session, run: &Run<'_, World>, name: &str) -> Result<(PathBuf, String)> {
    let people = people(&Site { lab: &session.lab, catalogue: &session.catalogue });
    if people.iter().all(|person| person.name != name) {
        let known: Vec<&str> = people.iter().map(|person| person.name.as_str()).collect();
        let what = format!("lab {} has no user {name}; it has {}", session.lab.name, known.join(", "));
        return Err(Fault::new(Kind::Config, what).next("add it below spec.people.users, then lab up").error());
    }
    run::people::find(run, name)
}

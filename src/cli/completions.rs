//! `lab completions`

use anyhow::Result;
use clap::{Args as ClapArgs, CommandFactory as _};
use clap_complete::Shell;

use super::args::Args;
use crate::report;

const AFTER: &str = r#"Where the script goes:
  bash        lab completions bash > ~/.local/share/bash-completion/completions/lab
              (needs the package bash-completion; without it: source <(lab completions bash) in ~/.bashrc)
  zsh         lab completions zsh > "${fpath[1]}/_lab"
  fish        lab completions fish > ~/.config/fish/completions/lab.fish
  powershell  lab completions powershell | Out-String | Invoke-Expression     in $PROFILE
  elvish      eval (lab completions elvish | slurp)                           in ~/.config/elvish/rc.elv
Then open a new shell."#;

#[derive(ClapArgs)]
#[command(after_help = AFTER)]
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

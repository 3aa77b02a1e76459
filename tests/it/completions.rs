//! Completion scripts, as the shells themselves judge them. A shell that is not here is left out.

use std::path::Path;

use crate::sandbox::Sandbox;

const VERBS: [&str; 10] =
    ["up", "down", "status", "plan", "run", "logs", "credentials", "kubeconfig", "open", "completions"];

fn script(sandbox: &Sandbox, shell: &str) -> String {
    let finished = sandbox.run(&["completions", shell]);
    finished.code(0);
    assert_eq!(finished.stderr, "");
    sandbox.file(&format!("lab.{shell}"), &finished.stdout)
}

/// What a shell prints for a script of ours; none where there is no such shell.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn shell(sandbox: &Sandbox, name: &str, args: &[&str]) -> Option<String> {
    let Some(program) =
        ["/bin", "/usr/bin"].map(|folder| Path::new(folder).join(name)).into_iter().find(|path| path.exists())
    else {
        eprintln!("skipped: {name} is not here");
        return None;
    };
    let output = sandbox.command_of(&program, args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{name} {args:?}: {said}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The words that bash offers for the last word of a line.
fn offered(sandbox: &Sandbox, line: &str) -> Option<Vec<String>> {
    let file = script(sandbox, "bash");
    // As readline does it: the words, the place of the last, and command, word and the one before as arguments.
    let drive = "source \"$1\"; complete -p lab >/dev/null || exit 1; read -ra COMP_WORDS <<<\"$2\"
        case $2 in *' ') COMP_WORDS+=('') ;; esac
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); compopt() { :; }
        _lab lab \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let words = shell(sandbox, "bash", &["--norc", "-c", drive, "bash", &file, line])?;
    Some(words.lines().map(str::to_owned).collect())
}

#[test]
fn bash_completes_verbs_options_and_names() {
    let sandbox = Sandbox::new();
    for (line, expected) in [
        ("lab lo", &["logs"][..]),
        ("lab logs min", &["minio"]),
        ("lab logs --exec", &["--executors"]),
        ("lab run p", &["pagerank", "pi"]),
        ("lab open ", &["minio", "spark"]),
        ("lab images build spark-", &["spark-operator"]),
        ("lab up --images b", &["build"]),
        ("lab completions z", &["zsh"]),
    ] {
        let Some(offered) = offered(&sandbox, line) else { return };
        for word in expected {
            assert!(offered.iter().any(|found| found == word), "{line:?}: {word} is not in {offered:?}");
        }
        let [few, many] = [expected.len(), offered.len()];
        assert!(line.ends_with(' ') || few == many, "{line:?}: {offered:?}");
        let typed = line.rsplit(' ').next().unwrap();
        assert!(offered.iter().all(|found| found.starts_with(typed)), "{line:?}: {offered:?}");
    }
}

#[test]
fn the_shells_read_their_scripts() {
    let sandbox = Sandbox::new();
    for name in ["bash", "zsh", "fish"] {
        let file = script(&sandbox, name);
        shell(&sandbox, name, &["-n", &file]);
    }
}

#[test]
fn fish_completes_verbs_and_options() {
    let sandbox = Sandbox::new();
    let file = script(&sandbox, "fish");
    let ask = format!("source {file}; complete -C 'lab lo'; complete -C 'lab logs --exec'");
    let Some(offered) = shell(&sandbox, "fish", &["--no-config", "-c", &ask]) else { return };
    for word in ["logs", "--executors"] {
        assert!(offered.lines().any(|line| line.split('\t').next() == Some(word)), "{word}: {offered}");
    }
}

#[test]
fn every_script_knows_every_verb() {
    let sandbox = Sandbox::new();
    for name in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = fs_err::read_to_string(script(&sandbox, name)).unwrap();
        for verb in VERBS {
            assert!(text.contains(verb), "{name}: {verb}");
        }
    }
}

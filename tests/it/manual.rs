//! The manual: complete, and good in the eyes of groff where that is here.

use std::path::Path;

use crate::sandbox::Sandbox;

/// What groff makes of a page; none where there is no groff. A warning is an error.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn formatted(sandbox: &Sandbox, page: &Path) -> Option<String> {
    if !Path::new("/usr/bin/groff").exists() {
        eprintln!("skipped: groff is not here");
        return None;
    }
    // groff calls its own programs by their names.
    let mut command = sandbox.command_of(Path::new("/usr/bin/groff"), &["-man", "-ww", "-Tutf8", "-P-cbou"]);
    let output = command.env("PATH", "/usr/bin:/bin").arg(page).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{}", page.display());
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn one_page_has_every_command_and_what_concerns_them_all() {
    let sandbox = Sandbox::new();
    let finished = sandbox.run(&["man"]);
    finished.code(0);
    assert_eq!(finished.stderr, "");
    assert!(finished.stdout.is_ascii(), "not every roff reads more");
    let page = sandbox.file("lab.1", &finished.stdout);
    for heading in ["NAME", "SYNOPSIS", "COMMANDS", "SHARED OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES", "SEE ALSO"]
    {
        let lines: Vec<&str> = finished.stdout.lines().collect();
        assert!(
            lines.contains(&&*format!(".SH {heading}")) || lines.contains(&&*format!(".SH \"{heading}\"")),
            "{heading}"
        );
    }
    let Some(text) = formatted(&sandbox, Path::new(&page)) else { return };
    for part in [
        "LAB_CLUSTER_WORKERS, …",
        "lab up",
        "lab images build",
        "lab open",
        "--follow",
        "--api-port",
        "LAB_STATE",
        "143",
    ] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn each_command_has_a_page_in_the_folder_of_your_choice() {
    let sandbox = Sandbox::new();
    let finished = sandbox.run(&["man", "--dir", "share/man1"]);
    finished.code(0);
    assert_eq!(finished.stdout, "");
    let listed: Vec<_> =
        fs_err::read_dir(sandbox.path("share/man1")).unwrap().map(|entry| entry.unwrap().path()).collect();
    for name in ["lab", "lab-up", "lab-logs", "lab-images-build", "lab-man"] {
        assert!(listed.contains(&sandbox.path(&format!("share/man1/{name}.1"))), "{name}: {listed:?}");
    }
    assert!(!listed.contains(&sandbox.path("share/man1/lab-help.1")));
    for page in &listed {
        if let Some(text) = formatted(&sandbox, page) {
            assert!(text.contains("SEE ALSO"), "{}", page.display());
        }
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_a_matter_of_this_machine() {
    let sandbox = Sandbox::new();
    sandbox.file("taken", "");
    sandbox
        .run(&["man", "--dir", "taken"])
        .code(4)
        .says("the manual cannot be written to taken")
        .says("next: lab man --dir");
}

//! `lab diagnose` where there is little to diagnose: the archive, its summary, and what is kept out of it.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::engine::Engine;
use crate::sandbox::Sandbox;
use crate::schema::assert_valid;

/// Name and text of every file in an archive.
fn unpack(path: &Path) -> Vec<(String, String)> {
    let file = fs_err::File::open(path).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut files = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let mut text = String::new();
        if entry.header().entry_type().is_file() {
            entry.read_to_string(&mut text).unwrap();
            files.push((name, text));
        }
    }
    files
}

#[test]
fn without_an_engine_the_archive_says_that_there_is_none() {
    let sandbox = Sandbox::new();
    let finished = sandbox.run(&["diagnose"]);
    finished
        .code(0)
        .says("No object in trouble was found.")
        .says("known: docker-not-running: ")
        .says("versions of lab");
    let name = finished.stdout.trim_end();
    assert!(name.starts_with("lab-lab-20") && name.ends_with("Z.tar.gz"), "{name}");
    let path = sandbox.path(name);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let files = unpack(&path);
    let root = name.trim_end_matches(".tar.gz");
    let text = |file: &str| &files.iter().find(|(name, _)| *name == format!("{root}/{file}")).expect(file).1;
    assert_eq!(text("summary.txt").trim_end(), finished.stderr.trim_end());
    assert!(text("lab/configuration.yaml").contains("apiPort: 16443"));
    assert!(text("lab/plan.txt").contains("object-store"));
    let finished = sandbox.run(&["diagnose", "--output-file", "again.tar.gz", "--output", "json"]);
    let document: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_valid("diagnosis", &document);
    assert_eq!((&document["archive"], &document["known"][0]), (&"again.tar.gz".into(), &"docker-not-running".into()));
}

#[test]
fn a_lab_that_is_not_there_is_diagnosed_and_secrets_of_this_machine_stay_here() {
    let (mut sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.set("DEPLOY_TOKEN", "planted-token-4711");
    fs_err::create_dir_all(sandbox.path("state/lab")).unwrap();
    let journal = "planted-token-4711 https://me:planted-password@mirror.example/ planted-login";
    sandbox.file("state/lab/journal", journal);
    fs_err::create_dir(sandbox.path(".docker")).unwrap();
    // "me:planted-login" in base64.
    sandbox.file(".docker/config.json", r#"{"auths": {"registry.example": {"auth": "bWU6cGxhbnRlZC1sb2dpbg=="}}}"#);
    let finished = sandbox.run(&["diagnose", "--output-file", "here.tar.gz"]);
    finished.code(0).says("could not be collected:").says("there is no kubeconfig yet");
    assert_eq!(finished.stdout, "here.tar.gz\n");
    let files = unpack(&sandbox.path("here.tar.gz"));
    assert!(
        files
            .iter()
            .any(|(name, text)| name.ends_with("/lab/journal") && text == "*** https://***@mirror.example/ ***")
    );
    assert!(files.iter().all(|(_, text)| !text.contains("planted")), "{files:?}");
}

#[test]
fn an_archive_that_is_there_is_not_written_over() {
    let sandbox = Sandbox::new();
    sandbox.file("mine.tar.gz", "mine");
    let finished = sandbox.run(&["diagnose", "--output-file", "mine.tar.gz"]);
    finished.code(4).says("cannot write mine.tar.gz").says("next: --output-file");
    assert_eq!(fs_err::read_to_string(sandbox.path("mine.tar.gz")).unwrap(), "mine");
}

//! `lab images` with a docker program that fails.

use crate::engine::Engine;
use crate::sandbox::Sandbox;

#[test]
fn a_list_shows_what_is_missing() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    let finished = sandbox.run(&["images", "list"]);
    finished.code(0);
    assert!(
        finished.stdout.lines().any(|line| line.starts_with("spark ") && line.ends_with("missing")),
        "{}",
        finished.stdout
    );
}

#[test]
fn a_build_that_fails_quotes_its_last_lines() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    // `bootstrap` pipes into `docker import`; only the build itself fails.
    sandbox.tool("bash", "exit 0");
    sandbox.tool("docker", "echo '#5 [2/3] RUN go build'; echo 'checksum mismatch' >&2; exit 3");
    let finished = sandbox.run(&["images", "build", "--ci", "base"]);
    finished.code(5).says("image base cannot be built").says("ended with exit status: 3").says("checksum mismatch");
    finished.says("building base (1 of 1, last one), 0 s: [2/3] RUN go build").says("next: lab images build");
}

#[test]
fn secrets_of_the_host_stay_out_of_the_command_line() {
    let (mut sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.set("PIP_INDEX_URL", "https://user:hunter2@mirror.example/simple");
    sandbox.set("LAB_LOG", "debug");
    sandbox.tool("bash", "exit 0");
    sandbox.tool("docker", &format!("echo \"$@\" > {}; exit 3", sandbox.path("arguments").display()));
    let finished = sandbox.run(&["images", "build", "--ci", "base"]);
    finished.code(5);
    let arguments = fs_err::read_to_string(sandbox.path("arguments")).unwrap();
    assert!(arguments.contains("--build-arg PIP_INDEX_URL "), "{arguments}");
    assert!(arguments.contains("--build-context debian=docker-image://lab/debian:"), "{arguments}");
    assert!(!arguments.contains("hunter2") && !finished.stderr.contains("hunter2"), "{arguments} {}", finished.stderr);
}

#[test]
fn mirrors_that_stand_in_files_reach_the_build_as_well() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    for folder in [".config", ".config/pip", ".config/go"] {
        fs_err::create_dir(sandbox.path(folder)).unwrap();
    }
    sandbox.file(".config/pip/pip.conf", "[global]\nindex-url = https://user:hunter2@mirror.example/simple\n");
    sandbox.file(".config/go/env", "GOPROXY=https://go.example\n");
    sandbox.tool("bash", "exit 0");
    let seen = sandbox.path("seen").display().to_string();
    sandbox.tool("docker", &format!("echo \"$@ | $PIP_INDEX_URL $GOPROXY\" > {seen}; exit 3"));
    sandbox.run(&["images", "build", "--ci", "base"]).code(5);
    let seen = fs_err::read_to_string(seen).unwrap();
    let (arguments, values) = seen.split_once(" | ").unwrap();
    assert!(arguments.contains("--build-arg GOPROXY --build-arg PIP_INDEX_URL "), "{arguments}");
    assert!(!arguments.contains("hunter2"), "{arguments}");
    assert_eq!(values, "https://user:hunter2@mirror.example/simple https://go.example\n");
}

#[test]
fn proxies_and_certificates_of_this_machine_reach_the_build() {
    let (mut sandbox, _engine) = Sandbox::with(Engine::empty);
    fs_err::create_dir(sandbox.path(".m2")).unwrap();
    let (bundle, maven) = (sandbox.file("bundle.crt", ""), sandbox.file(".m2/settings.xml", "<settings/>"));
    sandbox.set("SSL_CERT_FILE", &bundle);
    sandbox.set("HTTPS_PROXY", "http://user:hunter2@proxy.example:3128");
    sandbox.set("no_proxy", "localhost,127.0.0.1");
    sandbox.tool("bash", "exit 0");
    let seen = sandbox.path("seen").display().to_string();
    sandbox.tool("docker", &format!("echo \"$@ | $HTTPS_PROXY $no_proxy\" > {seen}; exit 3"));
    sandbox.run(&["images", "build", "--ci", "base"]).code(5);
    let seen = fs_err::read_to_string(seen).unwrap();
    let (arguments, values) = seen.split_once(" | ").unwrap();
    for argument in [
        "--build-arg HTTPS_PROXY ",
        "--build-arg no_proxy ",
        &format!("--secret id=ca,src={bundle} "),
        &format!("--secret id=maven-settings,src={maven} "),
    ] {
        assert!(arguments.contains(argument), "{argument}: {arguments}");
    }
    assert!(!arguments.contains("hunter2"), "{arguments}");
    assert_eq!(values, "http://user:hunter2@proxy.example:3128 localhost,127.0.0.1\n");
}

#[test]
fn a_pull_without_a_registry_names_the_way_out() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    let finished = sandbox.run(&["images", "pull", "--ci", "pause"]);
    finished.code(5).says("image pause cannot be pulled").says("next: lab ");
}

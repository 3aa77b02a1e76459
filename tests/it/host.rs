//! A machine that is not fit: everything that is in the way, at once, and nothing made.

use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;

use crate::engine::{Answer, Engine, answer};
use crate::sandbox::{Finished, Sandbox};

const KIND: &str = "echo 'kind v0.33.0 go1.25 linux/amd64'";
/// Whatever else runs on this machine.
const FREE: &str = "port-api=free,port-registry=free,route=none";

fn sandbox(values: &str) -> (Sandbox, Engine) {
    played(answered, values)
}

fn played(answer: Answer, values: &str) -> (Sandbox, Engine) {
    let (mut sandbox, engine) = Sandbox::with(|socket: &Path| Engine::start(socket, answer));
    sandbox.tool("kind", KIND);
    sandbox.set("LAB_DOCTOR_VALUES", &format!("{FREE},{values}").trim_end_matches(',').replace(",,", ","));
    (sandbox, engine)
}

#[expect(clippy::unnecessary_wraps, reason = "the form of every engine that a test plays")]
fn answered(path: &str) -> Option<(u16, String)> {
    Some(answer(path))
}

fn finding(finished: &Finished, id: &str) -> Value {
    let document: Value = serde_json::from_str(&finished.stdout).unwrap();
    let found = document["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == id);
    found.cloned().unwrap_or_else(|| panic!("there is no finding {id}"))
}

/// `lab doctor` has the finding as an error, and `lab up` makes nothing.
#[track_caller]
fn blocks((sandbox, engine): &(Sandbox, Engine), id: &str) {
    let finished = sandbox.run(&["doctor", "-o", "json"]);
    let found = finding(&finished, id);
    assert_eq!(found["level"], "error", "{found:#}");
    for key in ["measured", "needed", "why"] {
        assert!(found[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {found:#}");
    }
    let (title, fix) = (found["title"].as_str().unwrap(), found["fix"]["command"].as_str().unwrap());
    finished.code(4).says("this machine: not fit for lab lab: ").says(id);
    sandbox.run(&["up", "--ci"]).code(4).says(&format!("  {title}: {fix}"));
    assert_eq!(engine.changes(), Vec::<String>::new(), "{id}");
}

/// `lab doctor` has the finding as a warning, and `lab up` says it once and goes on.
#[track_caller]
fn warns((sandbox, engine): &(Sandbox, Engine), id: &str) {
    let finished = sandbox.run(&["doctor", "-o", "json"]);
    let found = finding(&finished, id);
    assert_eq!(found["level"], "warning", "{found:#}");
    finished.code(0);
    assert_eq!(engine.changes(), Vec::<String>::new(), "{id}");
    let finished = sandbox.run(&["up", "--ci"]);
    let line =
        format!("warning: {}: {}\n", found["title"].as_str().unwrap(), found["fix"]["command"].as_str().unwrap());
    assert_eq!(finished.stderr.matches(&line).count(), 1, "{line:?} in\n{}", finished.stderr);
    assert!(!finished.stderr.contains("not fit for lab"), "{}", finished.stderr);
    // This engine knows nothing of networks and images, but it was asked for one.
    assert!(engine.changes().iter().any(|change| change.starts_with("POST ")), "{id}: {:?}", engine.changes());
}

#[test]
fn what_the_engine_lacks_is_in_the_way() {
    for (values, id) in [
        ("engine=missing", "docker-engine"),
        ("engine=denied", "docker-engine"),
        ("engine=refuses", "docker-engine"),
        ("engine-version=20.10.5", "docker-version"),
        ("privileged=refused", "privileged-containers"),
        ("memory=3GiB", "memory"),
        ("disk=1GiB", "disk"),
    ] {
        blocks(&sandbox(values), id);
    }
}

#[test]
fn what_the_kernel_lacks_is_in_the_way() {
    for (values, id) in [
        ("inotify-instances=128", "inotify-instances"),
        ("inotify-watches=8192", "inotify-watches"),
        ("kernel.ip_set=missing", "kernel-features"),
        ("kernel.overlay=missing", "kernel-features"),
    ] {
        blocks(&sandbox(values), id);
    }
}

#[test]
fn what_others_hold_is_in_the_way() {
    for (values, id) in [
        ("port-api=taken", "port-api"),
        ("port-registry=taken", "port-registry"),
        ("network=172.29.0.0/16", "subnet"),
        ("route=172.29.0.128/25", "route"),
        ("kind-version=0.20.0", "kind"),
        ("kind-version=missing", "kind"),
    ] {
        blocks(&sandbox(values), id);
    }
}

#[test]
fn what_may_work_nevertheless_is_a_warning() {
    for (values, id) in [
        ("engine-security=rootless", "privileged-containers"),
        ("cgroup=1", "cgroup"),
        ("cpus=1", "cpus"),
        ("memory-free=1GiB", "memory-free"),
        ("ip-forward=0", "ip-forward"),
        ("route=172.16.0.0/12", "route"),
        ("kind-version=0.34.0", "kind"),
        ("buildx=missing", "buildx"),
        ("ca-bundle=missing", "ca-bundle"),
    ] {
        warns(&sandbox(values), id);
    }
}

#[test]
fn settings_of_the_way_out_are_checked() {
    let (mut own, engine) = sandbox("");
    own.set("https_proxy", "http//proxy:3128");
    warns(&(own, engine), "proxy");
    let (mut own, engine) = sandbox("");
    own.set("HTTP_PROXY", "http://proxy.example:3128");
    own.set("NO_PROXY", "example.com");
    warns(&(own, engine), "proxy");
    // The engine pulls, and this one knows of no proxy.
    let (mut own, engine) = sandbox("");
    own.set("HTTPS_PROXY", "http://proxy.example:3128");
    own.set("NO_PROXY", "localhost,127.0.0.1");
    let finished = own.run(&["doctor", "-o", "json"]);
    assert_eq!(finding(&finished, "proxy")["measured"], "the engine has none");
    warns(&(own, engine), "proxy");
    let (mut own, _engine) = played(with_proxy, "");
    own.set("HTTPS_PROXY", "http://proxy.example:3128");
    own.set("NO_PROXY", "localhost,127.0.0.1");
    assert_eq!(finding(&own.run(&["doctor", "-o", "json"]), "proxy")["level"], "ok");
    let (mut own, engine) = sandbox("");
    own.set("SSL_CERT_FILE", "/nowhere/bundle.crt");
    blocks(&(own, engine), "ca-bundle");
}

fn with_proxy(path: &str) -> Option<(u16, String)> {
    let (status, text) = answered(path)?;
    let info = path == "/info";
    Some((status, if info { text.replacen('{', r#"{"HttpsProxy": "http://proxy.example:3128", "#, 1) } else { text }))
}

fn with_foreign_cluster(path: &str) -> Option<(u16, String)> {
    let node = r#"[{"Id": "1", "Names": ["/lab-control-plane"], "State": "running",
        "Labels": {"io.x-k8s.kind.cluster": "lab"}, "NetworkSettings": {"Networks": {"kind": {}}}}]"#;
    if path == "/containers/json" { Some((200, node.to_owned())) } else { answered(path) }
}

fn with_foreign_container(path: &str) -> Option<(u16, String)> {
    let registry = r#"[{"Id": "1", "Names": ["/lab-registry"], "State": "exited", "Labels": {}}]"#;
    if path == "/containers/json" { Some((200, registry.to_owned())) } else { answered(path) }
}

fn with_foreign_network(path: &str) -> Option<(u16, String)> {
    let network = r#"[{"Name": "lab", "IPAM": {"Config": [{"Subnet": "172.29.0.0/24"}]}}]"#;
    if path == "/networks" { Some((200, network.to_owned())) } else { answered(path) }
}

fn with_foreign_volume(path: &str) -> Option<(u16, String)> {
    let volume = r#"{"Name": "lab-registry", "Driver": "local", "Mountpoint": "/nowhere", "Labels": {},
        "Scope": "local", "Options": {}}"#;
    if path == "/volumes/lab-registry" { Some((200, volume.to_owned())) } else { answered(path) }
}

fn with_unfinished_cluster(path: &str) -> Option<(u16, String)> {
    let node = r#"[{"Id": "1", "Names": ["/lab-control-plane"], "State": "running",
        "Labels": {"io.x-k8s.kind.cluster": "lab"}, "HostConfig": {"NetworkMode": "lab"},
        "NetworkSettings": {"Networks": {"lab": {}}}}]"#;
    if path == "/containers/json" { Some((200, node.to_owned())) } else { answered(path) }
}

#[test]
fn what_has_our_names_and_is_not_ours_is_in_the_way() {
    let played = |answer: Answer| played(answer, "");
    blocks(&played(with_foreign_cluster), "foreign-cluster");
    blocks(&played(with_foreign_container), "foreign-containers");
    blocks(&played(with_foreign_network), "foreign-network");
    blocks(&played(with_foreign_volume), "foreign-volume");
}

#[test]
fn an_unfinished_cluster_is_a_warning_and_its_removal_a_safe_fix() {
    warns(&played(with_unfinished_cluster, ""), "unfinished-cluster");
    let (sandbox, engine) = played(with_unfinished_cluster, "");
    let finished = sandbox.run(&["doctor", "--fix"]);
    finished.says("fix: unfinished-cluster: 1 containers of an unfinished cluster removed");
    assert_eq!(engine.changes(), ["DELETE /containers/lab-control-plane"]);
}

#[test]
fn a_folder_of_state_that_cannot_be_made_is_in_the_way() {
    let (mut sandbox, engine) = sandbox("");
    let file = sandbox.file("file", "");
    sandbox.set("LAB_STATE", &format!("{file}/state"));
    let finished = sandbox.run(&["doctor", "-o", "json"]);
    assert_eq!(finding(&finished, "state-folder")["level"], "error");
    finished.code(4);
    sandbox.run(&["up", "--ci"]).code(4).says(&format!("{file}/state"));
    assert_eq!(engine.changes(), Vec::<String>::new());
}

#[test]
fn without_an_engine_the_rest_is_checked_nevertheless() {
    let mut sandbox = Sandbox::new();
    sandbox.tool("kind", "echo 'kind v0.20.0 go1.20 linux/amd64'");
    sandbox.set("LAB_DOCTOR_VALUES", FREE);
    let finished = sandbox.run(&["doctor", "-o", "json"]);
    finished.code(4).says("docker-engine, ");
    let level = |id: &str| finding(&finished, id)["level"].clone();
    assert_eq!([level("docker-engine"), level("kind")], ["error", "error"]);
    assert_eq!([level("memory"), level("subnet"), level("buildx")], ["notChecked"; 3]);
    assert!(!sandbox.path("state").exists());
}

#[test]
fn what_runs_on_another_kernel_is_not_checked() {
    let (sandbox, _engine) = sandbox("");
    let finished = sandbox.run(&["doctor", "-o", "json"]);
    for id in ["inotify-instances", "kernel-features", "memory-free", "privileged-containers"] {
        assert_eq!(finding(&finished, id)["level"], "notChecked", "{id}");
    }
}

#[test]
fn people_get_a_table_with_reasons_and_fixes() {
    let (sandbox, _engine) = sandbox("inotify-instances=128,engine-version=28.0.0");
    let finished = sandbox.run(&["doctor", "--name", "other"]);
    finished.code(4).says("next: lab doctor --fix --name other   (");
    for line in [
        "lab other: is this machine fit?",
        "  ok          docker-version         Docker engine is 28.0.0, 23 or newer is needed",
        "  ERROR       inotify-instances      fs.inotify.max_user_instances is 128, 512 is needed",
        "              fix      sudo sysctl -w fs.inotify.max_user_instances=512",
    ] {
        assert!(finished.stdout.lines().any(|printed| printed == line), "{line}\n{}", finished.stdout);
    }
    // What is injected is no reason to change this machine.
    let finished = sandbox.run(&["doctor", "--fix"]);
    finished.code(4).says("fix: inotify-instances: not done (values are injected); by hand: sudo sysctl -w ");
}

#[test]
fn an_unknown_value_is_a_wrong_command_line() {
    for verb in ["doctor", "up"] {
        let (sandbox, engine) = sandbox("memorie=3GiB");
        sandbox.run(&[verb]).code(2).says("LAB_DOCTOR_VALUES cannot be used").says("no value is called memorie");
        assert_eq!(engine.changes(), Vec::<String>::new());
    }
    let mut sandbox = Sandbox::new();
    let file = sandbox.file("values.json", r#"{"cpus": [1]}"#);
    sandbox.set("LAB_DOCTOR_VALUES", &file);
    sandbox.run(&["doctor"]).code(2).says("cpus is [1], and must be text or a number");
}

#[test]
fn everything_in_the_way_is_listed() {
    let (sandbox, engine) = Sandbox::with(Engine::empty);
    sandbox.tool("kind", "echo 'kind v0.20.0 go1.20 linux/amd64'");
    let listeners = [0, 0].map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap());
    let [api, registry] = listeners.each_ref().map(|listener| listener.local_addr().unwrap().port().to_string());
    let finished = sandbox.run(&["up", "--ci", "--api-port", &api, "--registry-port", &registry]);
    finished.code(4).says("this machine: not fit for lab lab:").says("kind is 0.20.0, 0.33 is needed");
    finished
        .says(&format!("port {api} for the API is taken"))
        .says(&format!("port {registry} for the registry is taken"));
    assert_eq!(engine.changes(), Vec::<String>::new());
}

#[test]
fn a_missing_kind_is_named() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.run(&["up", "--ci"]).code(4).says("kind cannot be run (kind is not on PATH");
}

#[test]
fn a_kind_that_fails_is_quoted() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.tool("kind", "echo 'cannot execute: required library is missing' >&2; exit 127");
    let finished = sandbox.run(&["up", "--ci"]);
    finished.code(4).says("`kind version` ended with exit status: 127").says("required library is missing");
}

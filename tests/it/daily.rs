//! Logs, credentials, kubeconfig and pages at the command line: usage, labs that are not up, ports that are taken.

use std::net::TcpListener;

use crate::engine::Engine;
use crate::sandbox::Sandbox;
use crate::schema::assert_valid;

const VERBS: [&[&str]; 9] = [
    &["logs"],
    &["logs", "minio", "--follow"],
    &["credentials"],
    &["kubeconfig", "--path"],
    &["open", "minio"],
    &["open", "spark", "pi"],
    &["dags", "list"],
    &["dags", "run", "hello"],
    &["dags", "logs", "hello"],
];

#[test]
fn without_an_engine_nothing_is_said_on_standard_output() {
    for verb in VERBS {
        let finished = Sandbox::new().run(verb);
        finished.code(4).says("no Docker engine answers");
        assert_eq!(finished.stdout, "", "{verb:?}");
    }
}

#[test]
fn a_lab_that_is_not_up_says_how_to_make_it() {
    for verb in VERBS {
        let (sandbox, _engine) = Sandbox::with(Engine::empty);
        let finished = sandbox.run(&[verb, &["--config", "small"]].concat());
        finished.code(5).says("failed: lab lab is not up\n").says("next: lab up --config small\n");
        assert_eq!(finished.stdout, "", "{verb:?}");
        assert!(!sandbox.path("state").exists(), "{verb:?} left state behind");
    }
}

/// A lab whose kubeconfig is there and whose API is not.
fn without_api() -> (Sandbox, Engine) {
    let (sandbox, engine) = Sandbox::with(Engine::empty);
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    fs_err::create_dir_all(sandbox.path("state/lab")).unwrap();
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: lab\ncontexts: [{{name: lab, context: {{cluster: lab, user: lab}}}}]\n\
         clusters: [{{name: lab, cluster: {{server: \"http://{address}\"}}}}]\nusers: [{{name: lab, user: {{}}}}]\n"
    );
    fs_err::write(sandbox.path("state/lab/kubeconfig"), text).unwrap();
    (sandbox, engine)
}

#[test]
fn an_api_that_does_not_answer_is_no_bug() {
    for verb in
        [&["logs"][..], &["logs", "minio"], &["logs", "pi"], &["credentials"], &["open", "minio"], &["open", "spark"]]
    {
        let (sandbox, _engine) = without_api();
        let finished = sandbox.run(verb);
        finished.code(5).says("the Kubernetes API of the lab does not answer").says("next: lab status");
        assert_eq!(finished.stdout, "", "{verb:?}");
    }
}

#[test]
fn a_kubeconfig_is_data_and_its_path_as_well() {
    let (sandbox, _engine) = without_api();
    let path = sandbox.path("state/lab/kubeconfig");
    let finished = sandbox.run(&["kubeconfig"]);
    finished.code(0).says("export KUBECONFIG=$(lab kubeconfig --path)");
    assert_eq!(finished.stdout, fs_err::read_to_string(&path).unwrap());
    let finished = sandbox.run(&["kubeconfig", "--path"]);
    finished.code(0);
    assert_eq!((finished.stdout.as_str(), finished.stderr.as_str()), (&*format!("{}\n", path.display()), ""));
    let finished = sandbox.run(&["kubeconfig", "--output", "json"]);
    finished.code(0);
    let document: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_valid("kubeconfig", &document);
    assert_eq!((&document["path"], &document["context"]), (&path.display().to_string().into(), &"kind-lab".into()));
}

#[test]
fn a_kubeconfig_is_merged_by_kind_into_the_file_that_was_named() {
    let (sandbox, _engine) = without_api();
    sandbox.tool("kind", &format!("echo \"$@\" > {}", sandbox.path("arguments").display()));
    sandbox.run(&["kubeconfig", "--merge", "mine"]).code(0).says("mine has the context kind-lab");
    let arguments = fs_err::read_to_string(sandbox.path("arguments")).unwrap();
    assert_eq!(arguments, "export kubeconfig --name lab --kubeconfig mine\n");
    sandbox.run(&["kubeconfig", "--merge", "mine", "--path"]).code(2).says("cannot be used with");
}

#[test]
fn a_kubeconfig_of_somebody_is_asked_for_by_role_or_by_name() {
    let (sandbox, _engine) = without_api();
    let finished = sandbox.run(&["kubeconfig", "--role", "view"]);
    finished.code(5).says("there is no kubeconfig of view yet").says("next: lab up");
    let finished = sandbox.run(&["kubeconfig", "--user", "carl"]);
    finished.code(3).says("lab lab has no user carl; it has admin, edit, view").says("spec.people.users");
    sandbox.run(&["kubeconfig", "--user", "carl", "--role", "view"]).code(2).says("cannot be used with");
    sandbox.run(&["kubeconfig", "--role", "owner"]).code(2).says("possible values: admin, edit, view");
}

#[test]
fn a_port_that_is_taken_is_a_matter_of_this_machine() {
    let (sandbox, _engine) = without_api();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let finished = sandbox.run(&["open", "minio", "--no-browser", "--port", &port]);
    finished.code(4).says(&format!("port {port} for the page cannot be used")).says("next: another --port");
    assert_eq!(finished.stdout, "");
}

#[test]
fn wrong_command_lines_are_told_from_trouble() {
    let sandbox = Sandbox::new();
    for args in [
        &["logs", "--follow"][..],
        &["logs", "--tail", "5"],
        &["logs", "minio", "--tail", "-1"],
        &["logs", "minio", "--since", "10"],
        &["credentials", "kafka"],
        &["open"],
        &["open", "kafka"],
        &["open", "minio", "pi"],
        &["open", "minio", "--port", "70000"],
        &["completions", "tcsh"],
    ] {
        let finished = sandbox.run(args);
        finished.code(2);
        assert_eq!(finished.stdout, "", "{args:?}");
    }
}

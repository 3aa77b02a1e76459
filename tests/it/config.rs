//! Configurations that cannot be used: where, what, and the exit code. The rules themselves are in `tests/configs`.

use crate::sandbox::Sandbox;

const START: &str = "apiVersion: lab/v1alpha1\nkind: Lab\nmetadata: {name: lab}\n";

#[test]
fn broken_yaml_names_file_and_line() {
    let sandbox = Sandbox::new();
    let file = sandbox.file("lab.yaml", &format!("{START}spec: {{cluster: [\n"));
    let finished = sandbox.run(&["up", "--config", &file]);
    finished.code(3).says("configuration: the configuration cannot be used").says(&format!("because: {file}:"));
    finished.says("is not valid YAML").says("next: ");
}

#[test]
fn all_problems_are_said_at_once_with_their_lines() {
    let sandbox = Sandbox::new();
    let file = sandbox.file("lab.yaml", &format!("{START}spec:\n  cluster:\n    worker: 3\n    workers: many\n"));
    let finished = sandbox.run(&["plan", "--config", &file]);
    finished.code(3).says(&format!("{file}:6:5: spec.cluster: unknown key \"worker\"; did you mean workers?"));
    finished.says(&format!("{file}:7:14: spec.cluster.workers: "));
    assert_eq!(finished.stdout, "");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let sandbox = Sandbox::new();
    sandbox.run(&["up", "--config", "none.yaml"]).code(3).says("none.yaml: no such file");
    sandbox.run(&["up", "--config", "/"]).code(3).says("/: is a directory, not a file");
}

#[test]
fn bad_names_are_refused_before_anything_is_touched() {
    for name in ["", "Lab", "my_lab", "../lab", "lab\n", "--name=-x", &"x".repeat(41)] {
        let sandbox = Sandbox::new();
        let argument = if name.starts_with("--name") { name.to_owned() } else { format!("--name={name}") };
        sandbox.run(&["up", &argument]).code(3).says("--name: must be a name of 1 to 40 lowercase letters");
        assert!(!sandbox.path("state").exists(), "{name:?}");
    }
}

#[test]
fn flags_are_checked_like_the_file() {
    let sandbox = Sandbox::new();
    let args = ["plan", "--subnet", "8.8.8.0/24", "--api-port", "80", "--registry-port", "16443"];
    sandbox.run(&args).code(3).says("--subnet: ").says("--api-port: ");
}

//! Configurations on the command line: precedence, problems, exit codes. The rules themselves are in `tests/configs`.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::engine::Engine;
use crate::sandbox::Sandbox;

const START: &str = "apiVersion: lab/v1alpha2\nkind: Lab\nmetadata: {name: lab}\n";

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

#[test]
fn a_flag_wins_over_a_variable_that_over_the_file_that_over_the_default() {
    let mut sandbox = Sandbox::new();
    sandbox.file(
        "lab.yaml",
        &format!("{START}spec:\n  ports: {{api: 17443, registry: 17000}}\n  cluster:\n    workers: 2\n"),
    );
    sandbox.set("LAB_PORTS_API", "18443");
    sandbox.set("LAB_PORTS_REGISTRY", "18000");
    sandbox.set("LAB_SMOKE_EXECUTOR_MEMORY", "1g");
    sandbox.set("LAB_OBJECT_STORE_ENABLED", "");
    sandbox.set("LAB_CONFIG", "lab.yaml");
    let shown = sandbox.run(&["config", "show", "--origin", "--api-port", "19443"]);
    shown.code(0);
    assert_eq!(shown.stderr, "");
    for line in [
        "    api: 19443                   # --api-port\n",
        "    registry: 18000              # LAB_PORTS_REGISTRY\n",
        "    workers: 2                   # lab.yaml:7:14\n",
        "    enabled: true                # default\n",
        "      memory: 1g                 # LAB_SMOKE_EXECUTOR_MEMORY\n",
    ] {
        assert!(shown.stdout.contains(line), "{line:?} is not in:\n{}", shown.stdout);
    }
    let shown = sandbox.run(&["config", "show", "--origin", "-o", "json", "--config", "small"]);
    let list: Value = serde_json::from_str(&shown.stdout).unwrap();
    let settings = list["settings"].as_array().unwrap();
    let origin = |path: &str| settings.iter().find(|setting| setting["path"] == path).unwrap()["origin"].clone();
    assert_eq!(origin("spec.ports.api"), json!({ "from": "variable", "name": "LAB_PORTS_API" }));
    assert_eq!(origin("spec.cluster.workers")["file"], "small (built in)");
    assert_eq!(origin("spec.smoke.pages"), json!({ "from": "default" }));
    // All of it is what a run counts on.
    sandbox.set("LAB_CLUSTER_WORKERS", "5");
    let planned = sandbox.run(&["plan"]);
    assert!(planned.stdout.contains("3 control planes and 5 workers"), "{}", planned.stdout);
}

#[test]
fn a_wrong_variable_is_a_problem_of_its_own_name() {
    let mut sandbox = Sandbox::new();
    sandbox.set("LAB_NAME", "My Lab");
    sandbox.set("LAB_CLUSTER_WORKERS", "many");
    let finished = sandbox.run(&["plan"]);
    finished.code(3).says("LAB_NAME: must be a name of 1 to 40").says("LAB_CLUSTER_WORKERS: must be a whole number");
    // A flag makes the variable of no account.
    sandbox.set("LAB_CLUSTER_WORKERS", "2");
    sandbox.run(&["plan", "--name", "second"]).code(0);
    sandbox.unset("LAB_NAME");
    sandbox.set("LAB_NAM", "second");
    let finished = sandbox.run(&["plan"]);
    finished.code(0).says("warning: nothing reads \"LAB_NAM\"; did you mean LAB_NAME?");
    assert!(finished.stdout.starts_with("lab lab: "), "{}", finished.stdout);
}

#[test]
fn a_variable_names_the_file_and_where_images_come_from() {
    let (mut sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.set("LAB_CONFIG", "none.yaml");
    sandbox.run(&["plan"]).code(3).says("none.yaml: no such file");
    sandbox.run(&["plan", "--config", "small"]).code(0);
    sandbox.unset("LAB_CONFIG");
    sandbox.set("LAB_IMAGES_SOURCE", "none");
    let expected = "LAB_IMAGES_SOURCE: must be auto or registry or build, got \"none\"";
    sandbox.run(&["status"]).code(3).says(expected);
    sandbox.run(&["status", "--images", "build"]).code(5);
    sandbox.set("LAB_IMAGES_SOURCE", "registry");
    sandbox.run(&["status"]).code(5);
}

#[test]
fn all_problems_of_all_files_are_said() {
    let sandbox = Sandbox::new();
    sandbox.file("good.yaml", START);
    sandbox.file("lab.yaml", &format!("{START}spec:\n  objectStore: {{storage: 512m}}\n  smok: {{}}\n"));
    let finished = sandbox.run(&["config", "validate", "good.yaml", "lab.yaml", "none.yaml", "ci"]);
    finished.code(3).says("2 of 4 configurations cannot be used").says("lab.yaml:5:26: ").says("lab.yaml:6:3: ");
    finished.says("none.yaml: no such file");
    assert_eq!(finished.stdout, "good.yaml: valid\nci: valid\n");
    let finished = sandbox.run(&["config", "validate", "-o", "json"]);
    finished.code(3);
    let list: Value = serde_json::from_str(&finished.stdout).unwrap();
    let problems = &list["problems"];
    let first = json!({
        "file": "lab.yaml", "line": 5, "column": 26, "path": "spec.objectStore.storage",
        "message": "must be a Kubernetes quantity from 100Mi to 1Ti, got \"512m\"",
        "hint": "512m is 0.512 bytes: write 512Mi",
    });
    assert_eq!(problems[0], first);
    assert_eq!(problems[1]["hint"], "did you mean smoke?");
    let none: Value =
        serde_json::from_str(&sandbox.run(&["config", "validate", "-o", "json", "good.yaml"]).code(0).stdout).unwrap();
    assert_eq!(none, json!({ "schema": "lab.problems/v1", "problems": [] }));
}

/// What is checked is the file, whatever the environment says.
#[test]
fn variables_are_of_no_account_to_the_check_of_a_file() {
    let mut sandbox = Sandbox::new();
    sandbox.file("lab.yaml", "apiVersion: lab/v1alpha2\nkind: Lab\n");
    sandbox.set("LAB_NAME", "second");
    sandbox.run(&["config", "validate"]).code(3).says("metadata.name: is missing");
    sandbox.run(&["config", "show", "--config", "lab.yaml"]).code(0);
}

#[test]
fn a_file_to_start_from_replaces_nothing_unasked() {
    let sandbox = Sandbox::new();
    sandbox.run(&["config", "init"]).code(0).says("wrote lab.yaml");
    let text = || fs_err::read_to_string(sandbox.path("lab.yaml")).unwrap();
    assert_eq!(text(), lab::config::FULL);
    sandbox.run(&["config", "validate"]).code(0);
    let mine = sandbox.file("lab.yaml", "mine");
    sandbox.run(&["config", "init"]).code(2).says("lab.yaml is there already").says("next: ");
    assert_eq!(text(), "mine");
    sandbox.run(&["config", "init", &mine, "--from", "small", "--force"]).code(0);
    assert_eq!(text(), lab::config::SMALL);
    sandbox.run(&["config", "init", "no/such/folder.yaml"]).code(4).says("cannot write no/such/folder.yaml");
}

const OLD: &str =
    "apiVersion: lab/v1alpha1 # old\nkind: Lab\nmetadata: {name: lab}\nspec:\n  registry:\n    port: 17000\n";
const NEW: &str =
    "apiVersion: lab/v1alpha2 # old\nkind: Lab\nmetadata: {name: lab}\nspec:\n  ports:\n    registry: 17000\n";

#[test]
fn a_file_of_an_older_version_is_read_with_a_warning() {
    let sandbox = Sandbox::new();
    sandbox.file("old lab.yaml", OLD);
    let warning = "warning: old lab.yaml is written in lab/v1alpha1: \
                   lab config migrate 'old lab.yaml'   (shows it in lab/v1alpha2)\n";
    let args = ["config", "show", "--origin", "--config", "old lab.yaml"];
    let shown = sandbox.run(&args);
    shown.code(0).says(warning);
    assert!(shown.stdout.contains("    registry: 17000              # old lab.yaml:6:11\n"), "{}", shown.stdout);
    sandbox.run(&["config", "validate", "old lab.yaml"]).code(0).says(warning);
    let clash = sandbox.run(&["plan", "--config", "old lab.yaml", "--api-port", "17000"]);
    clash.code(3).says("--api-port: spec.cluster.apiPort and spec.registry.port are both 17000");
}

#[test]
fn a_migrated_file_is_printed_and_the_old_one_stays() {
    let sandbox = Sandbox::new();
    let file = sandbox.file("lab.yaml", OLD);
    assert_eq!(sandbox.run(&["config", "migrate", &file]).code(0).stdout, NEW);
    assert_eq!(fs_err::read_to_string(&file).unwrap(), OLD);
    sandbox.file("flow.yaml", &OLD.replace("registry:\n    port: 17000", "cluster: {apiPort: 17443}"));
    sandbox.run(&["config", "migrate", "flow.yaml"]).code(0).says("warning: flow.yaml: ").says("comments are lost");
    sandbox.file("next.yaml", "apiVersion: lab/v1beta1\nkind: Lab\n");
    let finished = sandbox.run(&["config", "migrate", "next.yaml"]);
    finished
        .code(3)
        .says("next.yaml:1:13: apiVersion: must be lab/v1alpha2, got \"lab/v1beta1\"; lab/v1alpha1 is still");
}

#[test]
fn a_file_is_migrated_in_its_place_and_kept_beside() {
    let sandbox = Sandbox::new();
    let file = sandbox.file("real.yaml", OLD);
    fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    fs_err::os::unix::fs::symlink(&file, sandbox.path("lab.yaml")).unwrap();
    let text = |name: &str| fs_err::read_to_string(sandbox.path(name)).unwrap();
    sandbox.run(&["config", "migrate", "lab.yaml", "--write"]).code(0).says("lab.yaml.bak");
    assert_eq!([text("real.yaml"), text("lab.yaml.bak")], [NEW, OLD]);
    assert_eq!(fs_err::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs_err::symlink_metadata(sandbox.path("lab.yaml")).unwrap().is_symlink());
    // What is current already stays, and no older copy is lost.
    let again = sandbox.run(&["config", "migrate", "lab.yaml", "--write"]);
    again.code(0).says("lab.yaml is written in lab/v1alpha2 already");
    assert_eq!(sandbox.run(&["config", "migrate", "lab.yaml"]).code(0).stdout, NEW);
    assert_eq!([text("real.yaml"), text("lab.yaml.bak")], [NEW, OLD]);
    sandbox.file("real.yaml", &OLD.replace("17000", "17001"));
    sandbox.run(&["config", "migrate", "lab.yaml", "--write"]).code(4).says("lab.yaml.bak is there already");
    assert_eq!([text("real.yaml"), text("lab.yaml.bak")], [OLD.replace("17000", "17001"), OLD.to_owned()]);
}

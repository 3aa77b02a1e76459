//! The real thing: Docker, kind, a six-node cluster, Spark. Run by `make test`.
//!
//! One lab of its own name, subnet, ports and state, beside whatever else is on the machine.

#![expect(clippy::print_stderr, reason = "a run of minutes says where it is")]

mod airflow;
mod daily;
mod files;
mod firewall;
mod lab;
mod listeners;
mod logins;
mod long;
mod page;
#[expect(clippy::unwrap_used, reason = "a test ends at the first thing that does not work")]
#[path = "../it/schema.rs"]
mod schema;
mod secrets;
mod verify;
#[expect(dead_code, unused_imports, reason = "the tests of the engine use what these tests do not")]
#[path = "../world/mod.rs"]
mod world;

use std::time::Instant;

use serde_json::Value;

use lab::{Lab, docker, lines};
use schema::assert_valid;

/// Everything that people rely on, in the order in which they meet it: making the cluster
/// is what takes time, so one lab serves all checks.
#[test]
#[ignore = "needs Docker and minutes: make test"]
fn a_lab_from_nothing_to_nothing() {
    let neighbour = neighbour();
    assert_eq!(neighbour.len(), 2, "{neighbour:?}");
    let lab = Lab::new("lab-e2e", "full", 77);
    lab.run(&["down", "--all"]).expect_code(0);
    files::lift_the_umask();
    let listeners = listeners::in_reach();

    let mut command_lines = secrets::command_lines_during(|| {
        part("up with smoke test through Airflow", || {
            lab.trace(&["up", "--ci"]).expect_code(0).expect("through Airflow");
        });
    });
    part("status", || {
        status_is_complete(&lab, 6, 3);
        airflow::the_smoke_job_is_a_run(&lab);
    });
    part("second up changes nothing", || second_up_changes_nothing(&lab));
    part("a second up speaks JSON", || a_second_up_speaks_json(&lab));
    part("a node's firewall that was changed is mended", || firewall::a_changed_one_is_named_and_mended(&lab));
    part("nothing listens but on loopback", || listeners::are_on_loopback_alone(&lab, &listeners));
    command_lines.extend(secrets::command_lines_during(|| {
        part("a sample job", || {
            lab.trace(&["run", "pi", "--ci"]).expect_code(0).expect("[job] done");
        });
    }));
    part("everything that is listed has a log", || daily::everything_that_is_listed_has_a_log(&lab));
    part("only the lab's own logins work", || logins::only_the_labs_own_work(&lab));
    part("a failing job says why", || a_failing_job_says_why(&lab));
    command_lines.extend(secrets::command_lines_during(|| {
        part("a DAG from a folder to green", || airflow::a_dag_goes_from_a_folder_to_green(&lab));
    }));
    part("wrong wishes are answered", || airflow::wrong_wishes_are_answered(&lab));
    part("Airflow's users have their roles", || airflow::users_have_their_roles(&lab));
    part("all sample DAGs", || airflow::all_samples_succeed(&lab));
    part("secrets are nowhere else", || secrets::are_kept(&lab, &command_lines, &airflow::VERBS));
    part("files are private under umask 000", || files::are_private(&lab));
    part("a Service without pods answers nobody", || a_service_without_pods_answers_nobody(&lab));
    part("verify: access, pods and network", || verify::everything_is_proved(&lab));
    part("down keeps the registry", || down_keeps_the_registry(&lab));
    part("down --all leaves nothing", || down_all_leaves_nothing(&lab));

    assert_eq!(what_the_neighbour_has(), neighbour, "something that is not ours was touched");
    remove_neighbour();
}

fn part(name: &str, work: impl FnOnce()) {
    eprintln!("== {name}");
    let started = Instant::now();
    work();
    eprintln!("== {name}: {:.1} s", started.elapsed().as_secs_f64());
}

/// All nodes and components ready, and a smoke job whose three executors ran on `spread` nodes.
fn status_is_complete(lab: &Lab, count: usize, spread: usize) {
    let status = lab.status();
    let nodes = status["nodes"].as_array().expect("nodes");
    assert_eq!(nodes.len(), count, "{status:#}");
    assert!(nodes.iter().all(|node| node["ready"] == true), "{status:#}");
    assert!(
        status["components"].as_array().expect("components").iter().all(|part| part["ready"] == true),
        "{status:#}"
    );
    let verdict = &status["smoke"]["verdict"];
    assert_eq!(verdict["passed"], true, "{status:#}");
    let executors = verdict["executors"].as_array().expect("executors");
    assert_eq!(executors.len(), 3, "{status:#}");
    let mut on: Vec<&str> = executors.iter().filter_map(|executor| executor["node"].as_str()).collect();
    on.sort_unstable();
    on.dedup();
    assert_eq!(on.len(), spread, "{status:#}");
    assert!(executors.iter().all(|executor| executor["records"].as_u64() > Some(0)), "{status:#}");
}

fn second_up_changes_nothing(lab: &Lab) {
    let before = lab.snapshot();
    let started = Instant::now();
    let output = lab.command(&["up", "--ci"]).env("LAB_LOG", "kube_client=debug").output().expect("lab runs");
    eprintln!("   second up took {:.1} s", started.elapsed().as_secs_f64());
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{log}");
    assert!(log.contains("nothing changed"), "{log}");
    assert!(log.contains("http.method=GET"), "the client's log shows no requests: {log}");
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        assert!(!log.contains(&format!("http.method={method}")), "a {method} request: {log}");
    }
    assert_eq!(lab.snapshot(), before);
}

/// Nothing but events, and nothing to say beside them.
fn a_second_up_speaks_json(lab: &Lab) {
    let output = lab.command(&["up", "--output", "json"]).output().expect("lab runs");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    let text = String::from_utf8(output.stdout).expect("text");
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for event in &events {
        assert_valid("event", event);
    }
    let [.., done, end] = &events[..] else { panic!("{text}") };
    assert_eq!((&done["event"], &done["changed"]), (&"runDone".into(), &0.into()), "{done}");
    assert_eq!((&end["event"], &end["exitCode"]), (&"end".into(), &0.into()), "{end}");
    assert!(events.iter().any(|event| event["event"] == "smokeJudged"), "{text}");
}

fn a_failing_job_says_why(lab: &Lab) {
    let folder = lab.state().join("broken-job");
    fs_err::create_dir_all(&folder).expect("folder");
    let template = fs_err::read_to_string("sample-jobs/pi/application.yaml").expect("template");
    fs_err::write(folder.join("application.yaml"), template).expect("template");
    fs_err::write(folder.join("job.py"), "raise SystemExit('no such table: orders')\n").expect("job");
    let output = lab.run(&["run", &folder.to_string_lossy(), "--ci"]);
    output.expect_code(5).expect("no such table: orders").expect("next:");
}

/// Its address must lead nowhere: out of the cluster there may be somebody who answers.
fn a_service_without_pods_answers_nobody(lab: &Lab) {
    let kubectl = |arguments: &[&str]| lab.kubectl(&[&["-n", "airflow"], arguments].concat());
    kubectl(&["create", "service", "clusterip", "nobody", "--tcp=80"]);
    let address = kubectl(&["get", "service", "nobody", "-o=jsonpath={.spec.clusterIP}"]);
    let connect = format!("import socket; socket.create_connection(('{address}', 80), 20); print('connected')");
    let answer = kubectl(&["exec", "deploy/dag-processor", "--", "python3", "-c", &connect]);
    kubectl(&["delete", "service", "nobody"]);
    assert!(answer.contains("unreachable") || answer.contains("refused"), "{answer}");
}

fn down_keeps_the_registry(lab: &Lab) {
    lab.run(&["down"]).expect_code(0);
    assert_eq!(lab.containers(), ["lab-e2e-registry"]);
    lab.run(&["down"]).expect_code(0);
}

fn down_all_leaves_nothing(lab: &Lab) {
    lab.run(&["down", "--all"]).expect_code(0);
    assert!(lab.containers().is_empty());
    assert!(lines(&docker(&["volume", "ls", "-q", "--filter", "label=dev.lab.name=lab-e2e"])).is_empty());
    assert!(lines(&docker(&["network", "ls", "-q", "--filter", "label=dev.lab.name=lab-e2e"])).is_empty());
    assert!(!lab.kubeconfig().exists());
    lab.run(&["down", "--all"]).expect_code(0).expect("nothing to remove");
}

/// A network and a volume of another lab, whose name begins like ours.
const NEIGHBOUR: &str = "lab-e2e-neighbour";

/// Makes the neighbour where it is not there yet; what it consists of.
fn neighbour() -> Vec<String> {
    let label = format!("dev.lab.name={NEIGHBOUR}");
    docker(&["network", "create", "--label", &label, NEIGHBOUR]);
    docker(&["volume", "create", "--label", &label, NEIGHBOUR]);
    what_the_neighbour_has()
}

fn what_the_neighbour_has() -> Vec<String> {
    let filter = format!("label=dev.lab.name={NEIGHBOUR}");
    let mut all = lines(&docker(&["volume", "ls", "--format", "{{.Name}}", "--filter", &filter]));
    all.extend(lines(&docker(&["network", "ls", "--no-trunc", "--format", "{{.ID}}", "--filter", &filter])));
    all
}

fn remove_neighbour() {
    docker(&["network", "rm", NEIGHBOUR]);
    docker(&["volume", "rm", NEIGHBOUR]);
}

//! Airflow in every form that a configuration can give it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use lab::step::Action;
use serde_json::{Value, json};

use super::{of, pod, steps};

/// What stands below `spec.airflow`.
pub const FORMS: [&str; 4] = [LOCAL, KUBERNETES, PRIVATE, BARE];
const LOCAL: &str = "{executor: local, parallelism: 1}";
const KUBERNETES: &str = "{executor: kubernetes, dags: {git: {url: 'https://git.example/dags.git'}}}";
const PRIVATE: &str = "{executor: kubernetes, replicas: {apiServer: 2, scheduler: 2, dagProcessor: 2, triggerer: 2}, \
                       dags: {git: {url: 'https://git.example/dags.git', ref: v1, folder: team, secret: login}}}";
const BARE: &str = "{replicas: {triggerer: 0}, dags: {samples: false}}";

/// A lab whose Airflow has this form.
pub fn lab(form: &str) -> String {
    format!(
        "apiVersion: lab/v1alpha2\nkind: Lab\nmetadata: {{name: lab}}\nspec: {{network: {{egress: '0.0.0.0/0:443'}}, airflow: {form}}}\n"
    )
}

/// The object of this kind and name in Airflow's namespace.
fn find(objects: &[Value], kind: &str, name: &str) -> Option<Value> {
    let is_it = |object: &&Value| {
        let metadata = &object["metadata"];
        object["kind"] == kind && metadata["name"] == name && metadata["namespace"] == "airflow"
    };
    objects.iter().find(is_it).cloned()
}

fn settings(form: &str) -> BTreeMap<String, String> {
    let settings = find(&of(&lab(form)), "ConfigMap", "settings").unwrap();
    serde_json::from_value(settings["data"].clone()).unwrap()
}

/// Name → Deployment.
fn processes(form: &str) -> BTreeMap<String, Value> {
    let objects = of(&lab(form)).into_iter();
    let ours = objects.filter(|object| object["kind"] == "Deployment" && object["metadata"]["namespace"] == "airflow");
    ours.map(|object| (object["metadata"]["name"].as_str().unwrap().to_owned(), object)).collect()
}

#[test]
fn there_are_as_many_processes_as_the_configuration_says() {
    let counts = |form| processes(form).into_iter().map(|(name, one)| (name, one["spec"]["replicas"].clone()));
    let of_each = |count: i64, names: &[&str]| names.iter().map(|name| ((*name).to_owned(), json!(count))).collect();
    let all = ["api-server", "scheduler", "dag-processor", "triggerer"];
    let expected: [BTreeMap<String, Value>; 3] = [of_each(1, &all), of_each(2, &all), of_each(1, &all[..3])];
    assert_eq!([LOCAL, PRIVATE, BARE].map(|form| counts(form).collect::<BTreeMap<_, _>>()), expected);
}

/// `lab up` waits for all of them.
#[test]
fn what_is_waited_for_is_what_there_is() {
    for form in FORMS {
        let step = steps(&lab(form)).into_iter().find(|step| step.id == "airflow").unwrap();
        let Action::Apply { ready, .. } = step.action else { panic!("{form}: it applies objects") };
        let mut names: Vec<String> = ready.into_iter().map(|workload| workload.object.name).collect();
        names.sort();
        assert_eq!(names, processes(form).into_keys().collect::<Vec<_>>(), "{form}");
    }
}

#[test]
fn who_starts_tasks_alone_may_talk_to_kubernetes() {
    let tokens = processes(LOCAL).into_iter().filter(|(_, process)| {
        let spec = pod(process).unwrap();
        assert_eq!(spec["serviceAccountName"], "airflow");
        spec["automountServiceAccountToken"] == true
    });
    assert_eq!(tokens.map(|(name, _)| name).collect::<Vec<_>>(), ["scheduler", "triggerer"]);
}

#[test]
fn tasks_have_pods_of_their_own_where_that_is_wanted() {
    let objects = of(&lab(KUBERNETES));
    let of_kubernetes = settings(KUBERNETES);
    assert_eq!(of_kubernetes["AIRFLOW__CORE__EXECUTOR"], "KubernetesExecutor");
    assert_eq!(of_kubernetes["AIRFLOW__KUBERNETES_EXECUTOR__NAMESPACE"], "airflow");
    let file = of_kubernetes["AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE"].strip_prefix("/opt/lab/").unwrap();
    let programs = find(&objects, "ConfigMap", "programs").unwrap();
    assert!(programs["data"][file].is_string(), "the template is where Airflow looks for it");
    let task = find(&objects, "Pod", "task").unwrap();
    assert_eq!(task["spec"]["containers"][0]["name"], "base", "Airflow puts a task's arguments into this container");
    assert_eq!(task["spec"]["containers"][0]["env"], objects_env(&objects), "a task finds what the scheduler finds");
    assert!(find(&objects, "Role", "airflow").is_some(), "Airflow may make pods beside itself");

    let objects = of(&lab(LOCAL));
    let of_local = settings(LOCAL);
    assert_eq!(of_local["AIRFLOW__CORE__EXECUTOR"], "LocalExecutor");
    assert!(of_local.keys().all(|name| !name.contains("KUBERNETES_EXECUTOR")));
    assert_eq!([find(&objects, "Pod", "task"), find(&objects, "Role", "airflow")], [None, None]);
}

fn objects_env(objects: &[Value]) -> Value {
    let scheduler = find(objects, "Deployment", "scheduler").unwrap();
    scheduler["spec"]["template"]["spec"]["containers"][0]["env"].clone()
}

#[test]
fn dags_come_from_where_the_configuration_says() {
    let bundles = |form| -> Vec<Value> {
        serde_json::from_str(&settings(form)["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"]).unwrap()
    };
    let names = |form| bundles(form).into_iter().map(|bundle| bundle["name"].as_str().unwrap().to_owned());
    assert_eq!(names(LOCAL).collect::<Vec<_>>(), ["dags", "sample-dags"]);
    assert_eq!(names(BARE).collect::<Vec<_>>(), ["dags"]);
    assert_eq!(names(PRIVATE).collect::<Vec<_>>(), ["dags", "sample-dags", "git"]);
    let git = |subdir: Value, reference: &str| json!({ "git_conn_id": "git_default", "repo_url": "https://git.example/dags.git", "tracking_ref": reference, "subdir": subdir });
    assert_eq!(bundles(KUBERNETES)[2]["kwargs"], git(Value::Null, "main"));
    assert_eq!(bundles(PRIVATE)[2]["kwargs"], git(json!("team"), "v1"));
}

#[test]
fn a_private_repository_is_read_with_the_secret_of_the_configuration() {
    let connection = |form| -> Value { serde_json::from_str(&settings(form)["AIRFLOW_CONN_GIT_DEFAULT"]).unwrap() };
    assert!(!settings(LOCAL).contains_key("AIRFLOW_CONN_GIT_DEFAULT"));
    let public = json!({ "conn_type": "git", "host": "https://git.example/dags.git" });
    assert_eq!([connection(KUBERNETES), connection(PRIVATE)], [public.clone(), public]);
    assert!(!settings(KUBERNETES).contains_key("GIT_CONFIG_COUNT"));
    assert_eq!(settings(PRIVATE)["GIT_CONFIG_KEY_0"], "credential.https://git.example.helper");
    for process in processes(PRIVATE).values() {
        let volumes = process["spec"]["template"]["spec"]["volumes"].as_array().unwrap();
        assert!(volumes.contains(&json!({ "name": "git", "secret": { "secretName": "login" } })), "{process}");
    }
}

/// What Git asks, it gets as it is, whatever a password is made of; for the repository's host alone.
#[test]
#[expect(clippy::disallowed_methods, reason = "Git itself says what it gets")]
fn git_gets_every_password_and_gives_it_to_one_host() {
    let password = r#"a"b\c $(d) %s 'e"#;
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("username"), "lab\n").unwrap();
    fs_err::write(folder.path().join("password"), password).unwrap();
    let mut settings = settings(PRIVATE);
    settings.retain(|name, _| name.starts_with("GIT_"));
    for value in settings.values_mut() {
        *value = value.replace("/opt/git", &folder.path().display().to_string());
    }
    let ask = |host: &str| {
        let mut git = Command::new("git");
        git.args(["credential", "fill"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        git.envs(&settings).env("GIT_CONFIG_GLOBAL", "/dev/null");
        let mut git = git.spawn().unwrap();
        let question = format!("protocol=https\nhost={host}\n\n");
        git.stdin.take().unwrap().write_all(question.as_bytes()).unwrap();
        let output = git.wait_with_output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let (found, answer) = ask("git.example");
    assert!(found && answer.contains("username=lab\n"), "{answer}");
    assert!(answer.contains(&format!("password={password}\n")), "{answer}");
    let (found, answer) = ask("other.example");
    assert!(!found && !answer.contains("password"), "{answer}");
}

/// Kubernetes fills in `$(NAME)` only where NAME stands before.
#[test]
fn what_a_variable_is_made_of_stands_before_it() {
    for form in FORMS {
        let scheduler = &processes(form)["scheduler"];
        let variables = scheduler["spec"]["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
        let mut known = Vec::new();
        for variable in variables {
            let value = variable["value"].as_str().unwrap_or_default();
            for part in value.split("$(").skip(1) {
                let name = part.split_once(')').unwrap().0;
                assert!(known.contains(&name), "{form}: {name} is not known in {}", variable["name"]);
            }
            known.push(variable["name"].as_str().unwrap());
        }
        assert!(known.len() >= 6, "{form}: {known:?}");
    }
}

/// The passwords of people are for who makes them known to Airflow.
#[test]
fn one_container_knows_the_passwords_of_people() {
    let mut knowing = Vec::new();
    for (name, process) in processes(PRIVATE) {
        let spec = pod(&process).unwrap();
        for container in ["initContainers", "containers"].iter().flat_map(|key| spec[key].as_array().unwrap()) {
            let sources = container["envFrom"].as_array().unwrap();
            if sources.iter().any(|source| source["secretRef"]["name"] == "users") {
                knowing.push(format!("{name}/{}", container["name"].as_str().unwrap()));
            }
        }
    }
    assert_eq!(knowing, ["api-server/database"]);
}

#[test]
fn another_setting_makes_new_pods() {
    let mark = |form| {
        let process = processes(form).remove("dag-processor").unwrap();
        process["spec"]["template"]["metadata"]["annotations"]["dev.lab.settings"].as_str().unwrap().to_owned()
    };
    assert_eq!(mark(LOCAL), mark(LOCAL));
    let marks: std::collections::BTreeSet<_> = FORMS.map(mark).into();
    assert_eq!(marks.len(), FORMS.len());
}

#[test]
fn every_process_says_whether_it_works_and_what_it_takes() {
    for form in FORMS {
        for (name, process) in processes(form) {
            let container = &pod(&process).unwrap()["containers"][0];
            let probed = |field: &str| container[field].is_object();
            assert!(probed("livenessProbe"), "{form}: {name}");
            assert!(probed("readinessProbe") || probed("startupProbe"), "{form}: {name}");
            for field in ["/resources/requests/cpu", "/resources/requests/memory", "/resources/limits/memory"] {
                assert!(container.pointer(field).is_some_and(Value::is_string), "{form}: {name} lacks {field}");
            }
        }
    }
}

#[test]
fn samples_are_there_only_where_they_are_wanted() {
    let there = |form| {
        let samples = of(&lab(form))
            .iter()
            .filter(|object| {
                object["metadata"]["name"].as_str().unwrap().starts_with("sample-") && object["kind"] == "ConfigMap"
            })
            .count();
        (samples, steps(&lab(form)).iter().any(|step| step.id == "sample-dags"))
    };
    assert_eq!([there(LOCAL), there(BARE)], [(3, true), (0, false)]);
}

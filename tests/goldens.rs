//! What the program prints and renders, held against `tests/golden` and `docs/schema`. `make golden` rewrites the files.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that does not work")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use lab::components::{Site, firewall};
use lab::config::{self, Lab, Overrides};
use lab::exec::host;
use lab::images::Catalogue;
use lab::step::Action;
use lab::{plan, render, report};
use serde_json::{Value, json};

/// Path below `tests/golden` → text.
type Goldens = BTreeMap<PathBuf, String>;

const CONFIGURATIONS: [(&str, &str); 3] = [("full", config::FULL), ("small", config::SMALL), ("ci", config::CI)];

#[test]
fn the_program_prints_what_the_golden_files_say() {
    let mut goldens = Goldens::new();
    for (name, text) in CONFIGURATIONS {
        let lab = config::load(text, name, &Overrides::default()).unwrap();
        let plan = plan::up(&Site { lab: &lab, catalogue: &Catalogue::load().unwrap() }).unwrap();
        goldens.insert(format!("kind/{name}.yaml").into(), render::kind_config(&lab).unwrap());
        goldens.insert(format!("plan/{name}.txt").into(), report::plan(&plan));
        for role in ["control-plane", "worker"] {
            let rules = firewall::rules(&lab, role, &firewall::Addresses::of_a_new_cluster(&lab)).unwrap();
            goldens.insert(format!("firewall/{name}-{role}.rules").into(), rules);
        }
    }
    goldens.insert("firewall/lab-firewall.service".into(), firewall::unit().unwrap());
    goldens.insert("config-schema.json".into(), report::bare_json(&config::schema()).unwrap());
    goldens.extend(manifests());
    goldens.extend(help(&[]));
    hold("tests/golden", &goldens);
}

#[test]
fn the_schemas_are_those_of_the_types() {
    let text = |schema| format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    let schemas = report::schemas().into_iter().map(|(name, schema)| (format!("{name}.json").into(), text(schema)));
    hold("docs/schema", &schemas.collect());
}

/// Holds texts against the files of a folder, or writes them there.
fn hold(folder: &str, goldens: &Goldens) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    if host::variable("LAB_GOLDEN").as_deref() == Some("write") {
        return write(&folder, goldens);
    }
    let differences = compare(&folder, goldens);
    assert!(
        differences.is_empty(),
        "{}\n\nIf that is meant: make golden, and look at its diff",
        differences.join("\n")
    );
}

/// One file for each step of `full` that applies objects, and one for Airflow as few have it.
fn manifests() -> Goldens {
    let lab: Lab = config::load(config::FULL, "full", &Overrides::default()).unwrap();
    let mut goldens = applied(&lab);
    let lab = config::load_file(Path::new("tests/configs/valid/airflow.yaml"), &Overrides::default()).unwrap();
    let airflow = applied(&lab).remove(Path::new("manifests/airflow.yaml")).unwrap();
    goldens.insert("manifests/airflow-kubernetes.yaml".into(), airflow);
    goldens
}

fn applied(lab: &Lab) -> Goldens {
    let plan = plan::up(&Site { lab, catalogue: &Catalogue::load().unwrap() }).unwrap();
    let file = |step: lab::step::Step| match step.action {
        Action::Apply { objects, .. } | Action::Policies { objects } => {
            let objects: Vec<Value> = objects.into_iter().map(shortened).collect();
            let text = serde_saphyr::to_string_multiple(&objects).unwrap();
            Some((format!("manifests/{}.yaml", step.id).into(), text))
        }
        _ => None,
    };
    plan.steps.into_iter().filter_map(file).collect()
}

/// What stands in a file of its own already says enough with its name: the CRDs, which are exact copies of the
/// upstream release, and programs.
fn shortened(mut object: Value) -> Value {
    if object["kind"] == "CustomResourceDefinition" {
        return json!({ "kind": object["kind"], "metadata": { "name": object["metadata"]["name"] } });
    }
    if object["kind"] == "ConfigMap" {
        let files = object["data"].as_object_mut().into_iter().flatten();
        files
            .filter(|(name, _)| Path::new(name).extension().is_some_and(|it| it == "py"))
            .for_each(|(_, text)| *text = json!("…"));
    }
    object
}

/// Help of a verb and of all verbs below it.
fn help(verbs: &[&str]) -> Goldens {
    #[expect(clippy::disallowed_methods, reason = "a test starts the binary under test")]
    let output = Command::new(env!("CARGO_BIN_EXE_lab")).args(verbs).arg("--help").output().unwrap();
    assert!(output.status.success(), "{verbs:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let listed = text.split("\nCommands:\n").nth(1).unwrap_or_default();
    let inner = listed.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
    let mut goldens = Goldens::new();
    for verb in inner.filter(|verb| *verb != "help") {
        goldens.extend(help(&[verbs, &[verb]].concat()));
    }
    goldens.insert(format!("help/{}.txt", [&["lab"], verbs].concat().join("-")).into(), text);
    goldens
}

fn write(folder: &Path, goldens: &Goldens) {
    for stale in existing(folder).difference(&goldens.keys().cloned().collect()) {
        fs_err::remove_file(folder.join(stale)).unwrap();
    }
    for (name, text) in goldens {
        let path = folder.join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
}

/// One short paragraph for each file that is missing, stale or different.
fn compare(folder: &Path, goldens: &Goldens) -> Vec<String> {
    let stale = existing(folder).into_iter().filter(|name| !goldens.contains_key(name));
    let mut differences: Vec<String> = stale.map(|name| format!("{} is of no use any more", name.display())).collect();
    for (name, text) in goldens {
        match fs_err::read_to_string(folder.join(name)) {
            Ok(golden) if golden == *text => {}
            Ok(golden) => differences.push(format!("{}:\n{}", name.display(), difference(&golden, text))),
            Err(_) => differences.push(format!("{} is missing", name.display())),
        }
    }
    differences
}

fn existing(folder: &Path) -> BTreeSet<PathBuf> {
    let mut names = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        for entry in fs_err::read_dir(current).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                names.insert(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    names
}

/// The lines between the common start and the common end, a few of each side.
fn difference(golden: &str, now: &str) -> String {
    const SHOWN: usize = 10;
    let (golden, now): (Vec<&str>, Vec<&str>) = (golden.split('\n').collect(), now.split('\n').collect());
    let same_start = golden.iter().zip(&now).take_while(|(a, b)| a == b).count();
    let rest = golden.len().min(now.len()) - same_start;
    let same_end = golden.iter().rev().zip(now.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let side = |mark: &str, lines: &[&str]| {
        let lines = &lines[same_start..lines.len() - same_end];
        let mut shown: Vec<String> = lines.iter().take(SHOWN).map(|line| format!("  {mark} {line}")).collect();
        if lines.len() > SHOWN {
            shown.push(format!("  {mark} … {} more lines", lines.len() - SHOWN));
        }
        shown
    };
    let lines = [vec![format!("  line {}", same_start + 1)], side("-", &golden), side("+", &now)].concat();
    lines.join("\n")
}

#[test]
fn a_difference_shows_only_what_differs() {
    assert_eq!(difference("a\nb\nc\n", "a\nx\ny\nc\n"), "  line 2\n  - b\n  + x\n  + y");
    assert_eq!(difference("a\n", "a"), "  line 2\n  - ");
    let many = "x\n".repeat(30);
    assert!(difference("", &many).ends_with("+ … 20 more lines"), "{}", difference("", &many));
}

//! The configurations that are shipped, and the data in `tests/configs`: a new file there is a new test.
//!
//! Beside each file stands `NAME.expected`: for a valid one the fields in which
//! it differs from `full.yaml`, for an invalid one the whole message, for one of
//! an older version the file that it becomes.

#[path = "configs/migration.rs"]
mod migration;
#[path = "configs/schema.rs"]
mod schema;

use std::path::{Path, PathBuf};

use fs_err as fs;
use lab::config::{self, Lab, Origin, Overrides, Source};

#[test]
fn valid_files_give_the_expected_lab() {
    let full = fields(&config::load(config::FULL, "full.yaml", &Overrides::default()).unwrap());
    check_folder("tests/configs/valid", |path| {
        let lab = config::load_file(path, &Overrides::default()).map_err(|problems| problems.to_string())?;
        Ok(fields(&lab).into_iter().filter(|field| !full.contains(field)).collect::<Vec<_>>().join("\n"))
    });
}

#[test]
fn invalid_files_give_the_expected_message() {
    check_folder("tests/configs/invalid", |path| match config::load_file(path, &Overrides::default()) {
        Ok(_) => Err("was accepted".to_owned()),
        Err(problems) => {
            let folder = format!("{}/", path.parent().unwrap().display());
            Ok(problems.to_string().replace(&folder, ""))
        }
    });
}

#[test]
fn shipped_files_are_what_their_names_say() {
    let mut nodes = Vec::new();
    for path in yaml_files("lab-configs") {
        let lab = config::load_file(&path, &Overrides::default()).unwrap_or_else(|problems| panic!("{problems}"));
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        nodes.push((name, lab.cluster.control_planes, lab.cluster.workers));
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches("enabled: ").count(), 4, "{}: every `enabled` is to be seen", path.display());
    }
    let expected = [("ci", 1, 3), ("full", 3, 3), ("small", 1, 1)];
    assert_eq!(nodes, expected.map(|(name, control_planes, workers)| (name.to_owned(), control_planes, workers)));
}

#[test]
fn shipped_files_are_in_the_binary() {
    for (name, text) in [("full", config::FULL), ("small", config::SMALL), ("ci", config::CI)] {
        let path = root().join(format!("lab-configs/{name}.yaml"));
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "{}", path.display());
    }
}

/// What one shows is a file that gives the same lab.
#[test]
fn what_is_shown_can_be_loaded() {
    for path in
        [yaml_files("tests/configs/valid"), yaml_files("tests/configs/v1alpha1"), yaml_files("lab-configs")].concat()
    {
        let resolved = config::resolve(&Source::read(&path).unwrap(), &Overrides::default()).unwrap();
        let json = serde_json::to_string(&resolved.json()).unwrap();
        for shown in [resolved.yaml(false), resolved.yaml(true), json] {
            let loaded = config::load(&shown, "shown", &Overrides::default());
            assert_eq!(loaded.as_ref(), Ok(&resolved.lab), "{}:\n{shown}", path.display());
        }
        let all: Vec<String> = resolved.settings().into_iter().map(|setting| setting.path).collect();
        assert_eq!(all, config::paths(), "{}", path.display());
    }
}

/// `full.yaml` shows every field with its default.
#[test]
fn the_full_file_holds_every_default() {
    let settings = |text: &str| {
        let source = Source { file: "full.yaml".to_owned(), text: text.to_owned() };
        config::resolve(&source, &Overrides::default()).unwrap().settings()
    };
    let least = format!("apiVersion: {}\nkind: Lab\nmetadata: {{name: lab}}\n", config::VERSION);
    for (full, default) in settings(config::FULL).into_iter().zip(settings(&least)) {
        assert!(matches!(full.origin, Origin::File { .. }), "{} is not in full.yaml", full.path);
        assert_eq!(full.value, default.value, "{}", full.path);
    }
}

/// Compares what `result` makes of each file with the text beside it; names every file that fails.
fn check_folder(folder: &str, result: impl Fn(&Path) -> Result<String, String>) {
    let mut failures = Vec::new();
    let mut expectations = files(folder, "expected");
    for path in yaml_files(folder) {
        let expectation = path.with_extension("expected");
        expectations.retain(|other| *other != expectation);
        let expected = fs::read_to_string(&expectation).unwrap_or_else(|_| "(there is no .expected file)".to_owned());
        match result(&path) {
            Ok(actual) if actual.trim() == expected.trim() => {}
            Ok(actual) => failures.push(format!("{}\n--- expected\n{expected}\n--- actual\n{actual}", path.display())),
            Err(failure) => failures.push(format!("{}\n{failure}", path.display())),
        }
    }
    failures.extend(expectations.iter().map(|path| format!("{} has no .yaml file", path.display())));
    assert!(failures.is_empty(), "{} failed:\n\n{}", failures.len(), failures.join("\n\n"));
}

/// The lab as lines such as `cluster.workers: 3`.
fn fields(lab: &Lab) -> Vec<String> {
    let mut lines = Vec::new();
    flatten("", &serde_json::to_value(lab).expect("a lab is plain data"), &mut lines);
    lines
}

fn flatten(path: &str, value: &serde_json::Value, lines: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(entries) => {
            for (key, value) in entries {
                flatten(format!("{path}.{key}").trim_start_matches('.'), value, lines);
            }
        }
        value => lines.push(format!("{path}: {value}")),
    }
}

fn yaml_files(folder: &str) -> Vec<PathBuf> {
    let paths = files(folder, "yaml");
    assert!(!paths.is_empty(), "no .yaml files in {folder}");
    paths
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("the folder is there");
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    paths
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

//! Files of `lab/v1alpha1`: read as ever, and migrated.

use fs_err as fs;
use lab::config::{self, Migration, Overrides, Source, migrate};

use super::{check_folder, yaml_files};

const OLD: &str = "tests/configs/v1alpha1";

/// Those in which a port shares its line with something else, or its section has no lines of its own.
const WRITTEN_ANEW: [&str; 6] =
    ["api-port-in-flow", "explicit-keys", "flow-over-lines", "json", "registry-in-flow", "registry-without-value"];

#[test]
fn files_are_migrated_as_expected() {
    check_folder(OLD, |path| match migrate(&Source::read(path).map_err(|problems| problems.to_string())?) {
        Ok(Migration::Moved(text) | Migration::Anew(text)) => Ok(text),
        other => Err(format!("{other:?}")),
    });
}

#[test]
fn a_migrated_file_gives_the_same_lab() {
    for path in yaml_files(OLD) {
        let load = |text: &str| config::load(text, "test", &Overrides::default()).unwrap();
        let old = fs::read_to_string(&path).unwrap();
        let (Migration::Moved(new) | Migration::Anew(new)) = migrate(&Source::read(&path).unwrap()).unwrap() else {
            panic!("{} is no old file", path.display())
        };
        assert_eq!(load(&new), load(&old), "{}", path.display());
        let again = Source { file: "new.yaml".to_owned(), text: new };
        assert!(matches!(migrate(&again), Ok(Migration::Current)), "{}", path.display());
    }
}

/// Every line of the old file stands in the new one, but for the keys that have other names now.
#[test]
fn moved_lines_lose_nothing() {
    for path in yaml_files(OLD) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let old = fs::read_to_string(&path).unwrap();
        let moved = migrate(&Source::read(&path).unwrap()).unwrap();
        let Migration::Moved(new) = moved else {
            assert!(WRITTEN_ANEW.contains(&name.as_str()), "{name}: {moved:?}");
            continue;
        };
        assert!(!WRITTEN_ANEW.contains(&name.as_str()), "{name}");
        let mut left: Vec<String> = new.lines().map(|line| line.trim().to_owned()).collect();
        for line in old.lines() {
            let renamed = line.trim().replace("v1alpha1", "v1alpha2").replace("apiPort", "api");
            let renamed = renamed.replacen("port:", "registry:", 1).replacen("port\"", "registry\"", 1);
            let kept = [line.trim(), &renamed, &renamed.replacen("registry", "ports", 1)]
                .into_iter()
                .find_map(|form| left.iter().position(|other| other == form));
            left.remove(kept.unwrap_or_else(|| panic!("{name}: {line:?} is lost:\n{new}")));
        }
        left.retain(|line| line != "ports:");
        assert!(left.is_empty(), "{name}: {left:?} is new");
    }
}

#[test]
fn an_unknown_version_names_the_known_ones() {
    let migrated = |text: &str| {
        let source = Source { file: "lab.yaml".to_owned(), text: text.to_owned() };
        migrate(&source).unwrap_err().to_string()
    };
    let known = "must be lab/v1alpha2, got \"lab/v1\"; lab/v1alpha1 is still read";
    assert_eq!(migrated("kind: Lab\napiVersion: lab/v1\nspec: 3\n"), format!("lab.yaml:2:13: apiVersion: {known}"));
    assert_eq!(migrated("kind: Lab\n"), "lab.yaml: apiVersion: is missing");
    assert_eq!(migrated("- lab/v1alpha1\n"), "lab.yaml: apiVersion: is missing");
}

#[test]
fn problems_of_an_old_file_are_said_at_its_own_lines() {
    let text = "apiVersion: lab/v1alpha1\nkind: Lab\nmetadata: {name: lab}\nspec:\n  cluster:\n    apiPort: 80\n";
    let source = Source { file: "lab.yaml".to_owned(), text: text.to_owned() };
    let problems = migrate(&source).unwrap_err().to_string();
    assert!(problems.starts_with("lab.yaml:6:14: spec.cluster.apiPort: "), "{problems}");
}

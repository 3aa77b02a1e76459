//! The layers of `src`: the table stands in the documentation of `src/lib.rs`, and nowhere else.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that does not work")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Module → layer.
type Layers = BTreeMap<String, u8>;

#[test]
fn no_module_uses_a_higher_layer() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let layers = table(&fs_err::read_to_string(source.join("lib.rs")).unwrap());
    let mut problems = Vec::new();
    let mut scanned = 0;
    for path in rust_files(&source) {
        let name = path.strip_prefix(&source).unwrap().to_string_lossy().into_owned();
        if name == "lib.rs" || name == "main.rs" {
            continue;
        }
        problems.extend(check(&layers, &name, &fs_err::read_to_string(&path).unwrap()));
        scanned += 1;
    }
    assert!(scanned >= layers.len(), "only {scanned} files were scanned");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_table_names_every_module() {
    let text = fs_err::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let declared = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let declared: BTreeSet<&str> = declared.collect();
    let layers = table(&text);
    assert_eq!(layers.keys().map(String::as_str).collect::<BTreeSet<_>>(), declared);
}

#[test]
fn a_planted_upward_use_is_reported() {
    let layers = Layers::from([("config".to_owned(), 1), ("run".to_owned(), 6), ("cli".to_owned(), 8)]);
    let found = |text: &str| check(&layers, "config/mod.rs", text).join("\n");
    for upward in [
        "use crate::cli::args;",
        "use crate::{config::Lab, cli};",
        "use crate::{\n    config::{Lab, Cni},\n    run::{self, cli as _},\n};",
        "fn lab() -> crate::run::Run {}",
        "use super::cli;",
    ] {
        assert!(
            found(upward).starts_with("src/config/mod.rs:1: config (layer 1) uses "),
            "{upward}: {}",
            found(upward)
        );
    }
    assert_eq!(found("\nuse crate::cli;"), "src/config/mod.rs:2: config (layer 1) uses cli (layer 8)");
    assert!(found("use super::super::cli;").contains("super::super"));
    assert!(found("use crate::unknown;").contains("unknown stands in no layer"));
}

#[test]
fn downward_and_sideways_uses_are_fine() {
    let layers = Layers::from([("config".to_owned(), 1), ("run".to_owned(), 6), ("jobs".to_owned(), 1)]);
    let text =
        "use crate::config::Lab;\nuse crate::{jobs, run};\nuse super::images;\n// crate::cli is above\nmycrate::cli();";
    assert_eq!(check(&layers, "run/mod.rs", text), Vec::<String>::new());
    assert_eq!(check(&layers, "jobs.rs", "use crate::config::Lab;"), Vec::<String>::new());
}

/// Reads the rows `//! | 1 | `module` what it is; `other` what that is |`.
fn table(text: &str) -> Layers {
    let mut layers = Layers::new();
    for row in text.lines().filter_map(|line| line.strip_prefix("//! |")) {
        let Some((number, modules)) = row.split_once('|') else { continue };
        let Ok(number) = number.trim().parse() else { continue };
        for part in modules.split(';') {
            let module = part.split('`').nth(1).unwrap_or_else(|| panic!("no module in {part:?}"));
            assert!(layers.insert(module.to_owned(), number).is_none(), "{module} stands in two layers");
        }
    }
    layers
}

/// What a file below `src` uses against the layers.
fn check(layers: &Layers, name: &str, text: &str) -> Vec<String> {
    let module = name.split(['/', '.']).next().unwrap();
    let Some(own) = layers.get(module) else { return vec![format!("src/{name}: {module} stands in no layer")] };
    // In `src/x.rs` and `src/x/mod.rs`, `super` is the crate.
    let at_top = name == format!("{module}.rs") || name == format!("{module}/mod.rs");
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join("\n");
    let mut problems = Vec::new();
    for (position, used) in roots(&code, "crate::") {
        match layers.get(&used) {
            Some(layer) if layer <= own => {}
            Some(layer) => problems.push((position, format!("{module} (layer {own}) uses {used} (layer {layer})"))),
            None => problems.push((position, format!("{used} stands in no layer"))),
        }
    }
    for (position, used) in roots(&code, "super::") {
        if used == "super" {
            problems.push((position, "super::super hides which module is meant: write crate::".to_owned()));
        } else if at_top && let Some(layer) = layers.get(&used).filter(|layer| *layer > own) {
            problems.push((position, format!("{module} (layer {own}) uses {used} (layer {layer})")));
        }
    }
    let line = |position: usize| code[..position].matches('\n').count() + 1;
    problems.into_iter().map(|(position, problem)| format!("src/{name}:{}: {problem}", line(position))).collect()
}

/// Where a path begins with `root`, and the first name after it; several for `root{a, b}`.
fn roots(code: &str, root: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (position, _) in code.match_indices(root) {
        if code[..position].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let rest = &code[position + root.len()..];
        let first = |path: &str| {
            path.trim_start()
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                .collect::<String>()
        };
        match rest.strip_prefix('{') {
            Some(group) => found.extend(members(group).iter().map(|member| (position, first(member)))),
            None => found.push((position, first(rest))),
        }
    }
    found.retain(|(_, name)| !name.is_empty());
    found
}

/// The members of a use group whose opening brace is behind us; inner groups stay whole.
fn members(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut members) = (0, 0, Vec::new());
    for (position, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                members.push(&group[start..position]);
                start = position + 1;
                if letter == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    members
}

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

//! What the documentation says of the program is so.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lab::fault::{Kind, known};

/// Rows of the first table below a heading of the README, cell by cell, without the head.
fn table(heading: &str) -> Vec<Vec<String>> {
    table_of("README.md", heading)
}

fn table_of(page: &str, heading: &str) -> Vec<Vec<String>> {
    let text = fs_err::read_to_string(root().join(page)).expect("a page");
    let section = text.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no {heading} in {page}")).1;
    let rows = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.skip(2).map(cells).collect()
}

#[test]
fn the_exit_codes_are_those_of_the_program() {
    let documented: Vec<(String, String)> =
        table("Exit codes").into_iter().map(|row| (row[0].clone(), row[1].trim_matches('`').to_owned())).collect();
    let mut expected = vec![("0".to_owned(), "-".to_owned())];
    expected.extend(Kind::ALL.map(|kind| (kind.exit_code().to_string(), kind.heading().to_owned())));
    assert_eq!(documented, expected);
}

/// `…` stands for what varies; everything between must stand in the sources, word for word.
#[test]
fn the_errors_are_those_of_the_program() {
    let mut sources = String::new();
    for file in files("src").into_iter().chain(files("scripts")) {
        sources.push_str(&fs_err::read_to_string(file).unwrap());
    }
    let rows = table("Troubleshooting");
    assert!(!rows.is_empty());
    for row in rows {
        for part in row[0].trim_matches('`').split('…').map(str::trim).filter(|part| !part.is_empty()) {
            assert!(sources.contains(part), "README: no source says {part:?}");
        }
    }
}

#[test]
fn the_known_failures_are_those_of_the_program() {
    let code = |next: &str| format!("`{next}`");
    let known = known::ALL.iter().map(|known| vec![code(known.id), known.cause.to_owned(), code(known.next)]);
    let expected: Vec<Vec<String>> = known.collect();
    let documented = table_of("docs/failures.md", "Known failures");
    let rows: Vec<String> = expected.iter().map(|row| format!("| {} |", row.join(" | "))).collect();
    assert_eq!(documented, expected, "the table of docs/failures.md is to be:\n{}", rows.join("\n"));
}

/// Those of the doctor are in a page of their own.
#[test]
fn the_warnings_are_those_of_the_program() {
    let mut said = BTreeSet::new();
    for file in files("src").into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs")) {
        let text = fs_err::read_to_string(file).unwrap();
        said.extend(text.split("Warning::new(\"").skip(1).map(|rest| format!("`{}`", rest.split('"').next().unwrap())));
    }
    let rows = table_of("docs/output.md", "Warnings");
    let documented: BTreeSet<String> = rows.into_iter().skip(1).map(|row| row[0].clone()).collect();
    assert_eq!(documented, said);
}

#[test]
fn links_lead_somewhere() {
    let mut pages = [files("docs"), files("sample-jobs")].concat();
    pages.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    pages.extend(["README.md", "CHANGELOG.md"].map(|page| root().join(page)));
    for page in pages {
        let text = fs_err::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") {
                assert!(page.parent().unwrap().join(target).exists(), "{}: {link} leads nowhere", page.display());
            }
        }
    }
}

/// All files below a folder.
fn files(folder: &str) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root().join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() { folders.push(entry.path()) } else { found.push(entry.path()) }
        }
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

//! The text of a configuration: read, shown, migrated.

#![no_main]

use lab::config::{self, Lab, Migration, Overrides, Place, Problems, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let source = file(text);
    match config::resolve(&source, &Overrides::default()) {
        Ok(resolved) => {
            for shown in [resolved.yaml(false), resolved.yaml(true), resolved.json().to_string()] {
                assert_eq!(read(&shown), resolved.lab, "shown as\n{shown}");
            }
            match config::migrate(&source) {
                Ok(Migration::Current) => assert!(!resolved.is_old()),
                Ok(Migration::Moved(text) | Migration::Anew(text)) => {
                    assert!(text.contains(config::VERSION));
                    assert_eq!(read(&text), resolved.lab, "migrated to\n{text}");
                }
                Err(problems) => panic!("valid, and yet cannot be migrated: {problems}"),
            }
        }
        Err(problems) => {
            check(&problems, text);
            if let Err(problems) = config::migrate(&source) {
                check(&problems, text);
            }
        }
    }
});

fn file(text: &str) -> Source {
    Source { file: "lab.yaml".to_owned(), text: text.to_owned() }
}

fn read(text: &str) -> Lab {
    let resolved = config::resolve(&file(text), &Overrides::default());
    resolved.map(|resolved| resolved.lab).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

/// Each problem is one line that can be shown, and names a line that the file has.
fn check(problems: &Problems, text: &str) {
    let lines = text.matches(['\n', '\r']).count() + 1;
    assert!(!problems.list.is_empty());
    for problem in &problems.list {
        let said = format!("{}: {}", problem.path, problem.complaint);
        assert!(!said.contains(char::is_control), "{said:?}");
        match &problem.place {
            Place::At(position) => {
                assert!((1..=lines).contains(&position.line) && position.column > 0, "{position:?}: {said}");
            }
            // Nothing stands there that could be pointed at.
            Place::File => assert!(["is empty", "is missing"].contains(&&*problem.complaint.message), "{said}"),
            place => panic!("nobody set {place:?}: {said}"),
        }
    }
    assert!(!problems.to_string().is_empty());
}

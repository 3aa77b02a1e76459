//! What the binary prints for programs, held against `docs/schema`.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

pub fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/schema/{name}.json"));
    serde_json::from_str(&fs_err::read_to_string(path).unwrap()).unwrap()
}

/// What is wrong with a document; empty where its schema holds.
pub fn problems(name: &str, document: &Value) -> Vec<String> {
    let mut schema = schema(name);
    close(&mut schema);
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[track_caller]
pub fn assert_valid(name: &str, document: &Value) {
    assert_eq!(problems(name, document), Vec::<String>::new(), "{document:#}");
}

/// Readers ignore fields they do not know, so that fields can be added; here, a field that no schema
/// mentions is a mistake.
fn close(schema: &mut Value) {
    let mut extended = BTreeSet::new();
    find_extended(schema, &mut extended);
    schema["unevaluatedProperties"] = json!(false);
    let definitions = schema.get_mut("$defs").and_then(Value::as_object_mut);
    for (name, definition) in definitions.into_iter().flatten() {
        if !extended.contains(&format!("#/$defs/{name}")) {
            definition["unevaluatedProperties"] = json!(false);
        }
    }
}

/// Definitions to which whoever refers to them adds fields of its own.
fn find_extended(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let (Some(reference), true) = (map.get("$ref").and_then(Value::as_str), map.contains_key("properties")) {
                found.insert(reference.to_owned());
            }
            map.values().for_each(|inner| find_extended(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| find_extended(inner, found)),
        _ => {}
    }
}

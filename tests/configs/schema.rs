//! The JSON Schema of configurations, held against the files in `tests/configs` and against its documentation.

use std::collections::BTreeMap;
use std::path::Path;

use fs_err as fs;
use lab::config::{self, Overrides};
use serde_json::{Value, json};

use super::{root, yaml_files};

/// What is wrong with an invalid file, and cannot be said in a schema.
const NOT_FOR_A_SCHEMA: [(&str, &str); 20] = [
    ("airflow-bucket", "fields that do not fit each other"),
    ("airflow-git-closed", "fields that do not fit each other"),
    ("airflow-git-login-for-nothing", "fields that do not fit each other"),
    ("airflow-without-object-store", "fields that do not fit each other"),
    ("anchors", "other YAML readers take them"),
    ("duration-too-long", "a range across units"),
    ("duration-too-short", "a range across units"),
    ("memory-below-what-spark-needs", "a range across units"),
    ("merge-key", "other YAML readers take them"),
    ("network-egress", "fields that do not fit each other"),
    ("people-lifetime", "a range across units"),
    ("pod-subnet-too-small-for-nodes", "fields that do not fit each other"),
    ("ports-the-same", "fields that do not fit each other"),
    ("smoke-without-components", "fields that do not fit each other"),
    ("smoke-without-operator", "fields that do not fit each other"),
    ("subnet-overlaps-a-default", "fields that do not fit each other"),
    ("subnet-too-small-for-nodes", "fields that do not fit each other"),
    ("subnet-too-small-without-load-balancer", "fields that do not fit each other"),
    ("subnets-overlap", "fields that do not fit each other"),
    ("tags", "other YAML readers take them"),
];

/// Invalid files that another YAML reader does not take for one document of plain data either.
const NO_DATA: [&str; 16] = [
    "billion-laughs",
    "broken-flow",
    "broken-indentation",
    "broken-quote",
    "control-character",
    "given-twice",
    "keys-that-are-no-text",
    "not-utf8",
    "numbers-huge",
    "numbers-special",
    "people-twice",
    "recursive-alias",
    "tabs",
    "two-documents",
    "unknown-anchor",
    "utf16",
];

#[test]
fn valid_files_fit_the_schema() {
    let schema = jsonschema::validator_for(&config::schema()).unwrap();
    for path in [yaml_files("lab-configs"), yaml_files("tests/configs/valid")].concat() {
        let value = data(&path).unwrap();
        let errors: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
}

#[test]
fn invalid_files_do_not_fit_it_but_for_a_reason() {
    let schema = jsonschema::validator_for(&config::schema()).unwrap();
    let (mut no_data, mut fitting, mut refused) = (Vec::new(), Vec::new(), 0);
    for path in yaml_files("tests/configs/invalid") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        match data(&path) {
            Err(_) => no_data.push(name),
            Ok(value) if schema.is_valid(&value) => fitting.push(name),
            Ok(_) => refused += 1,
        }
    }
    assert_eq!(no_data, NO_DATA);
    assert_eq!(fitting, NOT_FOR_A_SCHEMA.map(|(name, _)| name));
    assert!(refused > NOT_FOR_A_SCHEMA.len() + NO_DATA.len(), "{refused}");
}

/// Values of every kind, each tried in every field.
const VALUES: &str = r#"
    true false "true" 0 1 2 3 5 12 13 50 51 64 65 100 99 1023 1024 1025 65535 65536 200000 200001 -1 2.5 0.5 0.001 0.0001
    104857600 104857599 1099511627776 1099511627777 null [] {} "" "1" "lab" "Lab" "a-b" "-a" "a-" "a.b" "ab" "minio"
    "xn--lab" "lab-s3alias" "my--table-s3" "2026" "kindnet" "calico" "100m" "1m" "64" "64000m" "0.5" "5Gi" "100Mi" "1Ti"
    "512m" "512Mi" "1g" "450m" "64g" "460800k" "1G" "1h" "60s" "30d" "1h30m" "10.0.0.0/8" "10.0.0.0/16" "172.16.0.0/12"
    "172.31.0.0/16" "172.32.0.0/16" "192.168.255.0/24" "192.168.0.0/15" "192.168.7.16/28" "192.168.7.16/29" "10.1.2.0/23"
    "10.256.0.0/16" "10.0.0.0" "mirror" "mirror:5000" "a.b/c.d/e" "http://a" "https://" "ssh://a.b" "https://me:word@a.b" "-main" "a/../b"
    ".a/b" "/a" "a//b" "release/1.0" "a.b/C" "a.b/" "https://a.b" "me@a.b" "a..b" "010.0.0.0/16" "a123456789-123456789-123456789-12345678"
    "a123456789-123456789-123456789-123456789" "b12345678901234567890123456789012345678901234567890123456789012"
    "b123456789012345678901234567890123456789012345678901234567890123"
"#;

/// Whatever a file may say, the schema takes; what it takes beyond that is a matter of units and of inner addresses.
#[test]
fn the_schema_and_the_rules_agree_on_every_value() {
    let schema = jsonschema::validator_for(&config::schema()).unwrap();
    let (mut taken, mut lax) = (0, 0);
    for path in config::paths() {
        for value in VALUES.split_whitespace() {
            let mut file = json!({ "apiVersion": config::VERSION, "kind": "Lab", "metadata": { "name": "other" } });
            *path.split('.').fold(&mut file, |place, key| &mut place[key]) = serde_json::from_str(value).unwrap();
            let problems = config::load(&file.to_string(), "test", &Overrides::default()).err();
            // Of fields that do not fit each other, a schema knows nothing.
            let wrong = [format!("{path}: must be "), format!("{path}: has no value")];
            let said = problems.map(|problems| problems.to_string()).unwrap_or_default();
            let refused = wrong.iter().any(|wrong| said.contains(wrong));
            let fits = schema.is_valid(&file);
            assert!(refused || fits, "{path}: {value} is right, but does not fit the schema");
            if refused && fits {
                let of_units = ["certificateLifetime", "keepFinished", "storage", "cpuRequest", "memory", "ubnet"];
                assert!(of_units.iter().any(|field| path.ends_with(field)), "{path}: {value} is wrong, but fits");
                lax += 1;
            }
            taken += usize::from(!refused);
        }
    }
    assert!(taken > 100 && lax > 10, "{taken} {lax}");
}

/// Every property of the schema closes, describes itself and says what it takes.
#[test]
fn the_schema_says_all_of_every_field() {
    let schema = config::schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(jsonschema::meta::is_valid(&schema));
    let mut fields = BTreeMap::new();
    collect("", &schema, &mut fields);
    fields.retain(|path, _| config::variable(path).is_some());
    let mut paths = config::paths();
    paths.sort();
    assert_eq!(fields.keys().cloned().collect::<Vec<_>>(), paths);
    for (path, field) in &fields {
        let has = |keys: &[&str]| keys.iter().any(|key| !field[key].is_null());
        assert!(has(&["type"]) && has(&["description"]), "{path}");
        assert!(
            has(&["minimum", "pattern", "enum", "const", "items", "propertyNames"]) || field["type"] == "boolean",
            "{path}: no rule"
        );
        assert_eq!(has(&["default"]), path != "metadata.name", "{path}");
    }
}

/// The table in the documentation is the schema, row for row.
#[test]
fn the_documented_fields_are_those_of_the_schema() {
    let mut fields = BTreeMap::new();
    collect("", &config::schema(), &mut fields);
    let row = |path: &String| {
        let field = &fields[path];
        let default = match &field["default"] {
            Value::Null => "-".to_owned(),
            Value::String(text) if text.is_empty() => "-".to_owned(),
            Value::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        };
        format!("| `{path}` | {default} | {} |\n", field["description"].as_str().unwrap())
    };
    let table: String = config::paths().iter().map(row).collect();
    let page = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    assert!(page.contains(&format!("| --- | --- | --- |\n{table}\n")), "docs/configuration.md must hold:\n{table}");
}

/// A file as YAML tools at large read it, not as ours does.
fn data(path: &Path) -> Result<Value, String> {
    let text = String::from_utf8(fs::read(path).expect("the file is there")).map_err(|error| error.to_string())?;
    serde_saphyr::from_str(&text).map_err(|error| error.to_string())
}

/// The fields below an object that takes no other keys.
fn collect(path: &str, object: &Value, fields: &mut BTreeMap<String, Value>) {
    assert_eq!(object["additionalProperties"], false, "{path:?}");
    for (key, schema) in object["properties"].as_object().expect("an object has properties") {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if schema["properties"].is_object() {
            collect(&path, schema, fields);
        } else {
            fields.insert(path, schema.clone());
        }
    }
}

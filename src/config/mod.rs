//! The configuration of a lab: text → tree → checked values, all problems at once.
//!
//! [`v1alpha2`] declares every field with its default, rule and meaning; the
//! schema, the variables and `lab config show` come from the same walk over it
//! as the values. The [`validate`] rules tie fields together, and [`Lab`] is
//! what the rest of the program sees: nothing in it is unset or unchecked.

mod destination;
mod jvm_size;
mod lab;
mod measure;
mod migrate;
mod name;
mod overrides;
mod people;
mod problem;
mod quantity;
mod reading;
mod resolved;
mod rules;
mod schema;
mod section;
mod source;
mod subnet;
mod tree;
mod v1alpha1;
mod v1alpha2;
mod validate;
mod version;
mod yaml;

use std::path::Path;

pub use destination::{Destination, Destinations};
pub use jvm_size::JvmSize;
pub use lab::{
    Airflow, Cluster, Cni, DAGS_BUCKET, Executor, Git, ImageSource, Images, LOGS_BUCKET, Lab, Network, ObjectStore,
    People, Registry, Role, SAMPLE_DAGS_BUCKET, Size, Smoke, SparkOperator,
};
pub use migrate::{Migration, migrate};
pub use overrides::{Overrides, variable};
pub use problem::{Complaint, Place, Position, Problem, Problems};
pub use quantity::Quantity;
pub use resolved::{Origin, Resolved, Setting};
pub use source::{CI, FULL, SMALL, Source};
pub use subnet::Subnet;

use reading::Reading;
use version::{CURRENT, Version};

/// What files are written in today.
pub const VERSION: &str = CURRENT.name;

/// Reads a configuration; `file` is the name that problems are reported under.
pub fn load(text: &str, file: &str, overrides: &Overrides) -> Result<Lab, Problems> {
    let source = Source { file: file.to_owned(), text: text.to_owned() };
    resolve(&source, overrides).map(|resolved| resolved.lab)
}

/// Reads a configuration file.
pub fn load_file(path: &Path, overrides: &Overrides) -> Result<Lab, Problems> {
    resolve(&Source::read(path)?, overrides).map(|resolved| resolved.lab)
}

/// Reads a configuration, and keeps where each value comes from.
pub fn resolve(source: &Source, overrides: &Overrides) -> Result<Resolved, Problems> {
    let root = tree::parse(&source.text).map_err(|problem| Problems::new(&source.file, vec![problem]))?;
    let version = version::said(&root).unwrap_or(&CURRENT);
    let (lab, mut reading) = section::read(&root, overrides, version, version.declaration);
    validate::check(&lab, &mut reading);
    reading.finish(&source.file)?;
    let mut fields = reading.fields;
    if !version.is_current() {
        let now: Vec<String> = declaration().fields.into_iter().map(|field| field.path).collect();
        fields.sort_by_key(|field| now.iter().position(|path| *path == field.path));
    }
    fields.retain(|field| variable(&field.path).is_some());
    Ok(Resolved { lab, file: source.file.clone(), version: version.name, fields })
}

/// The JSON Schema of the current version.
pub fn schema() -> serde_json::Value {
    declaration().schema
}

/// The paths of all fields, in the order of their declaration.
pub fn paths() -> Vec<String> {
    let paths = declaration().fields.into_iter().map(|field| field.path);
    paths.filter(|path| variable(path).is_some()).collect()
}

/// What a walk over an empty document finds.
fn declaration() -> Reading {
    let start = Position { line: 1, column: 1 };
    let nothing = tree::Node { value: tree::Value::Null, position: start };
    let Version { declaration, .. } = CURRENT;
    section::read(&nothing, &Overrides::default(), &CURRENT, declaration).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overrides() -> Overrides {
        Overrides {
            name: Some("second".to_owned()),
            subnet: Some("172.30.0.0/24".to_owned()),
            api_port: Some(17443),
            registry_port: Some(17000),
            ..Overrides::default()
        }
    }

    fn problems(text: &str, overrides: &Overrides) -> String {
        load(text, "lab.yaml", overrides).expect_err("was accepted").to_string()
    }

    #[test]
    fn flags_win_over_the_file() {
        let lab = load(FULL, "lab.yaml", &overrides()).unwrap();
        let found = (lab.name.as_str(), lab.cluster.subnet, lab.cluster.api_port, lab.registry.port);
        assert_eq!(found, ("second", Subnet::new([172, 30, 0, 0], 24), 17443, 17000));
    }

    #[test]
    fn flags_stand_in_for_what_is_missing_or_wrong_in_the_file() {
        let start = "apiVersion: lab/v1alpha2\nkind: Lab\n";
        let lab = load(start, "lab.yaml", &overrides()).unwrap();
        assert_eq!(lab.name, "second");
        load(&format!("{start}spec: {{ports: {{registry: none}}}}"), "lab.yaml", &overrides()).unwrap();
    }

    #[test]
    fn problems_name_the_flag() {
        let wrong = Overrides {
            name: Some("--all".to_owned()),
            subnet: Some("everything".to_owned()),
            api_port: Some(0),
            registry_port: Some(80),
            ..Overrides::default()
        };
        let expected = "\
            --api-port: must be a whole number from 1024 to 65535, got 0\n\
            --name: must be a name of 1 to 40 lowercase letters, digits or inner hyphens, got \"--all\"\n\
            --registry-port: must be a whole number from 1024 to 65535, got 80\n\
            --subnet: must be an IPv4 range such as 172.29.0.0/24, got \"everything\"";
        assert_eq!(problems(FULL, &wrong), expected);
    }

    #[test]
    fn a_conflict_is_put_down_to_the_flag() {
        let clashing = Overrides { registry_port: Some(16443), ..Overrides::default() };
        let expected =
            "--registry-port: spec.ports.api and spec.ports.registry are both 16443; choose two different ports";
        assert_eq!(problems(FULL, &clashing), expected);
    }

    #[test]
    fn the_resolved_lab_is_serialised_like_the_file() {
        let lab = load(FULL, "lab.yaml", &Overrides::default()).unwrap();
        let json = serde_json::to_value(&lab).unwrap();
        assert_eq!(json["cluster"]["controlPlanes"], 3);
        assert_eq!(json["cluster"]["cni"], "kube-router");
        assert_eq!(json["cluster"]["podSubnet"], "10.244.0.0/16");
        assert_eq!(json["sparkOperator"]["keepFinishedSeconds"], 3600);
    }
}

//! The configuration of a lab: text → tree → checked values, all problems at once.
//!
//! [`v1alpha1`] declares every field with its default and its range, the
//! [`validate`] rules tie fields together, and [`Lab`] is what the rest of the
//! program sees: nothing in it is unset or unchecked.

mod lab;
mod measure;
mod name;
mod problem;
mod rules;
mod section;
mod subnet;
mod tree;
mod v1alpha1;
mod validate;

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

pub use lab::{Cluster, Cni, Images, Lab, ObjectStore, Registry, Size, Smoke, Source, SparkOperator};
pub use problem::{Complaint, Place, Position, Problem, Problems};
pub use subnet::Subnet;

use section::Override;
use tree::Value;

/// Three control planes and three workers: what `lab up` makes when nothing else is said.
pub const FULL: &str = include_str!("../../lab-configs/full.yaml");
/// One control plane and one worker, for a small laptop.
pub const SMALL: &str = include_str!("../../lab-configs/small.yaml");
/// One control plane and three workers, for continuous integration.
pub const CI: &str = include_str!("../../lab-configs/ci.yaml");

/// Values from the command line; they win over the file and obey the same rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    pub name: Option<String>,
    pub subnet: Option<String>,
    pub api_port: Option<u16>,
    pub registry_port: Option<u16>,
    pub images: Option<String>,
    pub mirror: Option<String>,
    pub lock: Option<String>,
}

impl Overrides {
    fn list(&self) -> Vec<Override> {
        let text = |value: &Option<String>| value.clone().map(Value::Text);
        let number = |value: Option<u16>| value.map(|value| Value::Number(value.to_string()));
        [
            ("metadata.name", "--name", text(&self.name)),
            ("spec.cluster.subnet", "--subnet", text(&self.subnet)),
            ("spec.cluster.apiPort", "--api-port", number(self.api_port)),
            ("spec.registry.port", "--registry-port", number(self.registry_port)),
            ("spec.images.source", "--images", text(&self.images)),
            ("spec.images.mirror", "--registry-mirror", text(&self.mirror)),
            ("spec.images.lock", "--images-lock", text(&self.lock)),
        ]
        .into_iter()
        .filter_map(|(path, flag, value)| Some(Override { path, flag, value: value? }))
        .collect()
    }
}

/// Reads a configuration; `file` is the name that problems are reported under.
pub fn load(text: &str, file: &str, overrides: &Overrides) -> Result<Lab, Problems> {
    let root = tree::parse(text).map_err(|problem| Problems::new(file, vec![problem]))?;
    let (lab, mut reading) = section::read(&root, &overrides.list(), v1alpha1::lab);
    validate::check(&lab, &mut reading);
    reading.finish(file).map(|()| lab)
}

/// Reads a configuration file.
pub fn load_file(path: &Path, overrides: &Overrides) -> Result<Lab, Problems> {
    let file = path.display().to_string();
    let unreadable = |message: String| Problems::new(&file, vec![Problem::of_file(message)]);
    let bytes = read_start(path).map_err(|error| {
        unreadable(match error.kind() {
            ErrorKind::NotFound => "no such file".to_owned(),
            ErrorKind::IsADirectory => "is a directory, not a file".to_owned(),
            _ => format!("cannot be read: {error}"),
        })
    })?;
    // The size first: a file cut off in the middle of a character is too large, not badly encoded.
    if bytes.len() > tree::MAX_BYTES {
        return Err(unreadable(tree::too_large()));
    }
    let text = String::from_utf8(bytes).map_err(|_| unreadable("is not UTF-8 text".to_owned()))?;
    load(&text, &file, overrides)
}

/// Reads one byte more than is allowed at most, so that `/dev/zero` ends as well.
fn read_start(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(tree::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
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
        let start = "apiVersion: lab/v1alpha1\nkind: Lab\n";
        let lab = load(start, "lab.yaml", &overrides()).unwrap();
        assert_eq!(lab.name, "second");
        load(&format!("{start}spec: {{registry: {{port: none}}}}"), "lab.yaml", &overrides()).unwrap();
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
            "--registry-port: spec.cluster.apiPort and spec.registry.port are both 16443; choose two different ports";
        assert_eq!(problems(FULL, &clashing), expected);
    }

    #[test]
    fn what_is_no_file_is_told_apart() {
        let error = |path: &str| load_file(Path::new(path), &Overrides::default()).unwrap_err().to_string();
        assert_eq!(error("no/such.yaml"), "no/such.yaml: no such file");
        assert_eq!(error("/"), "/: is a directory, not a file");
        #[cfg(unix)]
        assert_eq!(error("/dev/zero"), "/dev/zero: is larger than 256 KiB and can be no lab configuration");
    }

    #[test]
    fn a_large_file_is_too_large_wherever_it_is_cut() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "ü".repeat(tree::MAX_BYTES)).unwrap();
        let problems = load_file(file.path(), &Overrides::default()).unwrap_err();
        assert!(problems.to_string().contains("larger than 256 KiB"), "{problems}");
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

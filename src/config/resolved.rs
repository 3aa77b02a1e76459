//! A configuration as it counts: every field with its value, and who gave it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::lab::Lab;
use super::problem::{Place, Position};
use super::reading::Field;
use super::version::CURRENT;
use super::yaml::{self, Line};

/// The checked lab, and all that was said on the way to it.
#[derive(Debug)]
pub struct Resolved {
    pub lab: Lab,
    /// What the file is called.
    pub file: String,
    /// The version it is written in.
    pub version: &'static str,
    /// In the order of the current declaration.
    pub(super) fields: Vec<Field>,
}

/// A field of the configuration, its value in the notation of files, and where that comes from.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Setting {
    /// Such as `spec.cluster.workers`.
    pub path: String,
    pub value: Json,
    pub origin: Origin,
}

/// Who gave a value. Each wins over those below it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum Origin {
    Flag { name: String },
    Variable { name: String },
    File { file: String, line: usize, column: usize },
    Default,
}

impl Resolved {
    /// Whether the file is written in an older version.
    pub fn is_old(&self) -> bool {
        self.version != CURRENT.name
    }

    /// All fields as a file of the current version, each with its origin where that is asked for.
    pub fn yaml(&self, with_origin: bool) -> String {
        yaml::document(self.settings().iter().map(|setting| Line {
            path: &setting.path,
            value: &setting.value,
            comment: with_origin.then(|| setting.origin.to_string()),
        }))
    }

    /// The same as JSON.
    pub fn json(&self) -> Json {
        let mut document = json!({ "apiVersion": CURRENT.name, "kind": "Lab" });
        for setting in self.settings() {
            let place = setting.path.split('.').fold(&mut document, |place, key| &mut place[key]);
            *place = setting.value;
        }
        document
    }

    /// Every field with its origin.
    pub fn settings(&self) -> Vec<Setting> {
        let setting = |field: &Field| Setting {
            path: field.path.clone(),
            value: field.value.clone(),
            origin: match field.place.clone() {
                Some(Place::Flag(name)) => Origin::Flag { name: name.to_owned() },
                Some(Place::Variable(name)) => Origin::Variable { name },
                Some(Place::At(Position { line, column })) => Origin::File { file: self.file.clone(), line, column },
                Some(Place::File) | None => Origin::Default,
            },
        };
        self.fields.iter().map(setting).collect()
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag { name } | Self::Variable { name } => f.write_str(name),
            Self::File { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Self::Default => f.write_str("default"),
        }
    }
}

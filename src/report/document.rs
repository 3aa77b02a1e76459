//! What programs read: JSON with the name of its schema.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::json;

use super::lines::Line;
use crate::config::Setting;
use crate::images::Lock;
use crate::plan::Plan;
use crate::run::doctor::Finding;
use crate::run::down::Down;
use crate::run::logins::Credentials;
use crate::run::logs::{Listing, LogLine};
use crate::run::status::Status;
use crate::run::verify::Proof;
use crate::run::{Diff, ImageState, dags};

/// Something printed as JSON. A field is never removed and never changes its meaning within one version.
pub trait Document: Serialize + JsonSchema {
    /// Name and version of the schema: the first field of the document.
    const SCHEMA: &'static str;

    fn with_schema(&self) -> WithSchema<'_, Self> {
        WithSchema { schema: Self::SCHEMA, content: self }
    }
}

/// A document behind the name of its schema.
#[derive(Serialize)]
pub struct WithSchema<'a, T: ?Sized> {
    schema: &'static str,
    #[serde(flatten)]
    content: &'a T,
}

impl Document for Status {
    const SCHEMA: &'static str = "lab.status/v1";
}

impl Document for Plan {
    const SCHEMA: &'static str = "lab.plan/v1";
}

impl Document for Diff {
    const SCHEMA: &'static str = "lab.diff/v1";
}

impl Document for Proof {
    const SCHEMA: &'static str = "lab.verify/v1";
}

impl Document for Down {
    const SCHEMA: &'static str = "lab.down/v1";
}

/// What `lab images list` prints.
#[derive(Serialize, JsonSchema)]
pub struct ImageList {
    pub images: Vec<ListedImage>,
}

/// An image of the catalogue, and where it is.
#[derive(Serialize, JsonSchema)]
pub struct ListedImage {
    pub name: String,
    /// Version of what the recipe builds.
    pub version: String,
    /// The names that manifests use; empty for an image that only others stand on.
    pub references: Vec<String>,
    #[serde(flatten)]
    pub state: ImageState,
}

impl Document for ImageList {
    const SCHEMA: &'static str = "lab.images/v1";
}

/// What `lab images lock` prints.
#[derive(Serialize, JsonSchema)]
pub struct LockList {
    /// Digests by the references that manifests use.
    pub digests: Lock,
    /// Names that no registry knows.
    pub unknown: Vec<String>,
}

impl Document for LockList {
    const SCHEMA: &'static str = "lab.lock/v1";
}

/// What `lab config show --origin` prints.
#[derive(Serialize, JsonSchema)]
pub struct SettingList {
    pub settings: Vec<Setting>,
}

impl Document for SettingList {
    const SCHEMA: &'static str = "lab.settings/v1";
}

/// What `lab config validate` prints.
#[derive(Serialize, JsonSchema)]
pub struct ProblemList {
    pub problems: Vec<ListedProblem>,
}

/// One problem of a configuration file.
#[derive(Serialize, JsonSchema)]
pub struct ListedProblem {
    pub file: String,
    /// From one; none where the file as a whole is meant.
    pub line: Option<usize>,
    /// In characters, from one.
    pub column: Option<usize>,
    /// The field, such as `spec.cluster.workers`; empty where the text is meant.
    pub path: String,
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Document for ProblemList {
    const SCHEMA: &'static str = "lab.problems/v1";
}

/// What `lab doctor` prints.
#[derive(Serialize, JsonSchema)]
pub struct FindingList {
    pub findings: Vec<Finding>,
}

impl Document for FindingList {
    const SCHEMA: &'static str = "lab.doctor/v1";
}

impl Document for Listing {
    const SCHEMA: &'static str = "lab.logs/v1";
}

impl Document for dags::Listing {
    const SCHEMA: &'static str = "lab.dags/v1";
}

impl Document for LogLine<'_> {
    const SCHEMA: &'static str = "lab.log-line/v1";
}

impl Document for Credentials {
    const SCHEMA: &'static str = "lab.credentials/v1";
}

/// What `lab kubeconfig` prints: where it is, never what is in it.
#[derive(Serialize, JsonSchema)]
pub struct Kubeconfig {
    /// The file with the context.
    pub path: String,
    pub context: String,
}

impl Document for Kubeconfig {
    const SCHEMA: &'static str = "lab.kubeconfig/v1";
}

/// What `lab diagnose` prints.
#[derive(Serialize, JsonSchema)]
pub struct Archive {
    pub lab: String,
    /// The file that was written.
    pub archive: String,
    /// The object that is most likely to blame, with its reason, events and last lines.
    pub culprit: Option<String>,
    /// Ids of the known failures that show; docs/failures.md lists them.
    pub known: Vec<&'static str>,
}

impl Document for Archive {
    const SCHEMA: &'static str = "lab.diagnosis/v1";
}

/// A document as JSON, with a line feed at its end.
///
/// # Errors
/// When the value has a form that JSON does not know, which would be a bug.
pub fn json(document: &impl Document) -> anyhow::Result<String> {
    bare_json(&document.with_schema())
}

/// A document on one line, without its end.
///
/// # Errors
/// As [`json`].
pub fn json_line(document: &impl Document) -> anyhow::Result<String> {
    Ok(serde_json::to_string(&document.with_schema())?)
}

/// As [`json`], for what says by itself what it is: a configuration, a JSON Schema.
///
/// # Errors
/// As [`json`].
pub fn bare_json(value: &impl Serialize) -> anyhow::Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// Every schema, by the name of its file in `docs/schema`.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("credentials", schema::<Credentials>()),
        ("dags", schema::<dags::Listing>()),
        ("diagnosis", schema::<Archive>()),
        ("diff", schema::<Diff>()),
        ("doctor", schema::<FindingList>()),
        ("down", schema::<Down>()),
        ("event", schema::<Line>()),
        ("images", schema::<ImageList>()),
        ("lock", schema::<LockList>()),
        ("kubeconfig", schema::<Kubeconfig>()),
        ("log-line", schema::<LogLine<'static>>()),
        ("logs", schema::<Listing>()),
        ("plan", schema::<Plan>()),
        ("problems", schema::<ProblemList>()),
        ("settings", schema::<SettingList>()),
        ("status", schema::<Status>()),
        ("verify", schema::<Proof>()),
    ]
}

fn schema<T: Document>() -> Schema {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), json!(T::SCHEMA));
    let object = schema.ensure_object();
    let name = json!({ "const": T::SCHEMA, "description": "Name and version of this schema." });
    object.entry("properties").or_insert_with(|| json!({}))["schema"] = name;
    if let Some(required) = object.entry("required").or_insert_with(|| json!([])).as_array_mut() {
        required.insert(0, json!("schema"));
    }
    schema
}

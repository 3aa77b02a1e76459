//! What a walk through a document finds out.

use serde_json::Value as Json;

use super::problem::{Complaint, Place, Problem, Problems};

/// A field as the walk met it.
#[derive(Debug, Clone)]
pub struct Field {
    /// Where it stands in the current version.
    pub path: String,
    /// Where it stands in the version of the file.
    pub name: String,
    /// As written.
    pub value: Json,
    /// None: it has its default.
    pub place: Option<Place>,
    /// It is wrong by itself, and has its default meanwhile.
    pub wrong: bool,
}

/// All fields in the order of their declaration, the schema, and every problem.
#[derive(Default)]
pub struct Reading {
    pub fields: Vec<Field>,
    pub schema: Json,
    problems: Vec<Problem>,
}

impl Reading {
    /// Complains about fields that don't fit each other, at one that somebody wrote.
    pub fn conflict(&mut self, paths: &[&str], complaint: Complaint) {
        let mut fields: Vec<&Field> = paths.iter().filter_map(|path| self.field(path)).collect();
        if fields.iter().any(|field| field.wrong) {
            return;
        }
        // A flag or variable is the latest decision, so it comes before anything in the file.
        fields.retain(|field| field.place.is_some());
        fields.sort_by_key(|field| matches!(field.place, Some(Place::At(_))));
        let (name, place) = match fields.first() {
            Some(Field { name, place: Some(place), .. }) => (name.clone(), place.clone()),
            _ => (String::new(), Place::File),
        };
        self.complain(name, place, complaint);
    }

    /// The name that a field has in the file.
    pub fn name(&self, path: &str) -> String {
        self.field(path).map_or_else(|| path.to_owned(), |field| field.name.clone())
    }

    pub fn complain(&mut self, path: String, place: Place, complaint: Complaint) {
        self.problems.push(Problem { path, place, complaint });
    }

    pub fn finish(&mut self, file: &str) -> Result<(), Problems> {
        let problems = std::mem::take(&mut self.problems);
        if problems.is_empty() { Ok(()) } else { Err(Problems::new(file, problems)) }
    }

    fn field(&self, path: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.path == path)
    }
}

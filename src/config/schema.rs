//! The declaration as JSON Schema.

use serde_json::{Map, Value as Json, json};

use super::rules::Rule;

/// What a mapping may hold.
#[derive(Default)]
pub struct Object {
    properties: Map<String, Json>,
    required: Vec<&'static str>,
}

impl Object {
    pub fn field<T>(&mut self, key: &'static str, rule: &Rule<T>, default: Option<Json>, description: &str) {
        let mut schema = rule.schema.clone();
        schema["description"] = format!("{description} ({})", rule.expected).into();
        match default {
            Some(default) => schema["default"] = default,
            None => self.required.push(key),
        }
        self.properties.insert(key.to_owned(), schema);
    }

    pub fn section(&mut self, key: &'static str, description: &str, object: Self) {
        let must_be = !object.required.is_empty();
        // A key whose lines are all commented out has no value: the same as no key.
        let kind = if must_be { json!("object") } else { json!(["object", "null"]) };
        let mut schema = object.schema(&kind);
        schema["description"] = description.into();
        if must_be {
            self.required.push(key);
        }
        self.properties.insert(key.to_owned(), schema);
    }

    /// The schema of a whole document.
    pub fn root(self) -> Json {
        let mut schema = self.schema(&json!("object"));
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
        schema["title"] = "Configuration of a lab".into();
        schema
    }

    fn schema(self, kind: &Json) -> Json {
        let mut schema = json!({ "type": kind, "properties": self.properties, "additionalProperties": false });
        if !self.required.is_empty() {
            schema["required"] = self.required.into();
        }
        schema
    }
}

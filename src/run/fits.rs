//! Does a live object already say all that the wanted one says, and where does it not?

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::config::Quantity;

/// A field that is not as it is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Field {
    /// Where it stands, as `spec.template.spec.containers[0].image`.
    pub path: String,
    /// Null where the configuration wants none.
    pub wanted: Value,
    /// Null where there is none.
    pub live: Value,
}

/// True where every field of `wanted` has the same value in `live`. The API server adds fields
/// (defaults, status, metadata) but drops none, so that a fitting object needs no apply.
pub fn fits(wanted: &Value, live: &Value) -> bool {
    differences(wanted, live).is_empty()
}

/// The fields of `wanted` that `live` does not have, or has with another value.
pub fn differences(wanted: &Value, live: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    compare("", wanted, live, &mut found);
    found
}

/// As [`differences`], and what `live` has besides in these parts of it, given as JSON pointers.
pub fn deviations(wanted: &Value, live: &Value, parts: &[&str]) -> Vec<Field> {
    let mut fields = differences(wanted, live);
    for part in parts {
        let [live, wanted] = [live, wanted].map(|object| object.pointer(part).unwrap_or(&Value::Null));
        let mut added = Vec::new();
        if !is_empty(live) {
            compare(&part[1..].replace('/', "."), live, wanted, &mut added);
        }
        let added = added.into_iter().map(|Field { path, wanted, live }| Field { path, wanted: live, live: wanted });
        let added: Vec<Field> = added.filter(|field| !fields.iter().any(|known| known.path == field.path)).collect();
        fields.extend(added);
    }
    fields
}

fn compare(path: &str, wanted: &Value, live: &Value, found: &mut Vec<Field>) {
    let same = match (wanted, live) {
        (Value::Object(wanted), Value::Object(live)) => {
            for (key, value) in wanted {
                let inner = below(path, key);
                match live.get(key) {
                    Some(live) => compare(&inner, value, live, found),
                    // The API server leaves out what is empty.
                    None if is_empty(value) => {}
                    None => found.push(Field { path: inner, wanted: value.clone(), live: Value::Null }),
                }
            }
            return;
        }
        (Value::Array(wanted), Value::Array(live)) if wanted.len() == live.len() => {
            for (position, (wanted, live)) in wanted.iter().zip(live).enumerate() {
                compare(&format!("{path}[{position}]"), wanted, live, found);
            }
            return;
        }
        (Value::Number(wanted), Value::Number(live)) => wanted.as_f64() == live.as_f64(),
        (Value::String(wanted), Value::String(live)) if path.contains(".resources.") => same_amount(wanted, live),
        _ => wanted == live,
    };
    if !same {
        found.push(Field { path: path.to_owned(), wanted: wanted.clone(), live: live.clone() });
    }
}

/// The API server gives amounts back in its own form: `1024Mi` as `1Gi`.
fn same_amount(wanted: &str, live: &str) -> bool {
    let milli = |text: &str| text.parse::<Quantity>().ok().map(|amount| amount.milli());
    wanted == live || milli(wanted).is_some_and(|amount| milli(live) == Some(amount))
}

/// The path of a key; one with a dot or a slash in it stands in brackets.
fn below(path: &str, key: &str) -> String {
    if !key.chars().all(|letter| letter.is_alphanumeric() || letter == '-' || letter == '_') {
        return format!("{path}[\"{key}\"]");
    }
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{deviations, differences, fits};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// Any JSON value, small.
    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z0-9]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-d]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// As the API server does: every object gets fields more.
    fn with_additions(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let mut map: serde_json::Map<_, _> =
                    map.iter().map(|(key, value)| (key.clone(), with_additions(value))).collect();
                map.insert("added".to_owned(), json!({ "by": "the server" }));
                Value::Object(map)
            }
            Value::Array(list) => list.iter().map(with_additions).collect(),
            other => other.clone(),
        }
    }

    /// The value with another one in the place of its first leaf that says something.
    fn with_another_leaf(value: &Value) -> Option<Value> {
        match value {
            Value::Object(map) => map.iter().find_map(|(key, inner)| {
                let mut other = map.clone();
                other.insert(key.clone(), with_another_leaf(inner)?);
                Some(Value::Object(other))
            }),
            Value::Array(list) => list.iter().enumerate().find_map(|(position, inner)| {
                let mut other = list.clone();
                other[position] = with_another_leaf(inner)?;
                Some(Value::Array(other))
            }),
            _ => Some(json!("something else")),
        }
    }

    #[test]
    fn amounts_are_the_same_in_any_notation_and_nothing_else_is() {
        let container = |memory: &str| json!({ "spec": { "resources": { "limits": { "memory": memory } } } });
        for (wanted, live, same) in [
            ("1024Mi", "1Gi", true),
            ("0.5", "500m", true),
            ("1Gi", "1G", false),
            ("1Gi", "x", false),
            ("x", "y", false),
        ] {
            assert_eq!(fits(&container(wanted), &container(live)), same, "{wanted} {live}");
        }
        assert!(!fits(&json!({ "labels": { "size": "1024Mi" } }), &json!({ "labels": { "size": "1Gi" } })));
    }

    proptest! {
        #[test]
        fn what_is_said_fits_itself_and_whatever_the_server_adds(wanted in value()) {
            prop_assert!(fits(&wanted, &wanted));
            prop_assert!(fits(&wanted, &with_additions(&wanted)));
        }

        #[test]
        fn another_value_anywhere_does_not_fit(wanted in value()) {
            if let Some(live) = with_another_leaf(&wanted) {
                prop_assert!(!fits(&wanted, &live), "{wanted} {live}");
            }
        }
    }

    #[test]
    fn additions_of_the_server_fit() {
        assert!(fits(&json!({"a": 1, "l": [{"b": "x"}]}), &json!({"a": 1, "l": [{"b": "x", "c": 0}], "status": {}})));
    }

    #[test]
    fn a_changed_field_does_not_fit() {
        assert!(!fits(&json!({"a": {"b": 1}}), &json!({"a": {"b": 2}})));
    }

    #[test]
    fn a_longer_or_shorter_list_does_not_fit() {
        assert!(!fits(&json!(["a"]), &json!(["a", "b"])));
        assert!(!fits(&json!(["a", "b"]), &json!(["a"])));
    }

    #[test]
    fn a_missing_field_fits_only_when_it_is_empty() {
        assert!(fits(&json!({"a": {}, "b": []}), &json!({})));
        assert!(!fits(&json!({"a": false}), &json!({})));
    }

    #[test]
    fn every_difference_is_named_with_both_values() {
        let wanted =
            json!({"spec": {"list": [{"image": "a"}, {"image": "b"}], "n": 1}, "labels": {"x.y/z": "w"}, "t": [1]});
        let live = json!({"spec": {"list": [{"image": "a"}, {"image": "c"}], "n": 1.0}, "labels": {}, "t": [1, 2]});
        let found: Vec<(String, Value, Value)> =
            differences(&wanted, &live).into_iter().map(|field| (field.path, field.wanted, field.live)).collect();
        let expected = [
            ("labels[\"x.y/z\"]", json!("w"), Value::Null),
            ("spec.list[1].image", json!("b"), json!("c")),
            ("t", json!([1]), json!([1, 2])),
        ];
        assert_eq!(found, expected.map(|(path, wanted, live)| (path.to_owned(), wanted, live)));
    }
    #[test]
    fn what_is_beside_the_wanted_counts_in_the_parts_that_are_named() {
        let wanted =
            json!({ "spec": { "podSelector": {}, "ingress": [{ "ports": [{ "port": 1, "protocol": "TCP" }] }] } });
        let found = |live: &Value| -> Vec<String> {
            deviations(&wanted, live, &["/spec", "/metadata/labels"]).into_iter().map(|field| field.path).collect()
        };
        assert_eq!(found(&wanted), Vec::<String>::new());
        let mut live = wanted.clone();
        (live["status"], live["metadata"]) = (json!({ "ready": true }), json!({ "uid": "1", "labels": {} }));
        assert_eq!(found(&live), Vec::<String>::new());
        live["spec"]["ingress"][0]["ports"][0]["endPort"] = json!(9);
        assert_eq!(found(&live), ["spec.ingress[0].ports[0].endPort"]);
        live["metadata"]["labels"]["a"] = json!("b");
        assert_eq!(found(&live), ["spec.ingress[0].ports[0].endPort", "metadata.labels"]);
        let mut narrower = wanted.clone();
        narrower["spec"]["podSelector"] = json!({ "matchLabels": { "a": "b" } });
        assert_eq!(found(&narrower), ["spec.podSelector.matchLabels"]);
    }
}

//! Does a live object already say all that the wanted one says?

use serde_json::Value;

/// True where every field of `wanted` has the same value in `live`. The API server adds fields
/// (defaults, status, metadata) but drops none, so that a fitting object needs no apply.
pub fn fits(wanted: &Value, live: &Value) -> bool {
    match (wanted, live) {
        (Value::Object(wanted), Value::Object(live)) => wanted.iter().all(|(key, value)| match live.get(key) {
            Some(found) => fits(value, found),
            // The API server leaves out what is empty.
            None => is_empty(value),
        }),
        (Value::Array(wanted), Value::Array(live)) => {
            wanted.len() == live.len() && wanted.iter().zip(live).all(|(wanted, live)| fits(wanted, live))
        }
        (Value::Number(wanted), Value::Number(live)) => wanted.as_f64() == live.as_f64(),
        _ => wanted == live,
    }
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
    use super::fits;
    use serde_json::json;

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
}

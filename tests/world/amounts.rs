//! Amounts of the world in memory: the API server gives them back in its own form.

use serde_json::Value;

/// Rewrites what a container or a volume asks for: `1024Mi` becomes `1Gi`.
pub fn settle(object: &mut Value) {
    match object {
        Value::Object(fields) => {
            for (key, value) in fields {
                match key.as_str() {
                    "limits" | "requests" => {
                        value.as_object_mut().into_iter().flatten().for_each(|(_, one)| shorten(one));
                    }
                    _ => settle(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(settle),
        _ => {}
    }
}

fn shorten(amount: &mut Value) {
    let mebi = amount.as_str().and_then(|text| text.strip_suffix("Mi")?.parse::<u64>().ok());
    if let Some(gibi) = mebi.filter(|mebi| *mebi > 0 && mebi.is_multiple_of(1024)) {
        *amount = format!("{}Gi", gibi / 1024).into();
    }
}

//! Fields of API objects by path: which differ, and how they travel. Pure.

use serde_json::{Map, Value};

use crate::spec::Settings;

/// The fields of `want` that `seen` does not have.
pub(crate) fn differing(want: &Settings, seen: &Settings) -> Vec<&'static str> {
    want.iter().filter(|(path, value)| !is_met(value, seen.get(*path))).map(|(path, _)| *path).collect()
}

/// The fields at `paths` of an answer.
pub(crate) fn found(answer: &Map<String, Value>, paths: impl Iterator<Item = &'static str>) -> Settings {
    let at = |path: &str| match path.split_once('/') {
        Some((object, field)) => answer.get(object)?.get(field),
        None => answer.get(path),
    };
    paths.filter_map(|path| Some((path, at(path)?.clone()))).collect()
}

/// Puts the fields for which `is_sent` holds into a request. Of an object that is sent in part, what `seen` has of it
/// goes along, since the cloud may take what is missing for what is to go.
pub(crate) fn send(
    body: &mut Map<String, Value>,
    want: &Settings,
    seen: &Settings,
    is_sent: impl Fn(&str, &Value) -> bool,
) {
    for (path, value) in want.iter().filter(|(path, value)| is_sent(path, value)) {
        match path.split_once('/') {
            None => drop(body.insert((*path).to_owned(), value.clone())),
            Some((object, field)) => {
                let old = seen.get(object).filter(|v| v.is_object()).cloned();
                let object = body.entry(object).or_insert_with(|| old.unwrap_or_else(|| Map::new().into()));
                if let Value::Object(fields) = object {
                    fields.insert(field.to_owned(), value.clone());
                }
            }
        }
    }
}

/// Whether a value asks for nothing, as does not to send it when an object is made.
pub(crate) fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Object(fields) => fields.values().all(is_off),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_u64() == Some(0),
        Value::Bool(true) => false,
    }
}

/// Whether what was found is as wished; of an object the wished fields count, of a list its items in any order.
fn is_met(want: &Value, seen: Option<&Value>) -> bool {
    let Some(seen) = seen.filter(|v| !v.is_null()) else {
        return is_off(want);
    };
    match (want, seen) {
        (Value::Object(want), Value::Object(seen)) => want.iter().all(|(field, want)| is_met(want, seen.get(field))),
        (Value::Array(want), Value::Array(seen)) => want.len() == seen.len() && want.iter().all(|w| seen.contains(w)),
        _ => want == seen || (want.is_null() && is_off(seen)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_wished_is_compared() {
        let sticky = json!({"type": "SOURCE_IP", "persistence_timeout": 5});
        let seen = json!({"type": "SOURCE_IP", "cookie_name": null, "persistence_timeout": 5});
        for (want, seen, is_same) in [
            (json!(60), json!(60), true),
            (json!(60), json!(300), false),
            (sticky.clone(), seen.clone(), true),
            (sticky.clone(), Value::Null, false),
            (Value::Null, seen, false),
            (Value::Null, Value::Null, true),
            (json!({"enable": false}), Value::Null, true),
            (json!({"enable": false}), json!({"enable": true, "timeout": 30}), false),
            (json!(["a", "b"]), json!(["b", "a"]), true),
            (json!(["a"]), json!(["b", "a"]), false),
            (json!(false), Value::Null, true),
            (json!("cert"), Value::Null, false),
        ] {
            let want = Settings::from([("field", want)]);
            let seen = Settings::from([("field", seen)]);
            assert_eq!(differing(&want, &seen).is_empty(), is_same, "{want:?} {seen:?}");
        }
    }

    #[test]
    fn a_header_travels_with_its_siblings() {
        let answer = json!({"insert_headers": {"X-Real-IP": true, "X-Forwarded-Host": false}});
        let paths = ["insert_headers", "insert_headers/X-Forwarded-Host"];
        let seen = found(answer.as_object().unwrap_or(&Map::new()), paths.into_iter());
        let want = Settings::from([("insert_headers/X-Forwarded-Host", json!(true))]);
        assert_eq!(differing(&want, &seen), ["insert_headers/X-Forwarded-Host"]);
        let mut body = Map::new();
        send(&mut body, &want, &seen, |_, _| true);
        assert_eq!(Value::from(body), json!({"insert_headers": {"X-Real-IP": true, "X-Forwarded-Host": true}}));
    }
}

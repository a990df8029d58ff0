//! The state of everything, without what differs from run to run.

use std::collections::BTreeMap;

use serde_json::Value;

/// Fields that hold moments, versions, or what somebody else keeps in them.
const MASKED: &[&str] = &[
    "creationTimestamp",
    "lastTransitionTime",
    "managedFields",
    "resourceVersion",
    "created_at",
    "updated_at",
    "deletionTimestamp",
];

/// The Service, if it is there, and the cloud, as text.
pub fn state(service: Option<Value>, mut ledger: BTreeMap<String, Value>, touched: &str) -> String {
    let mut service = service.unwrap_or_default();
    if let Some(annotations) = service["metadata"]["annotations"].as_object_mut() {
        annotations.remove(touched);
    }
    let name = service["metadata"]["name"].as_str().map(str::to_owned);
    let uid = service["metadata"]["uid"].as_str().map(str::to_owned);
    let mask = |value: &mut Value| {
        mask(value, &|text| {
            let text = name.iter().fold(text.to_owned(), |text, name| text.replace(name, "{service}"));
            uid.iter().fold(text, |text, uid| text.replace(uid, "{uid}"))
        });
    };
    mask(&mut service);
    let mut text = format!("service {service}");
    for (kind, objects) in &mut ledger {
        mask(objects);
        text += &format!("\n{kind} {objects}");
    }
    text
}

fn mask(value: &mut Value, name: &impl Fn(&str) -> String) {
    match value {
        Value::Object(fields) => {
            fields.retain(|key, _| !MASKED.contains(&key.as_str()));
            fields.values_mut().for_each(|field| mask(field, name));
        }
        Value::Array(items) => {
            items.iter_mut().for_each(|item| mask(item, name));
            items.sort_by_key(Value::to_string);
        }
        Value::String(text) => *text = words(&name(text)),
        _ => {}
    }
}

/// Ids and addresses that the cloud or the API server chose, wherever in a text.
fn words(text: &str) -> String {
    let part_of_word = |c: char| c.is_ascii_alphanumeric() || "-.:".contains(c);
    let mut masked = String::new();
    let mut rest = text;
    while let Some(begin) = rest.find(part_of_word) {
        masked += &rest[..begin];
        rest = &rest[begin..];
        let end = rest.find(|c| !part_of_word(c)).unwrap_or(rest.len());
        let word = rest[..end].trim_end_matches(['.', ':']);
        masked += match word {
            _ if word.len() == 36 && word.bytes().filter(|b| *b == b'-').count() == 4 => "{id}",
            // The nodes' addresses are the lab's and stay the same.
            _ if word.parse::<std::net::IpAddr>().is_ok() && !word.starts_with("10.200.") => "{address}",
            _ => word,
        };
        masked += &rest[word.len()..end];
        rest = &rest[end..];
    }
    masked + rest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn two_runs_that_did_the_same_look_the_same() {
        let run = |name: &str, uid: &str, address: &str, members: [&str; 2]| {
            let service = json!({"metadata": {"name": name, "uid": uid, "annotations": {"touched": name}},
                                 "status": {"message": format!("{name} is at {address}.")}});
            let ledger =
                BTreeMap::from([("members".to_owned(), json!(members.map(|m| json!({"address": m, "of": uid}))))]);
            state(Some(service), ledger, "touched")
        };
        let (one, two) = ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002");
        let first = run("a-1", one, "203.0.113.1", ["10.200.16.1", "10.200.16.2"]);
        assert_eq!(first, run("b-2", two, "203.0.113.9", ["10.200.16.2", "10.200.16.1"]));
        assert_ne!(first, run("b-2", two, "203.0.113.9", ["10.200.16.2", "10.200.16.3"]));
        assert!(first.contains("{service} is at {address}."), "{first}");
    }

    #[test]
    fn words_are_found_in_the_middle_of_text() {
        assert_eq!(words("id=00000000-0000-4000-8000-000000000001,port 80"), "id={id},port 80");
        assert_eq!(words("10.200.16.1 and 10.96.0.7: both"), "10.200.16.1 and {address}: both");
    }
}

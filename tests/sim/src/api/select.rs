//! Label and field selectors.

use serde_json::Value;

use super::metadata::is_qualified_name;
use super::refusal::Refusal;
use super::route::parameter;

/// What objects have to fulfil.
#[derive(Default)]
pub struct Selector {
    labels: Vec<Label>,
    /// Field, whether it must be equal, value.
    fields: Vec<(String, bool, String)>,
}

enum Label {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

impl Selector {
    /// Reads `labelSelector` and `fieldSelector` of a query.
    pub fn of(query: &str) -> Result<Self, Refusal> {
        let text = |name| parameter(query, name).map(decode).unwrap_or_default();
        let labels = split(&text("labelSelector")).iter().map(|part| label(part)).collect::<Result<_, _>>()?;
        let fields = split(&text("fieldSelector")).iter().map(|part| field(part)).collect::<Result<_, _>>()?;
        Ok(Self { labels, fields })
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub fn matches(&self, object: &Value) -> bool {
        let value = |key: &str| object["metadata"]["labels"][key].as_str();
        let among = |key: &str, values: &[String]| value(key).is_some_and(|value| values.iter().any(|v| v == value));
        let label = |label: &Label| match label {
            Label::In(key, values) => among(key, values),
            Label::NotIn(key, values) => !among(key, values),
            Label::Exists(key) => value(key).is_some(),
            Label::Missing(key) => value(key).is_none(),
        };
        let field = |(field, equal, value): &(String, bool, String)| {
            (object["metadata"][field.as_str()].as_str() == Some(value.as_str())) == *equal
        };
        self.labels.iter().all(label) && self.fields.iter().all(field)
    }
}

/// At commas outside parentheses.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        match parts.last_mut() {
            Some(part) if c != ',' || depth > 0 => part.push(c),
            _ => parts.push(String::new()),
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn label(part: &str) -> Result<Label, Refusal> {
    let part = part.trim();
    let list = |values: &str| values.trim_end_matches(')').split(',').map(|v| v.trim().to_owned()).collect();
    let one = |value: &str| vec![value.trim_start_matches('=').trim().to_owned()];
    let own = |key: &str| key.trim().to_owned();
    let label = if let Some((key, values)) = part.split_once(" notin (") {
        Label::NotIn(own(key), list(values))
    } else if let Some((key, values)) = part.split_once(" in (") {
        Label::In(own(key), list(values))
    } else if let Some((key, value)) = part.split_once("!=") {
        Label::NotIn(own(key), one(value))
    } else if let Some((key, value)) = part.split_once('=') {
        Label::In(own(key), one(value))
    } else if let Some(key) = part.strip_prefix('!') {
        Label::Missing(own(key))
    } else {
        Label::Exists(own(part))
    };
    let (Label::In(key, _) | Label::NotIn(key, _) | Label::Exists(key) | Label::Missing(key)) = &label;
    if is_qualified_name(key) {
        return Ok(label);
    }
    Err(Refusal::bad_request(format!("unable to parse requirement {part:?}")))
}

fn field(part: &str) -> Result<(String, bool, String), Refusal> {
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    let (name, equal) = name.strip_suffix('!').map_or((name, true), |name| (name, false));
    match name.strip_prefix("metadata.") {
        Some(field @ ("name" | "namespace")) => Ok((field.to_owned(), equal, value.trim_start_matches('=').to_owned())),
        _ => Err(Refusal::bad_request(format!("field label not supported: {name}"))),
    }
}

/// Undoes percent encoding.
fn decode(text: &str) -> String {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(code) => {
                decoded.push(char::from(code));
                decoded.push_str(&part[2..]);
            }
            None => decoded.push_str(part),
        }
    }
    decoded
}

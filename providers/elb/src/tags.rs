//! `elb.tags`: `k=v,k2=v2`, or a JSON object.

use ferrolb_provider::Problem;
use serde_json::Value;

use crate::json;
use crate::keys::TAGS;
use crate::parse::read::problem;
use crate::spec::Tags;

const EXAMPLE: &str = r#"{"team":"web","stage":"production"}"#;
const FORM: &str =
    "team=web,stage=production: at most 20, keys of 1 to 128 characters, values of at most 255, none of = * < > \\ , |";
/// Tags that an object can have.
const MOST: usize = 20;

/// Reads the value of the annotation. `None` where a problem was found.
pub(crate) fn parse(text: &str, errors: &mut Vec<Problem>) -> Option<Tags> {
    let before = errors.len();
    let tags = if text.trim_start().starts_with(['{', '\'']) { of_json(text, errors) } else { of_list(text, errors) };
    for (key, value) in &tags {
        let fits = (1..=128).contains(&key.chars().count()) && value.chars().count() <= 255;
        if !fits || [key, value].iter().any(|t| t.contains(['=', '*', '<', '>', '\\', ',', '|'])) {
            errors.push(problem(TAGS, format!("\"{key}={value}\" is not a tag"), FORM));
        }
    }
    if tags.len() > MOST {
        errors.push(problem(TAGS, format!("{} are too many", tags.len()), FORM));
    }
    (errors.len() == before).then_some(tags)
}

fn of_list(text: &str, errors: &mut Vec<Problem>) -> Tags {
    let mut tags = Tags::new();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        add(&mut tags, key.trim(), value.trim(), errors);
    }
    tags
}

fn of_json(text: &str, errors: &mut Vec<Problem>) -> Tags {
    let mut tags = Tags::new();
    let map = match json::object(TAGS, text, EXAMPLE) {
        Ok(map) => map,
        Err(problem) => {
            errors.push(problem);
            return tags;
        }
    };
    for (key, value) in &map {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            other => {
                let message = format!("{} is not a text", json::shown(other));
                errors.push(Problem { at: format!("$.{key}"), ..problem(TAGS, message, "a text in double quotes") });
                continue;
            }
        };
        add(&mut tags, key, &text, errors);
    }
    tags
}

fn add(tags: &mut Tags, key: &str, value: &str, errors: &mut Vec<Problem>) {
    let before = tags.insert(key.to_owned(), value.to_owned());
    if let Some(before) = before.filter(|before| before != value) {
        errors.push(problem(TAGS, format!("{key} is given twice: {before} and {value}"), "each key once"));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<(String, String)>, Vec<String>> {
        let mut errors = Vec::new();
        match parse(text, &mut errors) {
            Some(tags) => Ok(tags.into_iter().collect()),
            None => Err(errors.iter().map(ToString::to_string).collect()),
        }
    }

    fn pairs(pairs: &[(&str, &str)]) -> Result<Vec<(String, String)>, Vec<String>> {
        Ok(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn both_forms_are_read() {
        let two = pairs(&[("stage", "prod"), ("team", "web")]);
        assert_eq!(parsed("team=web,stage=prod"), two);
        assert_eq!(parsed(" team = web , stage=prod, "), two);
        assert_eq!(parsed(r#"{"team":"web","stage":"prod"}"#), two);
        assert_eq!(parsed("marker"), pairs(&[("marker", "")]));
        assert_eq!(parsed(r#"{"count":3}"#), pairs(&[("count", "3")]));
        assert_eq!(parsed(""), pairs(&[]));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, part) in [
            ("=web", "\"=web\" is not a tag"),
            ("a=b=c", "\"a=b=c\" is not a tag"),
            ("a=1,a=2", "a is given twice: 1 and 2"),
            (r#"{"a":"<b>"}"#, "\"a=<b>\" is not a tag"),
            (r#"{"a":["b"]}"#, "at $.a: "),
            ("{", "not valid JSON"),
        ] {
            let said = parsed(text).unwrap_err();
            assert!(said.iter().any(|s| s.contains(part)), "{text}: {said:?}");
        }
        let many: Vec<String> = (0..21).map(|n| format!("k{n}=v")).collect();
        assert!(parsed(&many.join(",")).unwrap_err()[0].contains("21 are too many"));
    }
}

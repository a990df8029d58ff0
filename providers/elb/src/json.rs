//! JSON in annotations: what is wrong with it, where, and what was probably meant.

use ferrolb_provider::Problem;
use serde_json::{Map, Value};

/// Bytes shown on either side of a mistake.
const AROUND: usize = 24;

/// The object in `text`. `example` shows what would be right.
///
/// # Errors
/// What is wrong, with line and column, the text around it and a hint where the mistake is a usual one.
pub(crate) fn object(option: &str, text: &str, example: &str) -> Result<Map<String, Value>, Problem> {
    match value(option, text, &format!("a JSON object such as {example}"))? {
        Value::Object(map) => Ok(map),
        other => Err(Problem {
            option: option.to_owned(),
            at: String::new(),
            message: format!("{} is not a JSON object", shown(&other)),
            valid: wrapped(&other).unwrap_or_else(|| format!("a JSON object such as {example}")),
        }),
    }
}

/// The array in `text`.
///
/// # Errors
/// As [`object`].
pub(crate) fn array(option: &str, text: &str, example: &str) -> Result<Vec<Value>, Problem> {
    match value(option, text, &format!("a JSON array such as {example}"))? {
        Value::Array(items) => Ok(items),
        other => Err(Problem {
            option: option.to_owned(),
            at: String::new(),
            message: format!("{} is not a JSON array", shown(&other)),
            valid: format!("a JSON array such as {example}"),
        }),
    }
}

/// A number, which CCE writes as a text and the open controller as a number.
pub(crate) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64(),
    }
}

fn value(option: &str, text: &str, valid: &str) -> Result<Value, Problem> {
    let problem = |at: String, message: String, hint: Option<String>| Problem {
        option: option.to_owned(),
        at,
        message,
        valid: hint.unwrap_or_else(|| valid.to_owned()),
    };
    if text.trim().is_empty() {
        return Err(problem(String::new(), "the value is empty".to_owned(), None));
    }
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = place(text, error.line(), error.column());
        let at = offset(text, line, column);
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        problem(
            format!("line {line} column {column}"),
            format!("not valid JSON: {what} near `{}`", excerpt(text, at)),
            hint(text, at, what),
        )
    })
}

/// A value as an error message shows it, not longer than a line.
pub(crate) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The hint for a JSON object inside a JSON string.
fn wrapped(value: &Value) -> Option<String> {
    let inner = value.as_str()?;
    serde_json::from_str::<Map<String, Value>>(inner).ok()?;
    Some("the whole value is wrapped in one pair of quotes too many: write the object itself".into())
}

/// What was probably meant, for the mistakes that occur in practice.
fn hint(text: &str, at: usize, what: &str) -> Option<String> {
    let trimmed = text.trim();
    if trimmed.starts_with('\'') || (trimmed.starts_with("\"{") && trimmed.ends_with("}\"")) {
        return Some(
            "the whole value is wrapped in quotes: inside a `|` or `>-` block of YAML write the object without them"
                .into(),
        );
    }
    if text.contains(['\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}']) {
        return Some("typographic quotes are not JSON: write \" instead".into());
    }
    if what.starts_with("EOF while parsing a string") {
        return Some("a quote is missing: a text is opened with \" and never closed".into());
    }
    if what.starts_with("control character") {
        return Some("a quote is missing before the end of the line: a text cannot go on in the next one".into());
    }
    if what.starts_with("EOF") {
        return Some("the end is missing: a closing `}` or `]`".into());
    }
    let before = text.get(..at)?.trim_end();
    if what.starts_with("expected `,` or `}`")
        && let Some(text) = before.strip_suffix('"')
    {
        let word = text.rsplit('"').next().unwrap_or_default();
        if let Some(word) = word.trim_end().strip_suffix(',') {
            return Some(format!("a quote is missing: write \"{word}\", with a closing quote before the comma"));
        }
    }
    if what.starts_with("key must be a string") {
        return Some("names of fields are written in double quotes".into());
    }
    if what.starts_with("expected value") && text.get(at..)?.starts_with('\'') {
        return Some("texts are written in double quotes, not in single ones".into());
    }
    None
}

/// A line break in a text is reported as column 0 of the next line; people look for it at the end of its own.
fn place(text: &str, line: usize, column: usize) -> (usize, usize) {
    match text.lines().nth(line.saturating_sub(2)) {
        Some(previous) if column == 0 && line > 1 => (line - 1, previous.len() + 1),
        _ => (line, column),
    }
}

/// Byte offset of serde_json's position, which counts from one and in bytes.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (start + column.saturating_sub(1)).min(text.len())
}

/// The text around a byte offset, on one line.
fn excerpt(text: &str, at: usize) -> String {
    let mut from = at.saturating_sub(AROUND);
    while !text.is_char_boundary(from) {
        from -= 1;
    }
    let mut to = (at + AROUND).min(text.len());
    while !text.is_char_boundary(to) {
        to += 1;
    }
    let inner = text[from..to].replace(['\n', '\r'], " ");
    let left = if from > 0 { "…" } else { "" };
    let right = if to < text.len() { "…" } else { "" };
    format!("{left}{inner}{right}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> Problem {
        object("key", text, r#"{"type":"inner"}"#).expect_err("it is broken")
    }

    #[test]
    fn broken_values_are_located_and_explained() {
        let cases = [
            (
                r#"{"type":"public","bandwidth_chargemode":"traffic,"bandwidth_size":5}"#,
                "line 1 column 51",
                "expected `,` or `}`",
                r#"write "traffic", with a closing quote"#,
            ),
            ("{\n  \"type\": \"public\",\n  \"name\": \"james\n}", "line 3 column 17", "control character", ""),
            (r#"{"type":"public"#, "line 1 column 15", "EOF", "never closed"),
            (r#"{"type":"public""#, "line 1 column 16", "EOF", "closing `}`"),
            (r#"'{"type":"inner"}'"#, "line 1 column 1", "expected value", "wrapped in quotes"),
            (r#"{'type':'inner'}"#, "line 1 column 2", "key must be a string", "double quotes"),
            ("{“type”:“inner”}", "line 1 column 2", "key must be a string", "typographic"),
            (r#"{"type":"inner",}"#, "line 1 column 17", "trailing comma", ""),
            (" ", "", "is empty", r#"such as {"type":"inner"}"#),
        ];
        for (text, at, message, valid) in cases {
            let found = problem(text);
            assert_eq!(found.at, at, "{text}: {found}");
            assert!(found.message.contains(message), "{text}: {found}");
            assert!(found.valid.contains(valid), "{text}: {found}");
        }
    }

    #[test]
    fn valid_json_of_another_kind_is_explained() {
        let flag = problem("true");
        assert_eq!(flag.message, "true is not a JSON object");
        assert!(flag.valid.contains(r#"{"type":"inner"}"#));
        let wrapped = problem(r#""{\"type\":\"inner\"}""#);
        assert!(wrapped.valid.contains("one pair of quotes too many"));
    }

    #[test]
    fn the_excerpt_shows_the_place_and_keeps_characters_whole() {
        let text = format!(r#"{{"name":"{}", oops"#, "é".repeat(40));
        let found = problem(&text);
        assert!(found.message.contains("oops"), "{found}");
        assert!(found.message.contains('…'), "{found}");
    }
}

//! The reference page of the annotations, from the table that the parser reads.

use std::fmt::Write;

use crate::keys::{Form, KEYS, Key, Support};

/// The page as Markdown.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Annotations\n\n\
         Generated from `providers/elb/src/keys.rs`. Keys that are not in these tables lead to a warning on the\n\
         Service that names the nearest known one; they stop nothing.\n",
    );
    let sections = [
        (Support::Acts, "Acted on"),
        (Support::Later, "Known, not yet acted on: a warning on the Service says so"),
        (Support::Inert, "Known and without effect: written by a controller, or without meaning here"),
    ];
    for (support, title) in sections {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## {title}\n\n| Key | Meaning | Value | Without it |\n|---|---|---|---|\n");
        for key in KEYS.iter().filter(|k| k.support == support) {
            let _ = writeln!(page, "| `{}` | {} | {} | {} |", key.name, key.meaning, value(key), key.default);
        }
    }
    page
}

fn value(key: &Key) -> String {
    match key.form {
        Form::Text => "text".into(),
        Form::Id => "an id".into(),
        Form::OneOf(words) => words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", "),
        Form::Switch => "`true`, `false`".into(),
        Form::Integer(least, most) => format!("{least} to {most}"),
        Form::Json => "a JSON object".into(),
        Form::JsonList => "a JSON array".into(),
        Form::List => "values separated by commas".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_line() {
        let page = markdown();
        for key in KEYS {
            assert_eq!(page.matches(&format!("| `{}` |", key.name)).count(), 1, "{}", key.name);
        }
    }
}

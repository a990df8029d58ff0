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
        (Support::Refused, "Refused: ignoring it would do the opposite of what it asks"),
        (Support::Later, "Known, not yet acted on: a warning on the Service says so"),
        (Support::Inert, "Known and without effect: written by a controller, or without meaning here"),
    ];
    for (support, title) in sections {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## {title}\n\n");
        if support == Support::Refused {
            page.push_str(REFUSED);
        }
        let _ = write!(page, "| Key | Meaning | Value | Without it |\n|---|---|---|---|\n");
        for key in KEYS.iter().filter(|k| k.support == support) {
            let _ = writeln!(page, "| `{}` | {} | {} | {} |", key.name, key.meaning, value(key), key.default);
        }
    }
    page
}

/// Not every value is refused.
const REFUSED: &str = "\
For a Service with one of these nothing is made or changed, and it says so. Values that ask for nothing are fine: an\n\
empty one, `acl-id` beside `acl-status: off`, `instance-reclaim-policy: alwaysDelete`, `keep-eip: false`; and with\n\
`elb.id` the load balancer and its EIP stay anyway.\n\n";

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
    #[test]
    fn what_is_refused_has_a_section_that_names_it() {
        let page = markdown();
        let (_, rest) =
            page.split_once("## Refused: ignoring it would do the opposite of what it asks").unwrap_or_default();
        let (section, _) = rest.split_once("\n## ").unwrap_or_default();
        let keys = KEYS.iter().filter(|k| k.support == Support::Refused);
        for key in keys {
            assert!(section.contains(&format!("| `{}` |", key.name)), "{section}");
        }
        assert_eq!(section.matches("\n| `").count(), 4, "{section}");
    }
}

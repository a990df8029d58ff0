//! Reads single options in the form that the table of keys gives them.

use ferrolb_provider::{Options, Problem};
use serde_json::{Value, json};

use crate::autocreate::is_id;
use crate::keys::{Form, Key, find};
use crate::spec::Class;

/// Options, and what was found wrong with them.
pub(crate) struct Reader<'a> {
    pub(crate) options: &'a Options,
    pub(crate) errors: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(options: &'a Options) -> Self {
        Self { options, errors: Vec::new(), warnings: Vec::new() }
    }

    /// The value without blanks around it; the empty one counts as none.
    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        self.options.get(key).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// The same of a key that needs a dedicated load balancer; where it is known to be none, a warning instead.
    pub(crate) fn text_for_dedicated(&mut self, key: &str, class: Option<Class>) -> Option<&'a str> {
        let text = self.text(key)?;
        if class == Some(Class::Shared) {
            self.warn(
                key,
                "without effect: it needs a dedicated load balancer",
                "kubernetes.io/elb.class: performance",
            );
            return None;
        }
        Some(text)
    }

    pub(crate) fn error(&mut self, key: &str, message: impl Into<String>, valid: impl Into<String>) {
        self.errors.push(problem(key, message, valid));
    }

    pub(crate) fn warn(&mut self, key: &str, message: impl Into<String>, valid: impl Into<String>) {
        self.warnings.push(problem(key, message, valid));
    }

    pub(crate) fn switch(&mut self, name: &str) -> Option<bool> {
        self.value(find(name)?)?.as_bool()
    }

    pub(crate) fn number(&mut self, name: &str) -> Option<u64> {
        self.value(find(name)?)?.as_u64()
    }

    pub(crate) fn word(&mut self, name: &str) -> Option<String> {
        self.value(find(name)?)?.as_str().map(str::to_owned)
    }

    /// The ids in a value; `None` where there are none, or wrong ones.
    pub(crate) fn list(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.value(find(name)?)?;
        let ids = value.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned);
        Some(ids.collect::<Vec<_>>()).filter(|ids| !ids.is_empty())
    }

    /// The value of a key of a plain form; `None` where there is none, or a wrong one.
    pub(crate) fn value(&mut self, key: &Key) -> Option<Value> {
        let text = self.text(key.name)?;
        let read = match key.form {
            Form::Switch if text.eq_ignore_ascii_case("true") => Some(json!(true)),
            Form::Switch if text.eq_ignore_ascii_case("false") => Some(json!(false)),
            Form::Integer(least, most) | Form::Seconds(least, most) => {
                text.parse().ok().filter(|n: &u32| (least..=most).contains(n)).map(|n| json!(n))
            }
            Form::OneOf(words) => words.iter().find(|w| w.eq_ignore_ascii_case(text)).map(|w| json!(w)),
            Form::Id => is_id(text).then(|| json!(text)),
            Form::Word => is_word(text).then(|| json!(text)),
            Form::Ids => {
                let ids: Vec<&str> = text.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
                ids.iter().all(|id| is_id(id)).then(|| json!(ids))
            }
            Form::Text | Form::List => Some(json!(text)),
            Form::Switch | Form::Json | Form::JsonList => None,
        };
        if read.is_none() {
            self.error(key.name, format!("\"{text}\" is not valid"), key.form.valid());
        }
        read
    }
}

pub(crate) fn problem(key: &str, message: impl Into<String>, valid: impl Into<String>) -> Problem {
    Problem { option: key.to_owned(), at: String::new(), message: message.into(), valid: valid.into() }
}

fn is_word(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

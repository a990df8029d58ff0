//! A call as handlers see it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::fields::Fields;
use crate::state::{Cloud, Refusal};

/// What a handler works on.
pub struct Context<'a> {
    pub cloud: &'a mut Cloud,
    pub now: Timestamp,
    /// How far lists lag behind.
    pub lag: SignedDuration,
}

/// A parsed call.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Values of the template's placeholders, in order, without the project id.
    pub params: Vec<String>,
    pub query: Query,
    pub body: Value,
}

/// The query, decoded, in the order it came.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query(pub Vec<(String, String)>);

impl Request {
    /// The n-th placeholder. The route table guarantees that it is there.
    pub fn param(&self, index: usize) -> &str {
        self.params.get(index).map_or("", String::as_str)
    }

    /// The object under `key`, as every body has one.
    pub fn object(&self, key: &'static str) -> Result<Fields<'_>, Refusal> {
        match self.body.get(key) {
            None | Some(Value::Null) => Err(Refusal::Missing(key)),
            Some(Value::Object(map)) => Ok(Fields::new(map)),
            Some(_) => Err(Refusal::invalid(key, "it must be an object")),
        }
    }

    /// The list of objects under `key`.
    pub fn objects(&self, key: &'static str) -> Result<Vec<&Map<String, Value>>, Refusal> {
        let list = self.body.get(key).ok_or(Refusal::Missing(key))?;
        let objects = list.as_array().and_then(|items| items.iter().map(Value::as_object).collect::<Option<Vec<_>>>());
        objects.ok_or_else(|| Refusal::invalid(key, "it must be a list of objects"))
    }
}

impl Query {
    pub fn first(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(k, _)| k == key).map(|(_, v)| v.as_str())
    }
}

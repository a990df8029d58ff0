//! Typed reading of a JSON object, with refusals that name the field.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::state::{Refusal, Tag};

/// A JSON object of a request body.
pub struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub fn new(map: &'a Map<String, Value>) -> Self {
        Self(map)
    }

    /// Present, even as null.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Present and not null.
    pub fn value(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    pub fn text(&self, key: &str, max: usize) -> Result<Option<String>, Refusal> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| wrong(key, value, "a string"))?;
        let length = text.chars().count();
        if length > max {
            return Err(Refusal::invalid(key, format!("{length} characters, at most {max} are allowed")));
        }
        Ok(Some(text.to_owned()))
    }

    /// An id: an empty one counts as absent.
    pub fn id(&self, key: &str) -> Result<Option<String>, Refusal> {
        Ok(self.text(key, 36)?.filter(|id| !id.is_empty()))
    }

    pub fn name(&self) -> Result<Option<String>, Refusal> {
        self.text("name", 255)
    }

    pub fn description(&self) -> Result<Option<String>, Refusal> {
        self.text("description", 255)
    }

    pub fn int(&self, key: &str, range: RangeInclusive<u32>) -> Result<Option<u32>, Refusal> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let number = value.as_i64().ok_or_else(|| wrong(key, value, "an integer"))?;
        let fits = u32::try_from(number).ok().filter(|number| range.contains(number));
        fits.map(Some).ok_or_else(|| {
            Refusal::invalid(key, format!("'{number}' is not in the range {}-{}", range.start(), range.end()))
        })
    }

    pub fn port(&self, key: &str) -> Result<Option<u16>, Refusal> {
        Ok(self.int(key, 1..=65535)?.and_then(|port| u16::try_from(port).ok()))
    }

    pub fn flag(&self, key: &str) -> Result<Option<bool>, Refusal> {
        let Some(value) = self.value(key) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| wrong(key, value, "a boolean"))
    }

    pub fn texts(&self, key: &str) -> Result<Option<Vec<String>>, Refusal> {
        self.parse(key)
    }

    pub fn tags(&self) -> Result<Vec<Tag>, Refusal> {
        Ok(self.parse("tags")?.unwrap_or_default())
    }

    pub fn address(&self, key: &str) -> Result<Option<IpAddr>, Refusal> {
        match self.value(key) {
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            _ => self.parse(key),
        }
    }

    /// Any type that knows how to read itself: enumerations, tags, nested objects.
    pub fn parse<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Refusal> {
        let Some(value) = self.value(key) else { return Ok(None) };
        T::deserialize(value).map(Some).map_err(|error| Refusal::invalid(key, format!("'{value}': {error}")))
    }

    pub fn object(&self, key: &str) -> Result<Option<Fields<'a>>, Refusal> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Fields(map))),
            Some(value) => Err(wrong(key, value, "an object")),
        }
    }

    /// The fields of `keys` that are present, as they are.
    pub fn copy(&self, keys: &[&str]) -> Map<String, Value> {
        keys.iter().filter_map(|key| self.0.get(*key).map(|value| ((*key).to_owned(), value.clone()))).collect()
    }
}

/// Turns an absent required field into a refusal.
pub fn need<T>(key: &'static str, value: Option<T>) -> Result<T, Refusal> {
    value.ok_or(Refusal::Missing(key))
}

fn wrong(key: &str, value: &Value, expected: &str) -> Refusal {
    Refusal::invalid(key, format!("'{value}' is not {expected}"))
}

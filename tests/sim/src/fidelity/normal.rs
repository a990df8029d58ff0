//! What two servers answer alike although no two answers are the same: UIDs, versions, times, addresses and ports
//! become their place in the order in which a case met them, so that equality and order still count.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Reasons of refusals whose words are compared as well.
const TOLD: &[&str] = &["AlreadyExists", "Conflict", "MethodNotAllowed", "NotFound"];

/// What a case's answers are masked by.
pub struct Masks<'a> {
    /// Becomes `NS`.
    pub namespace: &'a str,
    /// Steps as they were sent: what a case wrote itself is never masked.
    pub written: String,
    uids: Vec<String>,
    versions: Vec<u64>,
    addresses: Vec<String>,
    ports: Vec<i64>,
    /// Names that the server made up, and what they stand for.
    names: BTreeMap<String, String>,
}

impl<'a> Masks<'a> {
    pub fn new(namespace: &'a str, written: String) -> Self {
        let (uids, addresses, ports) = (Vec::new(), Vec::new(), Vec::new());
        Self { namespace, written, uids, versions: Vec::new(), addresses, ports, names: BTreeMap::new() }
    }

    /// Notes what there is to be masked in an answer.
    pub fn meet(&mut self, answer: &Value) {
        match answer {
            // Not what somebody asked for in vain.
            Value::Object(_) if answer["status"] == "Failure" => {}
            Value::Object(map) => {
                // What a list or a bookmark says of itself is no version of an object.
                let whole = map.contains_key("items") || is_bookmark(answer);
                self.meet_metadata(&answer["metadata"], whole);
                for (key, value) in map {
                    match (key.as_str(), value) {
                        ("uid", Value::String(uid)) if uid.len() == 36 => remember(&mut self.uids, uid.clone()),
                        ("clusterIP", Value::String(ip)) if ip.parse::<std::net::IpAddr>().is_ok() => {
                            remember(&mut self.addresses, ip.clone());
                        }
                        ("nodePort" | "healthCheckNodePort", Value::Number(port)) => {
                            remember(&mut self.ports, port.as_i64().unwrap_or_default());
                        }
                        _ => self.meet(value),
                    }
                }
            }
            Value::Array(list) => list.iter().for_each(|value| self.meet(value)),
            _ => {}
        }
    }

    fn meet_metadata(&mut self, metadata: &Value, whole: bool) {
        let version = metadata["resourceVersion"].as_str().and_then(|v| v.parse().ok());
        if let Some(version) = version.filter(|_| !whole) {
            self.versions.push(version);
            self.versions.sort_unstable();
            self.versions.dedup();
        }
        if let (Some(name), Some(from)) = (metadata["name"].as_str(), metadata["generateName"].as_str())
            && let Some(suffix) = name.strip_prefix(from)
        {
            self.names.insert(name.to_owned(), format!("{from}{}", "?".repeat(suffix.len())));
        }
    }

    /// The answer without what differs between any two servers.
    pub fn mask(&self, answer: &Value) -> Value {
        match answer {
            Value::Object(_) if answer["status"] == "Failure" => self.mask_refusal(answer),
            Value::Object(map) => {
                let whole = map.contains_key("items") || is_bookmark(answer);
                let fields = map.iter().filter(|(key, _)| *key != "managedFields");
                let masked = fields.map(|(key, value)| {
                    let value = match (key.as_str(), value) {
                        ("metadata", Value::Object(_)) if whole => self.mask_whole(value),
                        ("resourceVersion", Value::String(version)) => self.version(version),
                        ("uid", Value::String(uid)) => self.place("uid", &self.uids, uid),
                        ("clusterIP", Value::String(ip)) => self.place("address", &self.addresses, ip),
                        ("clusterIPs", Value::Array(ips)) => {
                            let ips = ips.iter().map(|ip| self.place("address", &self.addresses, text(ip)));
                            Value::Array(ips.collect())
                        }
                        ("nodePort" | "healthCheckNodePort", Value::Number(port)) => {
                            self.place("port", &self.ports, &port.as_i64().unwrap_or_default())
                        }
                        ("creationTimestamp" | "deletionTimestamp", Value::String(time)) => {
                            json!(if time.parse::<jiff::Timestamp>().is_ok() { "time" } else { time })
                        }
                        ("continue", Value::String(token)) if !token.is_empty() => json!("token"),
                        ("message", Value::String(message)) => json!(self.message(message)),
                        _ => self.mask(value),
                    };
                    (key.clone(), value)
                });
                Value::Object(masked.collect())
            }
            Value::Array(list) => Value::Array(list.iter().map(|value| self.mask(value)).collect()),
            Value::String(text) => json!(self.text(text)),
            other => other.clone(),
        }
    }

    /// Of a refusal the words count only where they name no rule of Go or of a schema: a client acts on status, reason
    /// and fields.
    fn mask_refusal(&self, refusal: &Value) -> Value {
        let mut masked = refusal.clone();
        if !TOLD.contains(&refusal["reason"].as_str().unwrap_or_default()) {
            masked["message"] = Value::Null;
        } else if let Value::String(message) = &refusal["message"] {
            masked["message"] = json!(self.message(message));
        }
        for key in ["name", "uid"] {
            if let Value::String(name) = &refusal["details"][key] {
                masked["details"][key] = json!(self.message(name));
            }
        }
        if let Value::Array(causes) = &refusal["details"]["causes"] {
            let field = |cause: &Value| json!({"field": cause["field"], "reason": cause["reason"]});
            let mut causes: Vec<Value> = causes.iter().map(field).collect();
            causes.sort_by_key(Value::to_string);
            causes.dedup();
            masked["details"]["causes"] = Value::Array(causes);
        }
        masked
    }

    /// What a list or a bookmark says of itself: that it is at least as new as every object that was met.
    fn mask_whole(&self, metadata: &Value) -> Value {
        let mut masked = self.mask(metadata);
        let version = metadata["resourceVersion"].as_str().and_then(|v| v.parse::<u64>().ok());
        if let Some(version) = version {
            let newest = self.versions.last().copied().unwrap_or_default();
            masked["resourceVersion"] = json!(if version >= newest { "newest" } else { "older" });
        }
        masked
    }

    fn version(&self, version: &str) -> Value {
        let place = version.parse().ok().and_then(|v: u64| self.versions.binary_search(&v).ok());
        place.map_or_else(|| json!(version), |place| json!(format!("version {}", place + 1)))
    }

    fn place<T: PartialEq + std::fmt::Display>(&self, what: &str, met: &[T], value: &T) -> Value {
        match met.iter().position(|other| other == value) {
            Some(place) if !self.written.contains(&value.to_string()) => json!(format!("{what} {}", place + 1)),
            _ => json!(value.to_string()),
        }
    }

    fn text(&self, text: &str) -> String {
        let text = text.replace(self.namespace, "NS");
        self.names.iter().fold(text, |text, (name, mask)| text.replace(name.as_str(), mask))
    }

    /// Known values by their place; a number of several digits that the case did not write is the server's own.
    fn message(&self, message: &str) -> String {
        let mut masked = self.text(message);
        for (place, uid) in self.uids.iter().enumerate() {
            masked = masked.replace(uid, &format!("uid {}", place + 1));
        }
        let digits = |c: char| c.is_ascii_digit();
        let mut result = String::new();
        while let Some(start) = masked.find(digits) {
            let end = masked[start..].find(|c| !digits(c)).map_or(masked.len(), |length| start + length);
            let number = &masked[start..end];
            result.push_str(&masked[..start]);
            result.push_str(if number.len() > 2 && self.is_own(number) { "#" } else { number });
            masked = masked[end..].to_owned();
        }
        result + &masked
    }

    /// A version or a port that the server chose.
    fn is_own(&self, number: &str) -> bool {
        let port = number.parse().is_ok_and(|port| self.ports.contains(&port));
        let version = number.parse().is_ok_and(|version: u64| version >= 1000 && !(30_000..=32_767).contains(&version));
        !self.written.contains(number) && (port || version)
            || number.parse().is_ok_and(|version| self.versions.binary_search(&version).is_ok())
    }
}

fn is_bookmark(object: &Value) -> bool {
    object["metadata"].is_object() && object["metadata"]["name"].is_null() && object["metadata"]["uid"].is_null()
}

fn remember<T: PartialEq>(met: &mut Vec<T>, value: T) {
    if !met.contains(&value) {
        met.push(value);
    }
}

fn text(value: &Value) -> &String {
    static NONE: String = String::new();
    if let Value::String(text) = value { text } else { &NONE }
}

//! The language of the cases: one step a line, the method first.
//!
//! ```text
//! POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
//! PUT services/a {metadata: {name: a, resourceVersion: "$1.rv"}}
//! ```
//!
//! - The methods GET, POST, PUT and DELETE take JSON; MERGE, JSON, STRATEGIC and APPLY are the kinds of PATCH; TEXT is
//!   a POST of plain text; WATCH reads what a watch tells until the server ends it.
//! - Paths begin with a resource of [`RESOURCES`], or with a slash.
//! - Bodies are YAML in flow style. A line that begins with no method goes on with the body.
//! - `$NS` is the namespace; `$1.rv`, `$1.uid`, `$1.continue`, `$1.port`, `$1.health` and `$1.name` are taken from the
//!   answer to step 1.

use std::collections::BTreeMap;

use serde_json::Value;

/// Seconds that a watch lasts unless its path says otherwise.
const WATCH_SECONDS: u64 = 1;

/// The resources that cases name, and where they are.
const RESOURCES: &[(&str, &str)] = &[
    ("services", "/api/v1/namespaces/$NS/services"),
    ("endpointslices", "/apis/discovery.k8s.io/v1/namespaces/$NS/endpointslices"),
    ("events", "/apis/events.k8s.io/v1/namespaces/$NS/events"),
    ("leases", "/apis/coordination.k8s.io/v1/namespaces/$NS/leases"),
    ("loadbalancerclasses", "/apis/ferrolb.io/v1alpha1/loadbalancerclasses"),
    ("nodes", "/api/v1/nodes"),
];

/// How the words of a step become HTTP: word, method, content type.
const METHODS: &[(&str, &str, &str)] = &[
    ("GET", "GET", "application/json"),
    ("WATCH", "GET", "application/json"),
    ("POST", "POST", "application/json"),
    ("TEXT", "POST", "text/plain"),
    ("PUT", "PUT", "application/json"),
    ("DELETE", "DELETE", "application/json"),
    ("MERGE", "PATCH", "application/merge-patch+json"),
    ("JSON", "PATCH", "application/json-patch+json"),
    ("STRATEGIC", "PATCH", "application/strategic-merge-patch+json"),
    ("APPLY", "PATCH", "application/apply-patch+yaml"),
];

/// One request, with everything filled in.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: &'static str,
    pub content_type: &'static str,
    /// Path and query.
    pub uri: String,
    pub body: Option<Value>,
    /// Whether the answer is a stream of lines.
    pub watches: bool,
    /// The step as it was written, with what was filled in.
    pub text: String,
}

/// Why a script cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("step {0:?} has no path")]
    NoPath(String),
    #[error("step {0:?} names no resource of the table")]
    UnknownResource(String),
    #[error("step {0:?} has a body that is no YAML: {1}")]
    Body(String, Box<serde_saphyr::Error>),
    #[error("step {0:?} names something that no answer held")]
    NotAnswered(String),
}

/// The lines of a script, continuations joined.
pub fn steps(script: &str) -> Vec<String> {
    let mut steps: Vec<String> = Vec::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let word = line.split(' ').next().unwrap_or_default();
        match steps.last_mut() {
            Some(step) if !METHODS.iter().any(|(known, ..)| *known == word) => {
                step.push(' ');
                step.push_str(line);
            }
            _ => steps.push(line.to_owned()),
        }
    }
    steps
}

/// Makes a request of a step; `known` are the values of its placeholders.
pub fn request(step: &str, known: &BTreeMap<String, String>) -> Result<Request, Error> {
    let mut text = step.to_owned();
    for (placeholder, value) in known {
        text = text.replace(placeholder.as_str(), value);
    }
    if text.contains('$') {
        return Err(Error::NotAnswered(step.to_owned()));
    }
    let mut words = text.splitn(3, ' ');
    let word = words.next().unwrap_or_default();
    let path = words.next().ok_or_else(|| Error::NoPath(step.to_owned()))?;
    let (_, method, content_type) =
        METHODS.iter().find(|(known, ..)| *known == word).ok_or_else(|| Error::NoPath(step.to_owned()))?;
    let body = match words.next() {
        Some(body) => Some(
            serde_saphyr::from_str_with_options(body, yaml_1_2())
                .map_err(|e| Error::Body(step.to_owned(), Box::new(e)))?,
        ),
        None => None,
    };
    let watches = word == "WATCH";
    let mut uri = absolute(path, known).ok_or_else(|| Error::UnknownResource(step.to_owned()))?;
    if watches {
        uri.push(if uri.contains('?') { '&' } else { '?' });
        uri.push_str("watch=true");
        if !uri.contains("timeoutSeconds") {
            uri.push_str(&format!("&timeoutSeconds={WATCH_SECONDS}"));
        }
    }
    Ok(Request { method, content_type, uri, body, watches, text })
}

/// `y` and `n` are letters here.
fn yaml_1_2() -> serde_saphyr::Options {
    serde_saphyr::options! { strict_booleans: true }
}

fn absolute(path: &str, known: &BTreeMap<String, String>) -> Option<String> {
    if path.starts_with('/') {
        return Some(path.to_owned());
    }
    let end = path.find(['/', '?']).unwrap_or(path.len());
    let (_, whole) = RESOURCES.iter().find(|(name, _)| *name == &path[..end])?;
    let namespace = known.get("$NS").map(String::as_str).unwrap_or_default();
    Some(whole.replace("$NS", namespace) + &path[end..])
}

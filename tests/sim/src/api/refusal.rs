//! Why a call is refused, as an API server says it.

use serde_json::{Map, Value, json};

use super::store::{Key, Kind};

/// Fields that are wrong, each with the reason's name in the API.
pub type Causes = Vec<(String, &'static str)>;

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    pub code: u16,
    /// Empty where the API gives none.
    pub reason: &'static str,
    pub message: String,
    details: Option<Value>,
    /// Where a list whose token is too old may go on.
    token: Option<String>,
}

impl Refusal {
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, token: None }
    }

    /// With details that name no object.
    pub fn bare(code: u16, reason: &'static str, message: &str) -> Self {
        Self { details: Some(json!({})), ..Self::new(code, reason, message) }
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// What the server itself has not foreseen.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "", message)
    }

    /// Refused by admission, without a word about which field.
    pub fn denied(message: &str) -> Self {
        Self::new(422, "Invalid", message)
    }

    /// Fields of an object that are wrong.
    pub fn invalid(key: &Key, causes: &Causes) -> Self {
        Self::wrong(key.0.word(), key.0.group(), &key.2, causes)
    }

    /// Options of a call that are wrong.
    pub fn options(kind: &str, causes: &Causes) -> Self {
        Self::wrong(kind, "meta.k8s.io", "", causes)
    }

    /// The same for whatever is named.
    pub fn wrong(kind: &str, group: &str, name: &str, causes: &Causes) -> Self {
        let fields: Vec<String> = causes.iter().map(|(field, reason)| format!("{field}: {reason}")).collect();
        let mut details = details(kind, group, name);
        let cause = |(field, reason): &(String, &str)| json!({"field": field, "reason": reason, "message": reason});
        details["causes"] = causes.iter().map(cause).collect();
        let message = format!("{kind} {name:?} is invalid: {}", fields.join(", "));
        Self { details: Some(details), ..Self::new(422, "Invalid", message) }
    }

    /// Fields that other managers own: `(manager, field)`.
    pub fn owned(conflicts: &[(String, String)]) -> Self {
        let message = match conflicts {
            [(manager, field)] => format!("Apply failed with 1 conflict: conflict with {manager}: {field}"),
            _ => {
                let mut text = format!("Apply failed with {} conflicts:", conflicts.len());
                let mut last = None;
                for (manager, field) in conflicts {
                    if last != Some(manager) {
                        let lead = if last.is_none() { " " } else { "\n" };
                        text.push_str(&format!("{lead}conflicts with {manager}:"));
                        last = Some(manager);
                    }
                    text.push_str(&format!("\n- {field}"));
                }
                text
            }
        };
        let cause = |(manager, field): &(String, String)| json!({"field": field, "reason": "FieldManagerConflict", "message": format!("conflict with {manager}")});
        let causes: Vec<Value> = conflicts.iter().map(cause).collect();
        Self { details: Some(json!({"causes": causes})), ..Self::new(409, "Conflict", message) }
    }

    pub fn not_found(key: &Key) -> Self {
        Self::about(key, 404, "NotFound", |object| format!("{object} not found"))
    }

    pub fn exists(key: &Key, is_going: bool) -> Self {
        let lead = if is_going { "object is being deleted: " } else { "" };
        Self::about(key, 409, "AlreadyExists", |object| format!("{lead}{object} already exists"))
    }

    /// A write whose condition does not hold.
    pub fn conflict(key: &Key, why: &str) -> Self {
        Self::about(key, 409, "Conflict", |object| format!("Operation cannot be fulfilled on {object}: {why}"))
    }

    /// The version that a write names is not the object's.
    pub fn modified(key: &Key) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(key, why)
    }

    /// A write on what has another UID.
    pub fn other_uid(key: &Key, wanted: &str, there: &str) -> Self {
        let place = if key.1.is_empty() { key.2.clone() } else { format!("{}/{}", key.1, key.2) };
        Self::conflict(
            key,
            &format!(
                "StorageError: invalid object, Code: 4, Key: /registry/{}/{place}, ResourceVersion: 0, AdditionalErrorMsg: \
             Precondition failed: UID in precondition: {wanted}, UID in object meta: {there}",
                key.0.registry()
            ),
        )
    }

    /// A precondition of a deletion that does not hold; the API names the kind here, not the resource.
    pub fn precondition(key: &Key, why: &str) -> Self {
        let (kind, name) = (key.0.word(), &key.2);
        let message = format!("Operation cannot be fulfilled on {kind} {name:?}: {why}");
        Self { details: Some(details(kind, key.0.group(), name)), ..Self::new(409, "Conflict", message) }
    }

    pub fn gone() -> Self {
        Self::new(410, "Expired", "too old resource version")
    }

    /// The token of a list is too old; `token` goes on with what there is now.
    pub fn expired(token: String) -> Self {
        Self { token: Some(token), ..Self::new(410, "Expired", "the continue parameter is too old") }
    }

    /// A version that is not there yet.
    pub fn future(version: u64) -> Self {
        let causes = json!([{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]);
        let details = Some(json!({"causes": causes, "retryAfterSeconds": 1}));
        let message = format!("Timeout: Too large resource version: {version}");
        Self { details, ..Self::new(504, "Timeout", message) }
    }

    pub fn no_resource() -> Self {
        Self::bare(404, "NotFound", "the server could not find the requested resource")
    }

    pub fn no_method() -> Self {
        Self::bare(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    }

    fn about(key: &Key, code: u16, reason: &'static str, message: impl FnOnce(String) -> String) -> Self {
        let (kind, name) = (key.0, &key.2);
        let message = message(format!("{} {name:?}", kind.resource()));
        Self { details: Some(details(kind.plural(), kind.group(), name)), ..Self::new(code, reason, message) }
    }

    /// As the server writes it.
    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "code": self.code, "message": self.message,
        });
        if !self.reason.is_empty() {
            status["reason"] = json!(self.reason);
        }
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        if let Some(token) = &self.token {
            status["metadata"]["continue"] = json!(token);
        }
        status
    }
}

/// What the server answers to a deletion where it does not give the object.
pub fn deleted(key: &Key, object: &Value) -> Value {
    let mut details = details(key.0.plural(), key.0.group(), &key.2);
    details["uid"] = object["metadata"]["uid"].clone();
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

fn details(kind: &str, group: &str, name: &str) -> Value {
    let fields = [("kind", kind), ("group", group), ("name", name)];
    let said = fields.into_iter().filter(|(_, value)| !value.is_empty());
    Value::Object(said.map(|(key, value)| (key.to_owned(), json!(value))).collect::<Map<_, _>>())
}

impl Kind {
    /// API group; empty for the core.
    pub fn group(self) -> &'static str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }

    /// As paths name it.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Service => "services",
            Self::Node => "nodes",
            Self::Slice => "endpointslices",
            Self::Class => "loadbalancerclasses",
            Self::Lease => "leases",
            Self::Namespace => "namespaces",
            Self::Event => "events",
        }
    }

    /// As messages name it.
    pub fn resource(self) -> String {
        let group = self.group();
        if group.is_empty() { self.plural().to_owned() } else { format!("{}.{group}", self.plural()) }
    }

    /// Where the store keeps it.
    fn registry(self) -> &'static str {
        match self {
            Self::Service => "services/specs",
            Self::Node => "minions",
            Self::Class => "ferrolb.io/loadbalancerclasses",
            other => other.plural(),
        }
    }
}

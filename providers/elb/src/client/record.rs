//! What is told about each call. Neither headers nor bodies nor queries, so that nothing in it is secret.

use std::sync::Arc;
use std::time::Duration;

use ferrolb_provider::{Owner, ProviderError};
use jiff::Timestamp;
use serde::Serialize;

/// One try of a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallRecord {
    /// `namespace/name` of the Service that it was made for; none for those that serve all.
    #[serde(skip)]
    pub service: Option<Arc<str>>,
    /// When it came to its turn.
    pub at: Timestamp,
    /// Which try of the same call, from 1.
    pub attempt: u8,
    /// Method.
    pub method: &'static str,
    /// Path, not encoded, without query.
    pub path: String,
    /// HTTP status; none where there was no answer.
    pub status: Option<u16>,
    /// `ok`, or the class of the error.
    pub result: &'static str,
    /// The cloud's error code.
    pub code: Option<String>,
    /// The cloud's id of the request.
    pub request_id: Option<String>,
    /// Whether it could change anything.
    pub is_write: bool,
    /// How long it waited for our own rate limit.
    #[serde(rename = "waited_ms", serialize_with = "milliseconds")]
    pub waited: Duration,
    /// How long it took after that.
    #[serde(rename = "took_ms", serialize_with = "milliseconds")]
    pub took: Duration,
}

/// Hears of each call when it is over.
pub trait Observer: Send + Sync + 'static {
    /// A call is over.
    fn called(&self, record: CallRecord);
}

/// How the calls of an owner are labelled; what is known by an EIP only has no name.
pub(super) fn label(owner: &Owner) -> Option<Arc<str>> {
    (!owner.name.is_empty()).then(|| format!("{}/{}", owner.namespace, owner.name).into())
}

/// `ok`, or the class of an error.
pub(super) fn result(error: Option<&ProviderError>) -> &'static str {
    match error {
        None => "ok",
        Some(ProviderError::Refused(_)) => "refused",
        Some(ProviderError::NotFound(_)) => "not_found",
        Some(ProviderError::Throttled { .. }) => "throttled",
        Some(ProviderError::Ambiguous(_)) => "ambiguous",
        Some(ProviderError::Denied(_)) => "denied",
        Some(ProviderError::Unavailable(_)) => "unavailable",
    }
}

fn milliseconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

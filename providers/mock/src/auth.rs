//! Checks SDK-HMAC-SHA256 signatures. Written from the description of the scheme, not from a client:
//! which headers were signed is taken from the request, nothing is assumed.
//!
//! ```text
//! canonical request = METHOD \n /path/ \n a=1&b=2 \n name:value\n… \n names \n hex(sha256(body))
//! string to sign    = SDK-HMAC-SHA256 \n X-Sdk-Date \n hex(sha256(canonical request))
//! signature         = hex(hmac-sha256(secret key, string to sign))
//! ```

use axum::http::HeaderMap;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use sha2::{Digest, Sha256};

use crate::api::Query;

const ALGORITHM: &str = "SDK-HMAC-SHA256";
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// A pair of keys that is accepted.
#[derive(Clone)]
pub struct Keys {
    pub access: String,
    pub secret: String,
    /// Temporary keys count only together with their token, and until their end.
    pub security_token: Option<String>,
    pub expires_at: Option<Timestamp>,
}

/// The signed parts of a request; `path` and `query` as they came on the wire.
pub struct Signed<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

/// Why a signature does not count.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    #[error("authorization header is missing or malformed")]
    NoAuthorization,
    #[error("algorithm {0} is not accepted here, sign with {ALGORITHM}")]
    Algorithm(String),
    #[error(
        "a key derived for a region and a service is not accepted here, sign with the secret key itself and send Access="
    )]
    DerivedKey,
    #[error("X-Sdk-Date is missing or malformed")]
    NoDate,
    #[error("request time differs from the server's by more than 15 minutes")]
    Skew,
    #[error("access key is unknown")]
    UnknownKey,
    #[error("X-Security-Token is missing or not that of the access key")]
    SecurityToken,
    #[error("temporary access key has expired")]
    ExpiredKey,
    #[error("decrypt token fail")]
    UnknownToken,
    #[error("the token must be updated")]
    ExpiredToken,
    #[error("signed header {0} is missing")]
    MissingHeader(String),
    #[error("verify aksk signature fail")]
    Signature,
}

impl Keys {
    /// The account's own pair.
    pub fn lasting(access: &str, secret: &str) -> Self {
        Self { access: access.to_owned(), secret: secret.to_owned(), security_token: None, expires_at: None }
    }
}

impl Rejected {
    /// The gateway's code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ExpiredToken => "APIG.0307",
            _ => "APIG.0301",
        }
    }
}

impl Signed<'_> {
    /// The token that stands in for a signature.
    pub fn token(&self) -> Option<&str> {
        if self.headers.contains_key("authorization") { None } else { self.header("x-auth-token") }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
    }
}

/// Verifies a request against the clock and the keys, which `keys` finds by the access key.
pub fn verify(keys: impl Fn(&str) -> Option<Keys>, now: Timestamp, request: &Signed) -> Result<(), Rejected> {
    let header = |name: &str| request.header(name);
    let authorization = header("authorization").ok_or(Rejected::NoAuthorization)?;
    let (algorithm, authorization) = authorization.split_once(' ').ok_or(Rejected::NoAuthorization)?;
    if algorithm != ALGORITHM {
        return Err(Rejected::Algorithm(algorithm.to_owned()));
    }
    if authorization.trim_start().starts_with("Credential=") {
        return Err(Rejected::DerivedKey);
    }
    let part = |name: &str| authorization.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    let (access, names, signature) = part("Access")
        .zip(part("SignedHeaders"))
        .zip(part("Signature"))
        .map(|((a, n), s)| (a, n, s))
        .ok_or(Rejected::NoAuthorization)?;
    let keys = keys(access).ok_or(Rejected::UnknownKey)?;
    if keys.security_token.is_some() && keys.security_token.as_deref() != header("x-security-token") {
        return Err(Rejected::SecurityToken);
    }
    if keys.expires_at.is_some_and(|end| end <= now) {
        return Err(Rejected::ExpiredKey);
    }
    let date = header("x-sdk-date").ok_or(Rejected::NoDate)?;
    let signed_at = parse_date(date).ok_or(Rejected::NoDate)?;
    if now.duration_since(signed_at).abs() > MAX_SKEW {
        return Err(Rejected::Skew);
    }
    let mut block = String::new();
    for name in names.split(';') {
        let value = header(name).ok_or_else(|| Rejected::MissingHeader(name.to_owned()))?;
        block.push_str(&format!("{name}:{}\n", value.trim()));
    }
    let hash = header("x-sdk-content-sha256").map_or_else(|| hex(&Sha256::digest(request.body)), str::to_owned);
    let canonical =
        [request.method, &canonical_path(request.path), &canonical_query(request.query), &block, names, &hash]
            .join("\n");
    let to_sign = format!("{ALGORITHM}\n{date}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let mut mac = Hmac::<Sha256>::new_from_slice(keys.secret.as_bytes()).map_err(|_| Rejected::Signature)?;
    mac.update(to_sign.as_bytes());
    let signature = unhex(signature).ok_or(Rejected::Signature)?;
    mac.verify_slice(&signature).map_err(|_| Rejected::Signature)
}

/// Decodes a query. A plus sign is a space, as Go's client writes it.
pub fn parse_query(query: &str) -> Query {
    let decode = |text: &str| decode(&text.replace('+', " "));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    Query(
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(key, value)| (decode(key), decode(value)))
            .collect(),
    )
}

/// Percent-decoding; what is not an escape stays as it is.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let escaped = (bytes[i] == b'%')
            .then(|| text.get(i + 1..i + 3))
            .flatten()
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        out.push(escaped.unwrap_or(bytes[i]));
        i += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Segments encoded anew, with a slash at the end.
fn canonical_path(path: &str) -> String {
    let mut canonical = path.split('/').map(|segment| encode(&decode(segment))).collect::<Vec<_>>().join("/");
    if !canonical.ends_with('/') {
        canonical.push('/');
    }
    canonical
}

/// Sorted by name and then by value, both before encoding.
fn canonical_query(query: &str) -> String {
    let mut pairs = parse_query(query).0;
    pairs.sort();
    pairs.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect::<Vec<_>>().join("&")
}

fn encode(text: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn parse_date(text: &str) -> Option<Timestamp> {
    DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs =
        (0..text.len()).step_by(2).map(|at| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()));
    pairs.collect()
}

#[cfg(test)]
mod tests;

//! SDK-HMAC-SHA256 over (request, now). Pure.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::credentials::Keys;
use super::transport::Method;

const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// A request before it is signed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unsigned<'a> {
    pub(crate) method: Method,
    /// Authority of the URL, without the scheme's own port.
    pub(crate) host: &'a str,
    /// Path, not encoded.
    pub(crate) path: &'a str,
    /// Query, not encoded.
    pub(crate) query: &'a [(String, String)],
    /// Body, empty for none.
    pub(crate) body: &'a [u8],
    pub(crate) project_id: &'a str,
}

/// All headers to send, the signature among them.
pub(crate) fn headers(request: &Unsigned<'_>, keys: &Keys, now: Timestamp) -> Vec<(String, String)> {
    let date = now.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut headers =
        vec![("x-project-id".to_owned(), request.project_id.to_owned()), ("x-sdk-date".to_owned(), date.clone())];
    if !request.body.is_empty() {
        let json = "application/json;charset=utf-8".to_owned();
        headers.push(("content-type".to_owned(), json));
    }
    if let Some(token) = &keys.security_token {
        let token = token.expose_secret().to_owned();
        headers.push(("x-security-token".to_owned(), token));
    }
    // Signed as well, yet sent by whoever sends the URL.
    let mut signed = headers.clone();
    signed.push(("host".to_owned(), request.host.to_owned()));
    signed.sort();
    let names: Vec<&str> = signed.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let canonical = canonical_request(request, &signed, &names);
    let to_sign = format!("{ALGORITHM}\n{date}\n{}", hex(&Sha256::digest(canonical)));
    let signature = hmac(keys.secret_key.expose_secret(), &to_sign);
    headers.push((
        "authorization".to_owned(),
        format!("{ALGORITHM} Access={}, SignedHeaders={names}, Signature={signature}", keys.access_key),
    ));
    headers
}

/// `name=value&…` as it is sent and signed: sorted by name and value, then encoded.
pub(crate) fn query(pairs: &[(String, String)]) -> String {
    let mut sorted: Vec<_> = pairs.iter().collect();
    sorted.sort();
    let mut text = String::new();
    for (name, value) in sorted {
        if !text.is_empty() {
            text.push('&');
        }
        encode(name, &mut text);
        text.push('=');
        encode(value, &mut text);
    }
    text
}

/// Path with each segment encoded.
pub(crate) fn path(path: &str) -> String {
    let mut text = String::new();
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            text.push('/');
        }
        encode(segment, &mut text);
    }
    text
}

fn canonical_request(request: &Unsigned<'_>, signed: &[(String, String)], names: &str) -> String {
    let mut uri = path(request.path);
    if !uri.ends_with('/') {
        uri.push('/');
    }
    let mut text = format!("{}\n{uri}\n{}\n", request.method, query(request.query));
    for (name, value) in signed {
        text.push_str(name);
        text.push(':');
        text.push_str(value.trim());
        text.push('\n');
    }
    text.push('\n');
    text.push_str(names);
    text.push('\n');
    text.push_str(&hex(&Sha256::digest(request.body)));
    text
}

fn hmac(key: &str, text: &str) -> String {
    // A key of any length is a key.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    mac.update(text.as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// Percent-encodes everything but letters, digits and `-._~`.
fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.extend(digits(byte).map(|digit| digit.to_ascii_uppercase()));
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().copied().flat_map(digits).collect()
}

fn digits(byte: u8) -> impl Iterator<Item = char> {
    [byte >> 4, byte & 15].into_iter().filter_map(|digit| char::from_digit(digit.into(), 16))
}

#[cfg(test)]
mod tests;

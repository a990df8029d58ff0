//! The fields of a listener besides its place: for which protocols and load balancers they exist, and their values.

use serde_json::{Map, Value};

use super::{Protocol, Refusal};

/// Where a field exists. Its value that asks for nothing is taken everywhere.
struct Rule {
    field: &'static str,
    protocols: Protocols,
    /// `guaranteed` of the load balancers that have it; `None`: all have.
    guaranteed: Option<bool>,
}

enum Protocols {
    All,
    Http,
    Https,
    Certified,
    Plain,
}

const fn rule(field: &'static str, protocols: Protocols, guaranteed: Option<bool>) -> Rule {
    Rule { field, protocols, guaranteed }
}

const RULES: &[Rule] = &[
    rule("client_timeout", Protocols::Http, None),
    rule("member_timeout", Protocols::Http, None),
    rule("insert_headers", Protocols::Http, None),
    rule("gzip_enable", Protocols::Http, Some(true)),
    rule("http2_enable", Protocols::Https, None),
    rule("tls_ciphers_policy", Protocols::Https, Some(true)),
    rule("security_policy_id", Protocols::Https, Some(true)),
    rule("client_ca_tls_container_ref", Protocols::Https, Some(true)),
    rule("default_tls_container_ref", Protocols::Certified, None),
    rule("sni_container_refs", Protocols::Certified, None),
    rule("cps", Protocols::All, Some(true)),
    rule("connection", Protocols::All, Some(true)),
    rule("transparent_client_ip_enable", Protocols::Plain, Some(false)),
];

/// What `tls_ciphers_policy` may be.
const CIPHERS: [&str; 9] = [
    "tls-1-0",
    "tls-1-1",
    "tls-1-2",
    "tls-1-0-inherit",
    "tls-1-2-strict",
    "tls-1-2-fs",
    "tls-1-0-with-1-3",
    "tls-1-2-fs-with-1-3",
    "hybrid-policy-1-0",
];

/// The headers that `insert_headers` may name.
const HEADERS: [&str; 8] = [
    "X-Forwarded-ELB-IP",
    "X-Forwarded-Port",
    "X-Forwarded-For-Port",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "X-Forwarded-ELB-ID",
    "X-Forwarded-For-Processing-Mode",
];

/// Refuses what a listener of `protocol` on such a load balancer cannot have.
pub(super) fn check(protocol: Protocol, guaranteed: bool, fields: &Map<String, Value>) -> Result<(), Refusal> {
    for Rule { field, protocols, guaranteed: needed } in RULES {
        let Some(value) = fields.get(*field).filter(|value| !asks_nothing(value)) else { continue };
        // Dedicated load balancers show clients anyway.
        if *field == "transparent_client_ip_enable" && guaranteed {
            continue;
        }
        if needed.is_some_and(|needed| needed != guaranteed) {
            let kind = if guaranteed { "dedicated" } else { "shared" };
            return Err(Refusal::Unsupported(format!("{field} is not supported by a {kind} load balancer")));
        }
        if !protocols.have(protocol) {
            return Err(Refusal::invalid(*field, format!("a {} listener has none", protocol.name())));
        }
        check_value(field, value)?;
    }
    Ok(())
}

fn check_value(field: &str, value: &Value) -> Result<(), Refusal> {
    let is_flag = |field: &str| field.ends_with("_enable");
    match (field, value) {
        (_, Value::Bool(_)) if is_flag(field) => Ok(()),
        ("client_timeout" | "member_timeout", Value::Number(n)) if (1..=300).contains(&n.as_u64().unwrap_or(0)) => {
            Ok(())
        }
        ("cps" | "connection", Value::Number(n)) if n.as_u64().is_some_and(|n| n <= 1_000_000) => Ok(()),
        ("tls_ciphers_policy", Value::String(word)) if CIPHERS.contains(&word.as_str()) => Ok(()),
        // Whether they are there, the api room looks.
        ("default_tls_container_ref" | "client_ca_tls_container_ref" | "security_policy_id", Value::String(_)) => {
            Ok(())
        }
        ("sni_container_refs", Value::Array(ids)) if ids.len() <= 50 => {
            let ids: Option<Vec<&str>> = ids.iter().map(Value::as_str).collect();
            let ids = ids.ok_or_else(|| Refusal::invalid(field, "they must be strings"))?;
            if let Some(twice) = ids.iter().enumerate().find(|(i, id)| ids[..*i].contains(id)) {
                return Err(Refusal::invalid(field, format!("{} is named twice", twice.1)));
            }
            Ok(())
        }
        ("insert_headers", Value::Object(headers)) => {
            let strange = |(name, value): &(&String, &Value)| {
                let is_known = HEADERS.contains(&name.as_str())
                    || name.starts_with("X-Forwarded-TLS-")
                    || name.starts_with("X-Forwarded-Clientcert-");
                !is_known || !(value.is_boolean() || name.ends_with("-Mode"))
            };
            match headers.iter().find(strange) {
                Some((name, value)) => Err(Refusal::invalid(field, format!("'{name}': {value} is not known"))),
                None => Ok(()),
            }
        }
        _ => Err(Refusal::invalid(field, format!("'{value}' is not valid"))),
    }
}

fn asks_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

impl Protocols {
    fn have(&self, protocol: Protocol) -> bool {
        match self {
            Self::All => true,
            Self::Http => protocol.is_http(),
            Self::Https => matches!(protocol, Protocol::Https | Protocol::TerminatedHttps),
            Self::Certified => protocol.needs_certificate(),
            Self::Plain => matches!(protocol, Protocol::Tcp | Protocol::Udp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_exist_for_their_protocols_and_load_balancers() {
        let id = "0123456789abcdef0123456789abcdef";
        for (protocol, guaranteed, fields, is_taken) in [
            (Protocol::Http, true, json!({"client_timeout": 30, "gzip_enable": true}), true),
            (Protocol::Http, false, json!({"gzip_enable": true}), false),
            (Protocol::Tcp, true, json!({"client_timeout": 30}), false),
            (Protocol::Tcp, true, json!({"http2_enable": false, "client_timeout": null}), true),
            (Protocol::Https, true, json!({"http2_enable": true, "default_tls_container_ref": id}), true),
            (Protocol::Https, true, json!({"tls_ciphers_policy": "tls-9"}), false),
            (Protocol::Https, true, json!({"sni_container_refs": [id, id]}), false),
            (Protocol::Tls, true, json!({"client_ca_tls_container_ref": id}), false),
            (Protocol::Http, true, json!({"insert_headers": {"X-Forwarded-Host": true}}), true),
            (Protocol::Http, true, json!({"insert_headers": {"X-Other": true}}), false),
            (Protocol::Tcp, false, json!({"transparent_client_ip_enable": true}), true),
            (Protocol::Tcp, false, json!({"cps": 10}), false),
        ] {
            let Value::Object(fields) = fields else { continue };
            assert_eq!(check(protocol, guaranteed, &fields).is_ok(), is_taken, "{protocol:?} {guaranteed} {fields:?}");
        }
    }
}

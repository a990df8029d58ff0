//! What the cloud's refusals mean: answer → [`ProviderError`]. Pure.

use std::time::Duration;

use ferrolb_provider::{Detail, ProviderError};
use serde_json::Value;

use super::send::Effect;
use super::transport::Response;

/// No quota, or no address, left.
const QUOTA: &[&str] = &[
    "ELB.8905", "ELB.9807", "ELB.1091", "ELB.2001", "ELB.6091", "ELB.8950", "ELB.8934", "VPC.0521", "VPC.0532",
    "EIP.7905", "NAT.0309", "NAT.0313",
];
/// The caller, not the call, is wrong.
const DENIED: &[&str] = &[
    "ELB.1103", "ELB.1104", "ELB.1105", "ELB.1109", "ELB.9802", "ELB.9803", "ELB.9804", "SYS.0401", "SYS.0403",
    "VPC.0010", "VPC.0502",
];
/// The object is not there.
const NOT_FOUND: &[&str] = &["ELB.8904", "ELB.1002", "VPC.0504", "VPC.0306", "NAT.0105", "NAT.0319", "VPC.2007"];
/// Something else is being done to the object; the same call works a little later.
const BUSY: &[&str] = &["VPC.0512", "NAT.0102", "NAT.0103", "NAT.0106", "VPC.2030", "VPC.2050"];
/// Said with status 500, and as final as a 409.
const FINAL: &[&str] = &["VPC.0516"];
/// The gateway does not know the path.
pub(crate) const NO_SUCH_PATH: &[&str] = &["APIG.0101", "APIGW.0101"];

/// Codes that say that an EIP cannot be deleted because something uses it.
pub(crate) const EIP_IN_USE: &[&str] = &["VPC.0516", "VPC.0517"];
/// Codes that say that such an object exists already.
pub(crate) const CONFLICT: &[&str] = &["ELB.8907", "ELB.6200"];

/// Codes that say that a port of an EIP has a DNAT rule already; the second of each pair is the older API's.
pub(crate) const PORT_TAKEN: &[&str] = &["NAT.0305", "VPC.2024"];
/// Codes that say that a port of a node has a DNAT rule already.
pub(crate) const TARGET_TAKEN: &[&str] = &["NAT.0304", "VPC.2023"];

/// What an answer that is no success means for a call of this effect.
pub(crate) fn classify(call: &str, effect: Effect, response: &Response) -> ProviderError {
    let said = Said::read(response);
    let code = said.code.as_deref().unwrap_or_default();
    let status = response.status;
    let has = |codes: &[&str]| codes.contains(&code);
    let mut detail = Detail {
        call: call.to_owned(),
        message: said.message,
        code: said.code.clone(),
        request_id: request_id(response).or(said.request_id),
    };
    if detail.message.is_empty() {
        detail.message = format!("HTTP status {status} without an explanation");
    }
    if status == 429 || code.ends_with(".0308") && code.starts_with("APIG") {
        return ProviderError::Throttled { after: retry_after(response), detail };
    }
    if has(QUOTA) {
        detail.message = format!("a quota of the cloud is used up: {}", detail.message);
        return ProviderError::Refused(detail);
    }
    if has(NO_SUCH_PATH) {
        detail.message = format!("the endpoint does not know this call, is it the right one? {}", detail.message);
        return ProviderError::Refused(detail);
    }
    if has(DENIED) {
        return ProviderError::Denied(detail);
    }
    // With 500 it may be an object that the call itself made and that does not show yet.
    if status == 404 || (has(NOT_FOUND) && status < 500) {
        return ProviderError::NotFound(detail);
    }
    if has(FINAL) {
        return ProviderError::Refused(detail);
    }
    // A 403 with a code of the service is a word about the call; without, about the caller.
    let of_gateway = code.is_empty() || code.starts_with("APIG") || code.starts_with("IAM");
    if status == 401 || (status == 403 && of_gateway) {
        return ProviderError::Denied(detail);
    }
    if has(BUSY) {
        return effect.maybe(detail);
    }
    match status {
        408 | 500.. => effect.maybe(detail),
        // It may have been the word for busy, after which there may be an effect.
        409 if code.is_empty() => effect.maybe(detail),
        _ => ProviderError::Refused(detail),
    }
}

/// Whether the gateway, and not a service behind it, says that there is no such call: by its code, or with a status that
/// no service gives without a code of its own.
pub(crate) fn is_unknown_call(response: &Response) -> bool {
    let code = Said::read(response).code;
    match code.as_deref() {
        Some(code) if NO_SUCH_PATH.contains(&code) => true,
        Some(_) => response.status == 405,
        None => matches!(response.status, 404 | 405),
    }
}

/// The error for an answer of which [`is_unknown_call`] holds, with the gateway's code where it said none.
pub(crate) fn unknown_call(call: &str, response: &Response) -> ProviderError {
    let message = format!("the endpoint does not know this call (HTTP status {})", response.status);
    let code = Some(NO_SUCH_PATH[0].to_owned());
    ProviderError::Refused(Detail { call: call.to_owned(), message, code, request_id: request_id(response) })
}

/// How long the cloud asks us to wait: in seconds, or until a moment by its own clock.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = |text: &str| jiff::fmt::rfc2822::parse(text).ok();
    let wait = moment(text)?.duration_since(&moment(response.header("date")?.trim())?);
    Some(Duration::try_from(wait).unwrap_or_default())
}

/// The cloud's id of the request.
pub(crate) fn request_id(response: &Response) -> Option<String> {
    response.header("x-request-id").map(str::to_owned)
}

/// What an error body says, in any of the shapes that occur.
#[derive(Debug, Default, PartialEq)]
struct Said {
    code: Option<String>,
    message: String,
    request_id: Option<String>,
}

impl Said {
    fn read(response: &Response) -> Self {
        let Ok(body) = serde_json::from_slice::<Value>(&response.body) else {
            let text = String::from_utf8_lossy(&response.body);
            return Self { message: text.trim().chars().take(200).collect(), ..Self::default() };
        };
        // {"error":{…}} of the shared load balancers, {"NeutronError":{…}} of the network service.
        let inner =
            ["error", "NeutronError"].into_iter().find_map(|k| body.get(k).filter(|v| v.is_object())).unwrap_or(&body);
        let text = |names: &[&str]| {
            names.iter().find_map(|n| inner.get(n).and_then(Value::as_str)).filter(|t| !t.is_empty()).map(str::to_owned)
        };
        Self {
            code: text(&["error_code", "code", "type"]),
            message: text(&["error_msg", "message", "error_message", "detail"]).unwrap_or_default(),
            request_id: body.get("request_id").and_then(Value::as_str).map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests;

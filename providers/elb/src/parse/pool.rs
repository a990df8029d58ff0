//! Session affinity, connection drain and slow start.

use ferrolb_provider::Desired;
use serde_json::{Value, json};

use super::read::{Reader, problem};
use crate::json;
use crate::keys::{
    CONNECTION_DRAIN_ENABLE, CONNECTION_DRAIN_TIMEOUT, LB_ALGORITHM, SESSION_AFFINITY_FLAG, SESSION_AFFINITY_MODE,
    SESSION_AFFINITY_MODE_OLD, SESSION_AFFINITY_OPTION, SLOW_START, closest,
};
use crate::spec::{Algorithm, Class, PortSpec};

const EXAMPLE: &str = r#"{"persistence_timeout":"30"}"#;
const FIELDS: [&str; 3] = ["persistence_timeout", "type", "cookie_name"];
/// The longest time in minutes that a pool remembers an address, and a cookie.
const LONGEST: (u64, u64) = (60, 1440);

/// Sets what the options ask of all pools.
pub(super) fn parse(
    reader: &mut Reader<'_>,
    want: &Desired,
    class: Option<Class>,
    algorithm: Algorithm,
    ports: &mut [PortSpec],
) {
    affinity(reader, want, algorithm, ports);
    let drain = drain(reader);
    for port in ports.iter_mut() {
        port.pool.insert("connection_drain", drain.clone());
    }
    slow_start(reader, class, ports);
}

/// `persistence_timeout`, `type` and `cookie_name`, as far as they are said.
#[derive(Default)]
struct AffinityOption {
    minutes: Option<u64>,
    kind: Option<String>,
    cookie: Option<String>,
}

fn affinity(reader: &mut Reader<'_>, want: &Desired, algorithm: Algorithm, ports: &mut [PortSpec]) {
    let option = affinity_option(reader);
    let mode = [SESSION_AFFINITY_MODE, SESSION_AFFINITY_MODE_OLD]
        .into_iter()
        .find(|key| reader.text(key).is_some())
        .map(|key| (key, reader.word(key)));
    let flag = reader.word(SESSION_AFFINITY_FLAG).is_some_and(|word| word == "on");
    let (key, kind) = match mode {
        // What is wrong with it has been said.
        Some((_, None)) => return,
        Some((key, Some(kind))) => (key, (kind != "off").then_some(kind)),
        None if flag => {
            let kind = option.kind.clone().unwrap_or_else(|| "SOURCE_IP".to_owned());
            (SESSION_AFFINITY_FLAG, Some(kind))
        }
        None => (SESSION_AFFINITY_FLAG, None),
    };
    let Some(kind) = kind else {
        if reader.text(SESSION_AFFINITY_OPTION).is_some() {
            let valid = format!("{SESSION_AFFINITY_MODE}: SOURCE_IP switches it on");
            reader.warn(SESSION_AFFINITY_OPTION, "without effect: session affinity is off", valid);
        }
        return by_client_ip(reader, want, algorithm, ports);
    };
    if algorithm == Algorithm::SourceIp {
        let message =
            format!("not together with {LB_ALGORITHM}: SOURCE_IP, which keeps clients at their member by itself");
        return reader.error(key, message, "one of the two");
    }
    if kind == "APP_COOKIE" && option.cookie.is_none() {
        return reader.error(
            key,
            "APP_COOKIE needs the name of the cookie",
            r#"{"cookie_name":"…"} in elb.session-affinity-option"#,
        );
    }
    let by_cookie = kind != "SOURCE_IP";
    let fitting = ports.iter().filter(|p| p.pool_protocol.is_http() == by_cookie).count();
    if fitting == 0 && !ports.is_empty() {
        let (message, valid) = if by_cookie {
            ("cookies are part of HTTP, and no port speaks it", "SOURCE_IP, or elb.protocol-port")
        } else {
            ("addresses are remembered on TCP and UDP ports, and there is none", "HTTP_COOKIE")
        };
        return reader.error(key, format!("{kind}: {message}"), valid);
    }
    if fitting < ports.len() {
        let others = if by_cookie { "TCP and UDP ports" } else { "HTTP and HTTPS ports" };
        reader.warn(key, format!("{kind} has no effect on {others}"), "");
    }
    let longest = if by_cookie { LONGEST.1 } else { LONGEST.0 };
    if option.minutes.is_some_and(|minutes| minutes > longest) {
        let mut wrong =
            problem(SESSION_AFFINITY_OPTION, "is too long for this kind of port", format!("1 to {longest} minutes"));
        wrong.at = "$.persistence_timeout".into();
        reader.errors.push(wrong);
        return;
    }
    let mut wish = json!({"type": kind, "persistence_timeout": option.minutes.unwrap_or(longest)});
    if let Some(cookie) = option.cookie.filter(|_| kind == "APP_COOKIE") {
        wish["cookie_name"] = json!(cookie);
    }
    for port in ports.iter_mut() {
        let wish = if port.pool_protocol.is_http() == by_cookie { wish.clone() } else { Value::Null };
        port.pool.insert("session_persistence", wish);
    }
}

/// `spec.sessionAffinity: ClientIP`, in whole minutes, for as long as the load balancer can.
fn by_client_ip(reader: &mut Reader<'_>, want: &Desired, algorithm: Algorithm, ports: &mut [PortSpec]) {
    // That algorithm does it already.
    let seconds = want.affinity_seconds.filter(|_| algorithm != Algorithm::SourceIp);
    let mut is_cut = false;
    for port in ports.iter_mut() {
        let wish = seconds.map_or(Value::Null, |seconds| {
            let (kind, longest) =
                if port.pool_protocol.is_http() { ("HTTP_COOKIE", LONGEST.1) } else { ("SOURCE_IP", LONGEST.0) };
            let minutes = u64::from(seconds).div_ceil(60).max(1);
            is_cut |= minutes > longest;
            json!({"type": kind, "persistence_timeout": minutes.min(longest)})
        });
        port.pool.insert("session_persistence", wish);
    }
    if is_cut {
        let message =
            "cut: the load balancer remembers an address for 60 minutes at most, which begin anew with each connection";
        reader.warn("spec.sessionAffinityConfig.clientIP.timeoutSeconds", message, "at most 3600");
    }
}

fn affinity_option(reader: &mut Reader<'_>) -> AffinityOption {
    let mut read = AffinityOption::default();
    let Some(text) = reader.text(SESSION_AFFINITY_OPTION) else {
        return read;
    };
    let map = match json::object(SESSION_AFFINITY_OPTION, text, EXAMPLE) {
        Ok(map) => map,
        Err(problem) => {
            reader.errors.push(problem);
            return read;
        }
    };
    let at = |field: &str, message: String, valid: &str| {
        let mut found = problem(SESSION_AFFINITY_OPTION, message, valid);
        found.at = format!("$.{field}");
        found
    };
    for (field, value) in map.iter().filter(|(_, v)| !v.is_null()) {
        let wrong = |valid| at(field, format!("{} is not valid", json::shown(value)), valid);
        match (field.as_str(), json::number(value), value.as_str()) {
            ("persistence_timeout", Some(minutes), _) if (1..=LONGEST.1).contains(&minutes) => {
                read.minutes = Some(minutes);
            }
            ("persistence_timeout", ..) => {
                reader.errors.push(wrong("a whole number of minutes: 1 to 60, on HTTP and HTTPS ports 1 to 1440"));
            }
            ("type", _, Some(kind @ ("SOURCE_IP" | "HTTP_COOKIE" | "APP_COOKIE"))) => read.kind = Some(kind.to_owned()),
            ("type", ..) => reader.errors.push(wrong("SOURCE_IP, HTTP_COOKIE or APP_COOKIE")),
            ("cookie_name", _, Some(name)) if name.len() <= 1024 => {
                read.cookie = Some(name.to_owned()).filter(|n| !n.is_empty());
            }
            ("cookie_name", ..) => reader.errors.push(wrong("a name of at most 1024 characters")),
            (unknown, ..) => {
                let near = closest(unknown, FIELDS.into_iter()).map(|near| format!("did you mean {near}?"));
                reader.warnings.push(at(unknown, "unknown field, ignored".into(), &near.unwrap_or_default()));
            }
        }
    }
    read
}

/// `elb.connection-drain-…`: the cloud wants both or none.
fn drain(reader: &mut Reader<'_>) -> Value {
    let enable = reader.switch(CONNECTION_DRAIN_ENABLE);
    let timeout = reader.number(CONNECTION_DRAIN_TIMEOUT);
    match (enable, timeout) {
        (Some(true), Some(timeout)) => json!({"enable": true, "timeout": timeout}),
        (Some(true), None) => {
            if reader.text(CONNECTION_DRAIN_TIMEOUT).is_none() {
                reader.error(
                    CONNECTION_DRAIN_ENABLE,
                    "for how long is not said",
                    format!("{CONNECTION_DRAIN_TIMEOUT}: 10 to 4000 seconds"),
                );
            }
            Value::Null
        }
        (_, Some(_)) => {
            let valid = format!("{CONNECTION_DRAIN_ENABLE}: true");
            reader.warn(CONNECTION_DRAIN_TIMEOUT, "without effect: draining is off", valid);
            json!({"enable": false})
        }
        _ => json!({"enable": false}),
    }
}

fn slow_start(reader: &mut Reader<'_>, class: Option<Class>, ports: &mut [PortSpec]) {
    let seconds = reader.number(SLOW_START);
    let fits = |p: &PortSpec| p.pool_protocol.is_http() && class != Some(Class::Shared);
    if seconds.is_some() && !ports.iter().any(fits) {
        reader.warn(SLOW_START, "without effect: it needs a dedicated load balancer and a port that speaks HTTP", "");
    }
    for port in ports.iter_mut().filter(|p| fits(p)) {
        let wish = match seconds {
            Some(seconds) => json!({"enable": true, "duration": seconds}),
            None => json!({"enable": false}),
        };
        port.pool.insert("slow_start", wish);
    }
}

//! `elb.health-check-flag` and `elb.health-check-option`.

use ferrolb_provider::{Options, Problem};
use serde_json::Value;

use crate::json;
use crate::keys::{HEALTH_CHECK_FLAG, HEALTH_CHECK_OPTION, closest};
use crate::spec::{HealthCheck, Probe};

const EXAMPLE: &str = r#"{"protocol":"TCP","delay":"5","timeout":"10","max_retries":"3"}"#;
const FIELDS: [&str; 6] = ["protocol", "delay", "timeout", "max_retries", "path", "expected_codes"];

/// How members are to be probed; `None`: not at all.
pub(crate) fn parse(options: &Options, errors: &mut Vec<Problem>, warnings: &mut Vec<Problem>) -> Option<HealthCheck> {
    let flag = options.get(HEALTH_CHECK_FLAG).map(|f| f.trim());
    match flag {
        None | Some("" | "on") => {}
        Some("off") => return None,
        Some(other) => errors.push(Problem {
            option: HEALTH_CHECK_FLAG.to_owned(),
            at: String::new(),
            message: format!("\"{other}\" is not known"),
            valid: "on or off".into(),
        }),
    }
    match options.get(HEALTH_CHECK_OPTION) {
        Some(text) => option(text, errors, warnings),
        None => Some(HealthCheck::default()),
    }
}

fn option(text: &str, errors: &mut Vec<Problem>, warnings: &mut Vec<Problem>) -> Option<HealthCheck> {
    let map = match json::object(HEALTH_CHECK_OPTION, text, EXAMPLE) {
        Ok(map) => map,
        Err(problem) => {
            errors.push(problem);
            return None;
        }
    };
    let mut problem = |field: &str, message: String, valid: &str| {
        errors.push(Problem {
            option: HEALTH_CHECK_OPTION.to_owned(),
            at: format!("$.{field}"),
            message,
            valid: valid.to_owned(),
        });
    };
    let mut check = HealthCheck::default();
    let numbers = [
        ("delay", 50, &mut check.delay),
        ("timeout", 50, &mut check.timeout),
        ("max_retries", 10, &mut check.max_retries),
    ];
    for (field, max, slot) in numbers {
        let Some(value) = map.get(field).filter(|v| !v.is_null()) else {
            continue;
        };
        // CCE writes texts, the open controller numbers.
        let number = match value {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_u64().and_then(|n| u16::try_from(n).ok()),
        };
        match number.filter(|n| (1..=max).contains(n)) {
            Some(number) => *slot = number,
            None => {
                let message = format!("{} is not valid", json::shown(value));
                problem(field, message, &range(field, max));
            }
        }
    }
    let text = |field: &str| map.get(field).and_then(Value::as_str).filter(|t| !t.is_empty());
    let path = text("path").unwrap_or("/");
    if !path.starts_with('/') || path.len() > 80 {
        let message = format!("\"{path}\" is not a path");
        problem("path", message, "1 to 80 characters that start with /");
    }
    check.probe = match map.get("protocol") {
        None | Some(Value::Null) => None,
        Some(Value::String(word)) if word.is_empty() => None,
        Some(Value::String(word)) if word == "TCP" => Some(Probe::Tcp),
        Some(Value::String(word)) if word == "UDP" => Some(Probe::Udp),
        Some(Value::String(word)) if word == "HTTP" => Some(Probe::Http {
            path: path.to_owned(),
            expected_codes: text("expected_codes")
                // The default, which the cloud does not tell from being asked for.
                .filter(|codes| *codes != "200")
                .map(str::to_owned),
        }),
        Some(other) => {
            let message = format!("{} is not known", json::shown(other));
            problem("protocol", message, "TCP, UDP or HTTP");
            None
        }
    };
    for field in map.keys().filter(|f| !FIELDS.contains(&f.as_str())) {
        warnings.push(Problem {
            option: HEALTH_CHECK_OPTION.to_owned(),
            at: format!("$.{field}"),
            message: "unknown field, ignored".into(),
            valid: closest(field, FIELDS.into_iter()).map(|near| format!("did you mean {near}?")).unwrap_or_default(),
        });
    }
    Some(check)
}

fn range(field: &str, max: u16) -> String {
    if field == "max_retries" {
        format!("a number from 1 to {max}")
    } else {
        format!("a number of seconds from 1 to {max}, without a unit")
    }
}

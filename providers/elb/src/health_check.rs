//! `elb.health-check-flag`, `elb.health-check-option` and `elb.health-check-options`.

use ferrolb_provider::{Problem, Protocol};
use serde_json::{Map, Value};

use crate::json;
use crate::keys::{HEALTH_CHECK_FLAG, HEALTH_CHECK_OPTION, HEALTH_CHECK_OPTIONS, closest};
use crate::parse::read::{Reader, problem};
use crate::spec::{HealthCheck, PortSpec, Probe};

const EXAMPLE: &str = r#"{"protocol":"TCP","delay":"5","timeout":"10","max_retries":"3"}"#;
const LIST_EXAMPLE: &str = r#"[{"target_service_port":"TCP:80","protocol":"TCP","delay":"5"}]"#;
const FIELDS: [&str; 8] =
    ["protocol", "delay", "timeout", "max_retries", "path", "expected_codes", "target_service_port", "monitor_port"];
/// Fields that only the list has.
const LISTED: [&str; 2] = ["target_service_port", "monitor_port"];

/// Sets how the members of each port are to be probed; `open`: the class is said in the open controller's words.
pub(crate) fn parse(reader: &mut Reader<'_>, open: bool, ports: &mut [PortSpec]) {
    if reader.word(HEALTH_CHECK_FLAG).is_some_and(|word| word == "off") {
        return;
    }
    let mut default = HealthCheck::default();
    if open {
        default.timeout = 3;
    }
    let (one, list) = (reader.text(HEALTH_CHECK_OPTION), reader.text(HEALTH_CHECK_OPTIONS));
    if one.is_some() && list.is_some() {
        let message = format!("not together with {HEALTH_CHECK_OPTION}");
        reader.error(HEALTH_CHECK_OPTIONS, message, "one of the two");
    }
    // There, and empty: not a way to say "default".
    if let Some(text) = reader.options.get(HEALTH_CHECK_OPTION) {
        match json::object(HEALTH_CHECK_OPTION, text, EXAMPLE) {
            Ok(map) => default = Fields { map: &map, key: HEALTH_CHECK_OPTION, at: "$" }.check(reader, default),
            Err(problem) => reader.errors.push(problem),
        }
    }
    for port in ports.iter_mut() {
        port.health = Some(default.clone());
    }
    if let Some(text) = reader.options.get(HEALTH_CHECK_OPTIONS) {
        match json::array(HEALTH_CHECK_OPTIONS, text, LIST_EXAMPLE) {
            Ok(items) => by_port(reader, &items, &default, ports),
            Err(problem) => reader.errors.push(problem),
        }
    }
}

fn by_port(reader: &mut Reader<'_>, items: &[Value], default: &HealthCheck, ports: &mut [PortSpec]) {
    let mut named = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let at = format!("$[{index}]");
        let Value::Object(map) = item else {
            let message = format!("{} is not a JSON object", json::shown(item));
            reader.errors.push(located(HEALTH_CHECK_OPTIONS, &at, message, LIST_EXAMPLE));
            continue;
        };
        let fields = Fields { map, key: HEALTH_CHECK_OPTIONS, at: &at };
        let check = fields.check(reader, default.clone());
        let target = map.get("target_service_port").and_then(Value::as_str).unwrap_or_default();
        let parts = target.split_once(':').and_then(|(protocol, port)| {
            let protocol = match protocol.trim() {
                "TCP" => Protocol::Tcp,
                "UDP" => Protocol::Udp,
                _ => return None,
            };
            Some((protocol, port.trim().parse::<u16>().ok()?))
        });
        let at = format!("{at}.target_service_port");
        let found =
            parts.and_then(|(protocol, port)| ports.iter_mut().find(|p| (p.transport, p.port) == (protocol, port)));
        match found {
            Some(_) if named.contains(&parts) => {
                let message = format!("{target} is named twice");
                reader.errors.push(located(HEALTH_CHECK_OPTIONS, &at, message, "each port once"));
            }
            Some(port) => port.health = Some(check),
            None => {
                let message = match target {
                    "" => "missing".to_owned(),
                    _ => format!("the Service has no port \"{target}\""),
                };
                reader.errors.push(located(HEALTH_CHECK_OPTIONS, &at, message, "a port of spec.ports such as TCP:80"));
            }
        }
        named.push(parts);
    }
}

/// One check as JSON, and where it stands.
struct Fields<'a> {
    map: &'a Map<String, Value>,
    key: &'static str,
    at: &'a str,
}

impl Fields<'_> {
    fn problem(&self, field: &str, message: String, valid: impl Into<String>) -> Problem {
        located(self.key, &format!("{}.{field}", self.at), message, valid)
    }

    fn check(&self, reader: &mut Reader<'_>, mut check: HealthCheck) -> HealthCheck {
        for (field, max) in [("delay", 50), ("timeout", 50), ("max_retries", 10)] {
            if let Some(number) = self.number(reader, field, max, &range(field, max)) {
                match field {
                    "delay" => check.delay = number,
                    "timeout" => check.timeout = number,
                    _ => check.max_retries = number,
                }
            }
        }
        if self.key == HEALTH_CHECK_OPTIONS {
            check.port = self.number(reader, "monitor_port", u16::MAX, "a port from 1 to 65535");
        }
        let path = self.text("path").unwrap_or("/");
        if !path.starts_with('/') || path.len() > 80 {
            let valid = "1 to 80 characters that start with /";
            reader.errors.push(self.problem("path", format!("\"{path}\" is not a path"), valid));
        }
        let codes = self.text("expected_codes");
        if let Some(codes) = codes.filter(|codes| !are_codes(codes)) {
            let valid = "at most 5 of 200, or ranges 200-204, separated by commas";
            reader.errors.push(self.problem("expected_codes", format!("\"{codes}\" are no status codes"), valid));
        }
        check.probe = match self.map.get("protocol") {
            None | Some(Value::Null) => check.probe,
            Some(Value::String(word)) => match word.as_str() {
                "" => check.probe,
                "TCP" => Some(Probe::Tcp),
                "UDP" => Some(Probe::Udp),
                // The default, which the cloud does not tell from being asked for.
                "HTTP" => {
                    let expected_codes = codes.filter(|codes| *codes != "200").map(str::to_owned);
                    Some(Probe::Http { path: path.to_owned(), expected_codes })
                }
                _ => self.unknown(reader),
            },
            Some(_) => self.unknown(reader),
        };
        let is_known = |f: &str| FIELDS.contains(&f) && (self.key == HEALTH_CHECK_OPTIONS || !LISTED.contains(&f));
        for field in self.map.keys().filter(|f| !is_known(f)) {
            let valid = match closest(field, FIELDS.into_iter()) {
                Some(near) if LISTED.contains(&near) => format!("{near} is a field of {HEALTH_CHECK_OPTIONS}"),
                Some(near) => format!("did you mean {near}?"),
                None => String::new(),
            };
            reader.warnings.push(self.problem(field, "unknown field, ignored".into(), valid));
        }
        check
    }

    fn unknown(&self, reader: &mut Reader<'_>) -> Option<Probe> {
        let message = format!("{} is not known", json::shown(&self.map["protocol"]));
        reader.errors.push(self.problem("protocol", message, "TCP, UDP or HTTP"));
        None
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.map.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    fn number(&self, reader: &mut Reader<'_>, field: &str, max: u16, valid: &str) -> Option<u16> {
        let value = self.map.get(field).filter(|v| !v.is_null() && **v != "")?;
        let number = json::number(value).and_then(|n| u16::try_from(n).ok()).filter(|n| (1..=max).contains(n));
        if number.is_none() {
            reader.errors.push(self.problem(field, format!("{} is not valid", json::shown(value)), valid));
        }
        number
    }
}

fn located(key: &str, at: &str, message: String, valid: impl Into<String>) -> Problem {
    Problem { at: at.to_owned(), ..problem(key, message, valid) }
}

/// `200`, `200,202`, `200-204`
fn are_codes(text: &str) -> bool {
    let is_code = |code: &str| code.len() == 3 && code.parse::<u16>().is_ok_and(|code| (100..=599).contains(&code));
    let items: Vec<&str> = text.split(',').map(str::trim).collect();
    items.len() <= 5
        && items.iter().all(|item| match item.split_once('-') {
            Some((low, high)) => is_code(low) && is_code(high) && low <= high,
            None => is_code(item),
        })
}

fn range(field: &str, max: u16) -> String {
    if field == "max_retries" {
        format!("a number from 1 to {max}")
    } else {
        format!("a number of seconds from 1 to {max}, without a unit")
    }
}

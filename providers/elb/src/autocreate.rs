//! `elb.autocreate`: the fourteen fields of its JSON object.

use std::net::Ipv4Addr;

use ferrolb_provider::Problem;
use serde_json::{Map, Value};

use crate::keys::{AUTOCREATE, closest};
use crate::spec::{Autocreate, Bandwidth, Class, Flavor, PublicIp, Tags};
use crate::{json, keys};

/// A value that works, for messages.
const EXAMPLE: &str = r#"{"type":"public","bandwidth_name":"cce-bandwidth","bandwidth_chargemode":"traffic","bandwidth_size":5,"bandwidth_sharetype":"PER","eip_type":"5_bgp"}"#;

/// Fields that only a public load balancer uses.
const PUBLIC: [&str; 5] =
    ["bandwidth_name", "bandwidth_chargemode", "bandwidth_size", "bandwidth_sharetype", "eip_type"];
/// Fields that only a dedicated load balancer uses.
const DEDICATED: [&str; 5] =
    ["ipv6_vip_virsubnet_id", "elb_virsubnet_ids", "available_zone", "l4_flavor_name", "l7_flavor_name"];
const OTHER: [&str; 4] = ["name", "type", "vip_subnet_cidr_id", "vip_address"];

/// Reads the value of the annotation. `None` where a problem was found.
pub(crate) fn parse(
    text: &str,
    class: Option<Class>,
    errors: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> Option<Autocreate> {
    let map = match json::object(AUTOCREATE, text, EXAMPLE) {
        Ok(map) => map,
        Err(problem) => {
            errors.push(problem);
            return None;
        }
    };
    let before = errors.len();
    let mut fields = Fields { map, errors };
    let class = class.unwrap_or(Class::Shared);
    let public = fields.one_of("type", &["public", "inner"]).as_deref() == Some("public");
    let name = fields.name("name", 255);
    let bandwidth_name = fields.name("bandwidth_name", 64);
    let charge_mode = fields.one_of("bandwidth_chargemode", &["bandwidth", "traffic"]);
    let bandwidth_size = fields.bandwidth_size();
    let share_type = fields.share_type();
    let kind = fields.text("eip_type");
    if public {
        fields.required("eip_type", "5_bgp", kind.is_some());
        fields.required("bandwidth_size", "5", bandwidth_size.is_some());
        fields.required("bandwidth_sharetype", "PER", share_type.is_some());
    }
    let vip_subnet = fields.id("vip_subnet_cidr_id");
    let vip_address = fields.address("vip_address");
    let ipv6_network = fields.id("ipv6_vip_virsubnet_id");
    let networks = fields.list("elb_virsubnet_ids");
    let zones = fields.list("available_zone");
    let l4_flavor = fields.text("l4_flavor_name");
    let l7_flavor = fields.text("l7_flavor_name");
    if class == Class::Dedicated && zones.as_ref().is_none_or(Vec::is_empty) {
        fields.problem(
            "available_zone",
            "missing: a dedicated load balancer (class performance) needs at least one zone".into(),
            r#"a list such as ["eu-de-01"]"#.into(),
        );
    }
    fields.surplus(public, class, warnings);
    if errors.len() > before {
        return None;
    }
    Some(Autocreate {
        class,
        name,
        public: public.then(|| PublicIp {
            kind: kind.unwrap_or_default(),
            bandwidth: Bandwidth::Own {
                name: bandwidth_name,
                size: bandwidth_size.unwrap_or_default(),
                charge_mode: charge_mode.unwrap_or_else(|| "bandwidth".to_owned()),
            },
        }),
        vip_subnet,
        vip_address,
        ipv6_network,
        networks: networks.unwrap_or_default(),
        zones: zones.unwrap_or_default(),
        l4_flavor: l4_flavor.map(Flavor::Name),
        l7_flavor: l7_flavor.map(Flavor::Name),
        enterprise_project: None,
        ip_targets: None,
        tags: Tags::new(),
    })
}

/// The object, and what is wrong in it.
struct Fields<'a> {
    map: Map<String, Value>,
    errors: &'a mut Vec<Problem>,
}

impl Fields<'_> {
    fn problem(&mut self, field: &str, message: String, valid: String) {
        self.errors.push(Problem { option: AUTOCREATE.to_owned(), at: format!("$.{field}"), message, valid });
    }

    fn value(&self, field: &str) -> Option<Value> {
        self.map.get(field).filter(|v| !v.is_null()).cloned()
    }

    /// Complains about what is not there, unless it is there and was complained about already.
    fn required(&mut self, field: &str, example: &str, found: bool) {
        let is_empty = self.value(field).is_none_or(|v| v == "");
        if !found && is_empty {
            self.problem(field, "missing: needed for \"type\":\"public\"".into(), format!("for instance {example}"));
        }
    }

    /// A text; the empty one counts as absent.
    fn text(&mut self, field: &str) -> Option<String> {
        match self.value(field)? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) if text.chars().count() > 255 => {
                self.problem(field, "longer than 255 characters".into(), String::new());
                None
            }
            Value::String(text) => Some(text),
            other => {
                self.problem(field, format!("{} is not a text", json::shown(&other)), "a text in double quotes".into());
                None
            }
        }
    }

    fn id(&mut self, field: &str) -> Option<String> {
        let id = self.text(field)?;
        if is_id(&id) {
            return Some(id);
        }
        self.problem(field, format!("\"{id}\" is not an id"), ID_FORM.into());
        None
    }

    /// Letters, digits, `_`, `-` and `.`.
    fn name(&mut self, field: &str, max: usize) -> Option<String> {
        if self.value(field)? == "" {
            self.problem(field, "the text is empty".into(), format!("1 to {max} letters, digits, _ - ."));
            return None;
        }
        let name = self.text(field)?;
        let fits = name.len() <= max && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        if fits {
            return Some(name);
        }
        self.problem(field, format!("\"{name}\" is not a name"), format!("1 to {max} letters, digits, _ - ."));
        None
    }

    fn one_of(&mut self, field: &str, known: &[&str]) -> Option<String> {
        let text = self.text(field)?;
        if known.contains(&text.as_str()) {
            return Some(text);
        }
        self.problem(field, format!("\"{text}\" is not known"), format!("one of {}", known.join(", ")));
        None
    }

    fn share_type(&mut self) -> Option<String> {
        let text = self.text("bandwidth_sharetype")?;
        if text == "PER" {
            return Some(text);
        }
        let message = format!("\"{text}\" is not supported: the load balancer's EIP has a bandwidth of its own");
        self.problem("bandwidth_sharetype", message, "PER".into());
        None
    }

    /// 1-2000 Mbit/s, in steps of 1 up to 300, of 50 up to 1000, of 500 above.
    fn bandwidth_size(&mut self) -> Option<u32> {
        const FIELD: &str = "bandwidth_size";
        const RANGE: &str = "a whole number of Mbit/s from 1 to 2000";
        let value = self.value(FIELD)?;
        if let Some(text) = value.as_str() {
            match text.trim().parse::<u32>() {
                Ok(number) => self.problem(
                    FIELD,
                    format!("{value} is a text, not a number"),
                    format!("write {number} without quotes"),
                ),
                Err(_) if text.is_empty() => {}
                Err(_) => self.problem(FIELD, format!("{value} is not a number"), RANGE.into()),
            }
            return None;
        }
        let Some(size) = value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=2000).contains(n)) else {
            let message = if value.is_number() {
                format!("{value} is out of range")
            } else {
                format!("{} is not a number", json::shown(&value))
            };
            self.problem(FIELD, message, RANGE.into());
            return None;
        };
        let step = match size {
            0..=300 => 1,
            301..=1000 => 50,
            _ => 500,
        };
        if size % step == 0 {
            return Some(size);
        }
        let below = size / step * step;
        self.problem(
            FIELD,
            format!("{size} is between two steps"),
            format!("{} or {}: above 300 sizes come in steps of 50, above 1000 of 500", below.max(300), below + step),
        );
        None
    }

    fn address(&mut self, field: &str) -> Option<Ipv4Addr> {
        let text = self.text(field)?;
        text.parse()
            .map_err(|_| {
                self.problem(field, format!("\"{text}\" is not an IPv4 address"), "for instance 10.0.0.5".into());
            })
            .ok()
    }

    /// A list of texts; empty ones, which stand in the vendor's examples as a placeholder, are dropped.
    fn list(&mut self, field: &str) -> Option<Vec<String>> {
        let value = self.value(field)?;
        let texts = value
            .as_array()
            .and_then(|items| items.iter().map(|i| i.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>());
        match texts {
            Some(texts) => Some(texts.into_iter().filter(|t| !t.is_empty()).collect()),
            None => {
                self.problem(
                    field,
                    format!("{} is not a list of texts", json::shown(&value)),
                    r#"for instance ["a","b"]"#.into(),
                );
                // It is there, and wrong: not to be called missing as well.
                Some(vec![String::new()])
            }
        }
    }

    /// Warns of fields that nobody reads, or not in this combination.
    fn surplus(&self, public: bool, class: Class, warnings: &mut Vec<Problem>) {
        let given = |field: &str| self.map.get(field).is_some_and(|v| !is_empty(v));
        let mut warn = |field: &str, message: String, valid: String| {
            warnings.push(Problem { option: AUTOCREATE.to_owned(), at: format!("$.{field}"), message, valid });
        };
        if let Some(field) = PUBLIC.into_iter().find(|f| !public && given(f)) {
            let message = "without effect: the type is inner, so there is no EIP".into();
            warn(field, message, "\"type\":\"public\" makes one".into());
        }
        if class == Class::Shared {
            for field in DEDICATED.into_iter().filter(|f| given(f)) {
                let message = "without effect on a shared load balancer".into();
                warn(field, message, format!("it needs {}: performance", keys::CLASS));
            }
        }
        let known = || PUBLIC.iter().chain(&DEDICATED).chain(&OTHER).copied();
        for field in self.map.keys().filter(|f| !known().any(|k| k == *f)) {
            let valid = match closest(field, known()) {
                Some(near) => format!("did you mean {near}?"),
                None => String::new(),
            };
            warn(field, "unknown field, ignored".into(), valid);
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_empty),
        _ => false,
    }
}

/// What an id looks like.
pub(crate) const ID_FORM: &str = "an id is 1 to 100 letters, digits, - and _";

/// Whether a text can be the id of a cloud object (and stand in a URL).
pub(crate) fn is_id(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests;

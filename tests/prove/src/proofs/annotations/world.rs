//! What the user has in the cloud: the objects that rows name as `{kind:name}`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::case::Case;
use crate::harness::{Cloud, GATEWAY};
use crate::proofs::delete::SUBNET;

// Of shop.example, good for nothing else.
const CERTIFICATE: &str = include_str!("../../../sdk/shop.pem");
const PRIVATE_KEY: &str = include_str!("../../../sdk/shop.key");
const ZONE: &str = "mock-1a";

/// Ids, and addresses where there are any, by `kind:name`.
pub struct World(BTreeMap<String, String>);

impl World {
    /// Makes everything that the rows name.
    pub fn new(cloud: &Cloud<'_>, cases: &[Case]) -> Result<Self> {
        let mut world = Self(BTreeMap::new());
        for name in cases.iter().flat_map(texts).flat_map(|text| names(&text)) {
            world.make(cloud, &name)?;
        }
        Ok(world)
    }

    /// A text with ids in place of names.
    pub fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, id) in &self.0 {
            text = text.replace(&format!("{{{name}}}"), id);
        }
        text
    }

    /// The same for all texts of a value.
    pub fn fill_all(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill(text)),
            Value::Array(items) => items.iter().map(|item| self.fill_all(item)).collect(),
            Value::Object(fields) => {
                Value::Object(fields.iter().map(|(name, value)| (name.clone(), self.fill_all(value))).collect())
            }
            other => other.clone(),
        }
    }

    fn make(&mut self, cloud: &Cloud<'_>, full: &str) -> Result<()> {
        if self.0.contains_key(full) {
            return Ok(());
        }
        let (kind, name) = full.split_once(':').unwrap_or((full, ""));
        let v3 = |path: &str, body: Value| cloud.raw("POST", "v3", &format!("elb/{path}"), Some(&body));
        let (made, at) = match kind {
            "gateway" => (json!({ "id": GATEWAY }), "/id"),
            "l4-flavor" | "l7-flavor" => {
                let layer = kind[..2].to_uppercase();
                let path = format!("elb/flavors?name={layer}_flavor.elb.s1.{name}");
                (cloud.raw("GET", "v3", &path, None)?, "/flavors/0/id")
            }
            "shared" => {
                let body = json!({"loadbalancer": {"name": name, "vip_subnet_id": SUBNET}});
                (cloud.raw("POST", "v2", "elb/loadbalancers", Some(&body))?, "/loadbalancer/id")
            }
            "dedicated" => {
                let body = json!({"loadbalancer": {"name": name, "vip_subnet_cidr_id": SUBNET,
                    "availability_zone_list": [ZONE], "guaranteed": true}});
                (v3("loadbalancers", body)?, "/loadbalancer/id")
            }
            "certificate" => {
                let body = json!({"certificate": {"name": name, "domain": format!("{name}.shop.example"),
                    "certificate": CERTIFICATE, "private_key": PRIVATE_KEY}});
                (v3("certificates", body)?, "/certificate/id")
            }
            "ca" => {
                let body = json!({"certificate": {"name": name, "type": "client", "certificate": CERTIFICATE}});
                (v3("certificates", body)?, "/certificate/id")
            }
            "group" => {
                let body = json!({"ipgroup": {"name": name, "ip_list": [{"ip": "192.0.2.0/24"}]}});
                (v3("ipgroups", body)?, "/ipgroup/id")
            }
            "policy" => {
                let body = json!({"security_policy": {"name": name, "protocols": ["TLSv1.2"],
                    "ciphers": ["ECDHE-RSA-AES256-GCM-SHA384"]}});
                (v3("security-policies", body)?, "/security_policy/id")
            }
            "eip" | "address" => {
                let body = json!({"publicip": {"type": "5_bgp", "alias": name},
                    "bandwidth": {"name": name, "size": 5, "share_type": "PER"}});
                let made = cloud.raw("POST", "v1", "publicips", Some(&body))?;
                self.keep(&format!("eip:{name}"), &made, "/publicip/id")?;
                return self.keep(&format!("address:{name}"), &made, "/publicip/public_ip_address");
            }
            _ => bail!("a row names {{{full}}}, and nothing says how that is made"),
        };
        self.keep(full, &made, at)
    }

    fn keep(&mut self, name: &str, made: &Value, at: &str) -> Result<()> {
        let id = made.pointer(at).and_then(Value::as_str).with_context(|| format!("no {at} in {made}"))?;
        self.0.insert(name.to_owned(), id.to_owned());
        Ok(())
    }
}

/// Everything of a case that may name an object.
fn texts(case: &Case) -> Vec<String> {
    let beside = case.beside.iter().map(|(_, value)| (*value).to_owned());
    let values = case.steps.iter().filter_map(|step| step.value.clone());
    let facts = case.steps.iter().flat_map(|step| step.expect.facts.iter().map(|(_, value)| value.to_string()));
    let words = case.steps.iter().flat_map(|step| step.expect.told.words().to_vec());
    beside.chain(values).chain([case.spec.to_string()]).chain(facts).chain(words).collect()
}

/// What stands in braces and looks like `kind:name`.
fn names(text: &str) -> Vec<String> {
    let is_name = |name: &&str| {
        name.contains(':') && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b":-".contains(&b))
    };
    let inside = text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name));
    inside.filter(is_name).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_json() {
        assert_eq!(names(r#"{"type":"inner"} {eip:a} {"id":"{shared:b-1}"}"#), ["eip:a", "shared:b-1"]);
        let world = World(BTreeMap::from([("eip:a".to_owned(), "7".to_owned())]));
        assert_eq!(world.fill_all(&json!({"x": ["{eip:a}", 1]})), json!({"x": ["7", 1]}));
    }
}

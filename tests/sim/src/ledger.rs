//! The cloud's ledger as the judge reads it: whose is what, and what belongs to strangers. It reads owner marks with
//! its own few lines, so that the product cannot be wrong together with it.

use std::collections::{BTreeMap, BTreeSet};

use ferrolb_mock::{Cloud, PROJECT_ID};
use serde_json::Value;

/// What changes in a stranger's object without anybody touching it.
const MOVING: [&str; 7] = [
    "listeners",
    "pools",
    "updated_at",
    "status",
    "default_pool_id",
    // Rules of a NAT gateway, which several may have on one EIP, take it and give it back.
    "associate_instance_type",
    "associate_instance_id",
];

/// The ledger at one moment.
#[derive(Clone, Default)]
pub struct Ledger {
    pub revision: u64,
    /// Everything, as the mock shows it, once it was asked for: it is costly.
    all: Option<Value>,
    /// Id → kind and UID of everything with a mark of ours.
    pub ours: BTreeMap<String, (&'static str, String)>,
    /// Id → what must not change of everything without one.
    pub foreign: BTreeMap<String, String>,
}

impl Ledger {
    /// Reads whose is what.
    pub fn of(cloud: &Cloud) -> Self {
        Self::default().after(cloud, None)
    }

    /// Reads it anew after a call. Of strangers' objects only those are looked at that are new or that the call
    /// names: the cloud changes no others.
    pub fn after(&self, cloud: &Cloud, path: Option<&str>) -> Self {
        let mut ledger = Self { revision: cloud.revision(), ..Self::default() };
        for (kind, id, text) in cloud.texts() {
            if let Some(uid) = uid_in(&text) {
                ledger.ours.insert(id, (kind, uid));
                continue;
            }
            let named = path.is_none_or(|path| path.contains(&id));
            let known = self.foreign.get(&id).filter(|_| !named).cloned();
            let value = known.unwrap_or_else(|| still(cloud, kind, &id));
            ledger.foreign.insert(id, value);
        }
        ledger
    }

    /// Reads everything, where that was not done since the last change.
    pub fn load(&mut self, cloud: &Cloud) {
        if self.revision != cloud.revision() {
            *self = Self::of(cloud);
        }
        if self.all.is_none() {
            self.all = Some(cloud.ledger());
        }
    }

    /// The objects of a kind with the mark of a Service.
    pub fn of_uid<'a>(&'a self, kind: &'a str, uid: &'a str) -> Vec<&'a Value> {
        let id = |object: &Value| object["id"].as_str().unwrap_or_default().to_owned();
        let mine = |object: &&Value| self.ours.get(&id(object)).is_some_and(|(_, u)| u == uid);
        self.objects(kind).filter(mine).collect()
    }

    /// All objects of a kind.
    pub fn objects(&self, kind: &str) -> impl Iterator<Item = &Value> {
        let list = self.all.as_ref().and_then(|all| all[kind].as_array());
        list.into_iter().flatten()
    }

    /// The addresses of all load balancers.
    pub fn addresses(&self) -> BTreeSet<String> {
        let vips = self.objects("loadbalancers").map(|balancer| &balancer["vip_address"]);
        let eips = self.objects("eips").map(|eip| &eip["public_ip_address"]);
        vips.chain(eips).filter_map(|ip| ip.as_str().map(str::to_owned)).collect()
    }

    /// Whether clients reach an address through a load balancer of the Service or the one it adopted, or through a rule.
    pub fn serves(&self, ip: &str, uid: &str, adopted: Option<&str>) -> bool {
        self.objects("loadbalancers").any(|balancer| {
            let id = balancer["id"].as_str().unwrap_or_default();
            let its = adopted == Some(id) || self.ours.get(id).is_some_and(|(_, u)| u == uid);
            let bound = balancer["eips"].as_array().into_iter().flatten().any(|e| e["eip_address"] == ip);
            its && (bound || balancer["vip_address"] == ip)
        }) || self.of_uid("dnatrules", uid).iter().any(|rule| rule["floating_ip_address"] == ip)
    }
}

/// `… uid=UID …` of a description, or `ferrolb-UID-hash` of an alias.
fn uid_in(mark: &str) -> Option<String> {
    if let Some(rest) = mark.strip_prefix("ferrolb.io/owner ") {
        return rest.split(' ').find_map(|word| word.strip_prefix("uid=")).map(str::to_owned);
    }
    let rest = mark.strip_prefix("ferrolb-")?;
    rest.rsplit_once('-').map(|(uid, _)| uid.to_owned())
}

/// What must not change of a stranger's object.
fn still(cloud: &Cloud, kind: &str, id: &str) -> String {
    let path = match kind {
        "eips" => format!("/v3/{PROJECT_ID}/eip/publicips/{id}"),
        "dnatrules" => format!("/v2/{PROJECT_ID}/dnat_rules/{id}"),
        _ => format!("/v3/{PROJECT_ID}/elb/{kind}/{id}"),
    };
    let mut body = cloud.call("GET", &path, b"").body.unwrap_or_default();
    for object in body.as_object_mut().into_iter().flat_map(|wrapper| wrapper.values_mut()) {
        if let Some(fields) = object.as_object_mut() {
            MOVING.iter().for_each(|field| _ = fields.remove(*field));
        }
    }
    body.to_string()
}

//! Objects, their versions and history: what etcd and the registry of an API server are together.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use axum::body::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::{self, Owners, strings};
use super::service;
use crate::dice::Dice;

/// A kind of object that the server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Service,
    Node,
    Slice,
    Class,
    Lease,
    Namespace,
}

/// Kind, namespace (empty where there is none), name.
pub type Key = (Kind, String, String);

/// Whether a write goes to an object or to its subresource `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    Main,
    Status,
}

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    pub code: u16,
    pub reason: &'static str,
    pub message: String,
}

/// One change, as a watch tells it.
#[derive(Clone)]
pub struct Change {
    pub version: u64,
    pub kind: Kind,
    /// The object's UID, if it is being deleted.
    pub deleting: Option<String>,
    /// A line of a watch stream.
    pub line: Bytes,
}

/// A list of which the rest is fetched later.
pub struct Rest {
    pub version: u64,
    pub items: VecDeque<Value>,
}

/// Everything the server stores.
pub struct Store {
    objects: BTreeMap<Key, Value>,
    owners: BTreeMap<Key, Owners>,
    history: Vec<Change>,
    version: u64,
    /// Version of the last change that a watch tells.
    told: u64,
    /// The same for Services alone.
    services: u64,
    /// Watches from before this version are told 410.
    compacted: u64,
    /// Lists under way by continue token.
    pub rests: BTreeMap<String, Rest>,
    dice: Dice,
}

impl Kind {
    pub fn api_version(self) -> &'static str {
        match self {
            Self::Service | Self::Node | Self::Namespace => "v1",
            Self::Slice => "discovery.k8s.io/v1",
            Self::Class => "ferrolb.io/v1alpha1",
            Self::Lease => "coordination.k8s.io/v1",
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::Node => "Node",
            Self::Slice => "EndpointSlice",
            Self::Class => "LoadBalancerClass",
            Self::Lease => "Lease",
            Self::Namespace => "Namespace",
        }
    }
}

impl Refusal {
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into() }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(422, "Invalid", message)
    }

    pub fn not_found(name: &str) -> Self {
        Self::new(404, "NotFound", format!("{name:?} not found"))
    }

    pub fn gone() -> Self {
        Self::new(410, "Expired", "too old resource version")
    }

    /// As the server writes it.
    pub fn status(&self) -> Value {
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "code": self.code, "reason": self.reason, "message": self.message,
        })
    }
}

impl Store {
    pub fn new(seed: u64) -> Self {
        Self {
            objects: BTreeMap::new(),
            owners: BTreeMap::new(),
            history: Vec::new(),
            version: 1000,
            told: 0,
            services: 0,
            compacted: 0,
            rests: BTreeMap::new(),
            dice: Dice::new(seed, "store"),
        }
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    /// The version of the last change that a watch tells.
    pub fn told(&self) -> u64 {
        self.told
    }

    /// Version of the last change of any Service.
    pub fn services_version(&self) -> u64 {
        self.services
    }

    pub fn get(&self, key: &Key) -> Option<&Value> {
        self.objects.get(key)
    }

    /// All objects of a kind, in the order of their names.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = (&Key, &Value)> {
        self.objects.iter().filter(move |((k, _, _), _)| *k == kind)
    }

    /// The Service with a UID.
    pub fn service(&self, uid: &str) -> Option<&Value> {
        self.all(Kind::Service).map(|(_, service)| service).find(|s| s["metadata"]["uid"] == uid)
    }

    /// The changes of a kind after a version, or a refusal where they are no longer known.
    pub fn since(&self, kind: Kind, version: u64) -> Result<impl Iterator<Item = &Change>, Refusal> {
        if version < self.compacted {
            return Err(Refusal::gone());
        }
        let from = self.history.partition_point(|change| change.version <= version);
        Ok(self.history[from..].iter().filter(move |change| change.kind == kind))
    }

    /// Forgets all history.
    pub fn compact(&mut self) {
        self.compacted = self.version;
        self.history.clear();
    }

    pub fn create(&mut self, key: Key, mut object: Value, manager: &str, now: Timestamp) -> Result<Value, Refusal> {
        if self.objects.contains_key(&key) {
            let message = format!("{:?} already exists", key.2);
            return Err(Refusal::new(409, "AlreadyExists", message));
        }
        object["apiVersion"] = json!(key.0.api_version());
        object["kind"] = json!(key.0.word());
        object["metadata"]["name"] = json!(key.2);
        if !key.1.is_empty() {
            object["metadata"]["namespace"] = json!(key.1);
        }
        object["metadata"]["uid"] = json!(self.dice.uuid());
        object["metadata"]["creationTimestamp"] = json!(seconds(now));
        if key.0 == Kind::Service {
            object["status"] = json!({"loadBalancer": {}});
            let from = self.dice.bits();
            service::complete(None, &mut object, &self.node_ports(&key), from)?;
        }
        let mut owners = Owners::new();
        fields::changed(&mut owners, manager, &Value::Null, &object);
        self.owners.insert(key.clone(), owners);
        Ok(self.put(key, object, "ADDED"))
    }

    /// Changes an object as `change` says, under the rules of the endpoint.
    pub fn update(
        &mut self,
        key: &Key,
        via: Via,
        manager: &str,
        change: impl FnOnce(&Value) -> Result<Value, Refusal>,
    ) -> Result<Value, Refusal> {
        let old = self.objects.get(key).cloned().ok_or_else(|| Refusal::not_found(&key.2))?;
        let new = change(&old)?;
        let (new, changed) = self.admit(key, via, &old, new)?;
        if changed {
            fields::changed(self.owners.entry(key.clone()).or_default(), manager, &old, &new);
        }
        Ok(self.commit(key, new, changed))
    }

    /// Server-side apply to `status`: finalizers and annotations go with it, the spec does not.
    pub fn apply_status(&mut self, key: &Key, manager: &str, force: bool, body: &Value) -> Result<Value, Refusal> {
        let old = self.objects.get(key).cloned().ok_or_else(|| Refusal::not_found(&key.2))?;
        let uid = &body["metadata"]["uid"];
        if !uid.is_null() && *uid != old["metadata"]["uid"] {
            let message = format!("uid mismatch: the provided object specified uid {uid}");
            return Err(Refusal::new(409, "Conflict", message));
        }
        let version = &body["metadata"]["resourceVersion"];
        if !version.is_null() && *version != old["metadata"]["resourceVersion"] {
            return Err(Refusal::new(409, "Conflict", "the object has been modified"));
        }
        let owners = self.owners.get(key).cloned().unwrap_or_default();
        let (new, owners) = fields::apply(&old, &owners, manager, force, &fields::fields(body))
            .map_err(|conflict| Refusal::new(409, "Conflict", conflict))?;
        let (new, changed) = self.admit(key, Via::Status, &old, new)?;
        self.owners.insert(key.clone(), owners);
        Ok(self.commit(key, new, changed))
    }

    /// Deletes an object, or marks it where finalizers hold it.
    pub fn delete(&mut self, key: &Key, now: Timestamp) -> Result<(), Refusal> {
        let mut object = self.objects.get(key).cloned().ok_or_else(|| Refusal::not_found(&key.2))?;
        if strings(&object["metadata"]["finalizers"]).is_empty() {
            self.remove(key);
        } else if object["metadata"]["deletionTimestamp"].is_null() {
            object["metadata"]["deletionTimestamp"] = json!(seconds(now));
            self.put(key.clone(), object, "MODIFIED");
        }
        Ok(())
    }

    /// What the endpoint lets through of a change, and whether anything is left of it.
    fn admit(&mut self, key: &Key, via: Via, old: &Value, mut new: Value) -> Result<(Value, bool), Refusal> {
        let (before, after) = (&old["metadata"], &new["metadata"]);
        for field in ["resourceVersion", "uid"] {
            if !after[field].is_null() && after[field] != before[field] {
                let message = format!("the object has been modified: {field} {}", after[field]);
                return Err(Refusal::new(409, "Conflict", message));
            }
        }
        for field in ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "resourceVersion"] {
            if !before[field].is_null() {
                new["metadata"][field] = before[field].clone();
            }
        }
        match (key.0, via) {
            (_, Via::Status) => new["spec"] = old["spec"].clone(),
            (Kind::Service, Via::Main) => new["status"] = old["status"].clone(),
            _ => {}
        }
        let had = strings(&before["finalizers"]);
        let added = strings(&new["metadata"]["finalizers"]).into_iter().find(|f| !had.contains(f));
        if let Some(added) = added.filter(|_| !before["deletionTimestamp"].is_null()) {
            let message = format!("no new finalizers can be added if the object is being deleted, found {added:?}");
            return Err(Refusal::invalid(message));
        }
        if key.0 == Kind::Service {
            if via == Via::Status && new["spec"]["type"] != "LoadBalancer" && has_ingress(&new) {
                return Err(Refusal::invalid(
                    "status.loadBalancer.ingress: may only be used when `spec.type` is LoadBalancer",
                ));
            }
            let from = self.dice.bits();
            service::complete(Some(old), &mut new, &self.node_ports(key), from)?;
        }
        let changed = new != *old;
        Ok((new, changed))
    }

    fn commit(&mut self, key: &Key, new: Value, changed: bool) -> Value {
        if !changed {
            return new;
        }
        let metadata = &new["metadata"];
        if !metadata["deletionTimestamp"].is_null() && strings(&metadata["finalizers"]).is_empty() {
            self.objects.insert(key.clone(), new.clone());
            self.remove(key);
            return new;
        }
        self.put(key.clone(), new, "MODIFIED")
    }

    fn put(&mut self, key: Key, mut object: Value, verb: &str) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.remember(key.0, verb, &object);
        self.objects.insert(key, object.clone());
        object
    }

    fn remove(&mut self, key: &Key) {
        if let Some(mut object) = self.objects.remove(key) {
            self.owners.remove(key);
            self.version += 1;
            object["metadata"]["resourceVersion"] = json!(self.version.to_string());
            self.remember(key.0, "DELETED", &object);
        }
    }

    fn remember(&mut self, kind: Kind, verb: &str, object: &Value) {
        // Leases change all the time and nobody watches them.
        if kind == Kind::Lease {
            return;
        }
        self.told = self.version;
        if kind == Kind::Service {
            self.services = self.version;
        }
        let mut line = format!(r#"{{"type":"{verb}","object":"#).into_bytes();
        // A Value always has a text.
        line.extend(serde_json::to_vec(object).unwrap_or_default());
        line.extend(b"}\n");
        let deleting = !object["metadata"]["deletionTimestamp"].is_null() || verb == "DELETED";
        let uid = object["metadata"]["uid"].as_str().filter(|_| deleting).map(str::to_owned);
        self.history.push(Change { version: self.version, kind, deleting: uid, line: Bytes::from(line) });
    }

    /// The node ports of all Services but one.
    fn node_ports(&self, but: &Key) -> BTreeSet<i64> {
        let others = self.all(Kind::Service).filter(|(key, _)| *key != but);
        others.flat_map(|(_, service)| service::ports_of(service)).collect()
    }
}

fn has_ingress(service: &Value) -> bool {
    service["status"]["loadBalancer"]["ingress"].as_array().is_some_and(|list| !list.is_empty())
}

/// Kubernetes' times have seconds.
fn seconds(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

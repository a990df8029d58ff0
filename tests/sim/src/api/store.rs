//! Objects, their versions and history: what etcd and the registry of an API server are together.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use axum::body::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::{self, Owners, strings};
use super::refusal::Refusal;
use super::{class, metadata, service, slice};
use crate::dice::Dice;

/// The version of an empty store.
const FIRST: u64 = 1000;

/// A kind of object that the server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Service,
    Node,
    Slice,
    Class,
    Lease,
    Namespace,
    Event,
}

/// Kind, namespace (empty where there is none), name.
pub type Key = (Kind, String, String);

/// Whether a write goes to an object or to its subresource `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    Main,
    Status,
}

/// One change, as a watch tells it.
#[derive(Clone)]
pub struct Change {
    pub version: u64,
    pub kind: Kind,
    pub namespace: String,
    /// The object's UID, if it is being deleted.
    pub deleting: Option<String>,
    /// A line of a watch stream.
    pub line: Bytes,
}

/// A list of which the rest is fetched later.
#[derive(Clone)]
pub struct Rest {
    pub version: u64,
    pub items: VecDeque<Value>,
}

/// The state of a store before a write that is only tried.
pub struct Mark {
    key: Key,
    object: Option<Value>,
    owners: Option<Owners>,
    versions: (u64, u64, u64),
    history: usize,
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
            Self::Event => "events.k8s.io/v1",
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
            Self::Event => "Event",
        }
    }
}

impl Store {
    pub fn new(seed: u64) -> Self {
        Self {
            objects: BTreeMap::new(),
            owners: BTreeMap::new(),
            history: Vec::new(),
            version: FIRST,
            told: 0,
            services: 0,
            // Nobody can know what was before.
            compacted: FIRST,
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
        self.objects.range((kind, String::new(), String::new())..).take_while(move |((k, _, _), _)| *k == kind)
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
        if let Some(there) = self.objects.get(&key) {
            return Err(Refusal::exists(&key, !there["metadata"]["deletionTimestamp"].is_null()));
        }
        metadata::create(&key, &mut object, self.dice.uuid(), now)?;
        if key.0 == Kind::Service {
            object["status"] = json!({"loadBalancer": {}});
        }
        self.complete(&key, None, &mut object)?;
        let mut owners = Owners::new();
        fields::changed(&mut owners, &fields::updater(manager, Via::Main, key.0), &Value::Null, &object);
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
        let old = self.objects.get(key).cloned().ok_or_else(|| Refusal::not_found(key))?;
        let new = change(&old)?;
        let new = self.admit(key, via, &old, new, true)?;
        Ok(self.commit(key, via, manager, &old, new))
    }

    /// Puts another object in the place of one.
    pub fn replace(&mut self, key: &Key, via: Via, manager: &str, new: Value) -> Result<Value, Refusal> {
        let old = self.objects.get(key).cloned().ok_or_else(|| Refusal::not_found(key))?;
        let new = self.admit(key, via, &old, new, false)?;
        Ok(self.commit(key, via, manager, &old, new))
    }

    /// Server-side apply to `status`: finalizers, labels and annotations go with it, the spec does not.
    pub fn apply_status(&mut self, key: &Key, manager: &str, force: bool, body: &Value) -> Result<Value, Refusal> {
        let said = &body["metadata"];
        let Some(old) = self.objects.get(key).cloned() else {
            let uid = said["uid"].as_str().unwrap_or_default();
            let why =
                format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
            return Err(if uid.is_empty() { Refusal::not_found(key) } else { Refusal::conflict(key, &why) });
        };
        let owners = self.owners.get(key).cloned().unwrap_or_default();
        let mut wished = body.clone();
        wished["spec"] = old["spec"].clone();
        service::default_ingress(&mut wished);
        let manager = fields::applier(manager);
        let (mut new, after) = fields::apply(&old, &owners, &manager, force, &fields::fields(&wished))
            .map_err(|conflicts| Refusal::owned(&conflicts))?;
        for field in ["uid", "resourceVersion"] {
            if !said[field].is_null() {
                new["metadata"][field] = said[field].clone();
            }
        }
        let new = self.admit(key, Via::Status, &old, new, true)?;
        self.owners.insert(key.clone(), after.clone());
        Ok(self.store(key, &old, new, owners != after))
    }

    /// Deletes an object, or marks it where finalizers hold it.
    pub fn delete(&mut self, key: &Key, now: Timestamp) -> Result<(), Refusal> {
        self.delete_if(key, &Value::Null, now).map(drop)
    }

    /// Deletes an object that is what `preconditions` say; gives its last state, and whether it is gone.
    pub fn delete_if(&mut self, key: &Key, preconditions: &Value, now: Timestamp) -> Result<(Value, bool), Refusal> {
        let mut object = self.objects.get(key).cloned().ok_or_else(|| Refusal::not_found(key))?;
        for (field, word, deed) in
            [("uid", "UID", "deleted and then recreated"), ("resourceVersion", "ResourceVersion", "modified")]
        {
            let (wanted, there) = (&preconditions[field], &object["metadata"][field]);
            if !wanted.is_null() && wanted != there {
                let (wanted, there) = (wanted.as_str().unwrap_or_default(), there.as_str().unwrap_or_default());
                return Err(Refusal::precondition(
                    key,
                    &format!(
                        "the {word} in the precondition ({wanted}) does not match the {word} in record ({there}). \
                     The object might have been {deed}"
                    ),
                ));
            }
        }
        if strings(&object["metadata"]["finalizers"]).is_empty() {
            return Ok((self.remove(key).unwrap_or_default(), true));
        }
        if object["metadata"]["deletionTimestamp"].is_null() {
            object["metadata"]["deletionTimestamp"] = json!(metadata::seconds(now));
            object["metadata"]["deletionGracePeriodSeconds"] = json!(0);
            if let Some(generation) = object["metadata"]["generation"].as_u64() {
                object["metadata"]["generation"] = json!(generation + 1);
            }
            object = self.put(key.clone(), object, "MODIFIED");
        }
        Ok((object, false))
    }

    /// A name that begins so and is not taken.
    pub fn generate(&mut self, from: &str) -> String {
        format!("{from}{:05x}", self.dice.below(0x10_0000))
    }

    /// What [`Store::back_to`] needs to undo one write on an object.
    pub fn mark(&self, key: &Key) -> Mark {
        Mark {
            key: key.clone(),
            object: self.objects.get(key).cloned(),
            owners: self.owners.get(key).cloned(),
            versions: (self.version, self.told, self.services),
            history: self.history.len(),
        }
    }

    /// Undoes what was written since.
    pub fn back_to(&mut self, mark: Mark) {
        match mark.object {
            Some(object) => _ = self.objects.insert(mark.key.clone(), object),
            None => _ = self.objects.remove(&mark.key),
        }
        match mark.owners {
            Some(owners) => _ = self.owners.insert(mark.key, owners),
            None => _ = self.owners.remove(&mark.key),
        }
        (self.version, self.told, self.services) = mark.versions;
        self.history.truncate(mark.history);
    }

    /// What the endpoint lets through of a change.
    fn admit(&mut self, key: &Key, via: Via, old: &Value, mut new: Value, patched: bool) -> Result<Value, Refusal> {
        if key.0 == Kind::Service {
            service::default_ingress(&mut new);
        }
        match (key.0, via) {
            (_, Via::Status) => new["spec"] = old["spec"].clone(),
            (Kind::Service, Via::Main) => new["status"] = old["status"].clone(),
            _ => {}
        }
        metadata::update(key, old, &mut new, patched)?;
        if key.0 == Kind::Service && via == Via::Status && new["spec"]["type"] != "LoadBalancer" && has_ingress(&new) {
            let causes = vec![("status.loadBalancer.ingress".to_owned(), "FieldValueForbidden")];
            return Err(Refusal::invalid(key, &causes));
        }
        self.complete(key, Some(old), &mut new)?;
        metadata::count_generation(key, old, &mut new);
        Ok(new)
    }

    /// The rules and defaults of a kind.
    fn complete(&mut self, key: &Key, old: Option<&Value>, new: &mut Value) -> Result<(), Refusal> {
        let result = match key.0 {
            Kind::Service => {
                let from = self.dice.bits();
                service::complete(old, new, &self.node_ports(key), from)
            }
            Kind::Class => class::complete(old, new),
            Kind::Slice => {
                slice::complete(new);
                Ok(())
            }
            Kind::Event => {
                slice::complete_event(new);
                Ok(())
            }
            _ => Ok(()),
        };
        result.map_err(|causes| Refusal::invalid(key, &causes))
    }

    fn commit(&mut self, key: &Key, via: Via, manager: &str, old: &Value, new: Value) -> Value {
        if new != *old {
            let manager = fields::updater(manager, via, key.0);
            fields::changed(self.owners.entry(key.clone()).or_default(), &manager, old, &new);
        }
        self.store(key, old, new, false)
    }

    /// Writes a new state, if it is one; `owners_changed` makes one of any.
    fn store(&mut self, key: &Key, old: &Value, new: Value, owners_changed: bool) -> Value {
        if new == *old && !owners_changed {
            return new;
        }
        let metadata = &new["metadata"];
        if !metadata["deletionTimestamp"].is_null() && strings(&metadata["finalizers"]).is_empty() {
            self.remove(key);
            return new;
        }
        self.put(key.clone(), new, "MODIFIED")
    }

    fn put(&mut self, key: Key, mut object: Value, verb: &str) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.remember(&key, verb, &object);
        self.objects.insert(key, object.clone());
        object
    }

    /// Takes an object away and gives its last state.
    fn remove(&mut self, key: &Key) -> Option<Value> {
        let mut object = self.objects.remove(key)?;
        self.owners.remove(key);
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.remember(key, "DELETED", &object);
        Some(object)
    }

    fn remember(&mut self, key: &Key, verb: &str, object: &Value) {
        let kind = key.0;
        // These come all the time and nobody watches them.
        if matches!(kind, Kind::Lease | Kind::Event) {
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
        let (version, namespace) = (self.version, key.1.clone());
        self.history.push(Change { version, kind, namespace, deleting: uid, line: Bytes::from(line) });
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

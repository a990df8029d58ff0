//! What is known of the cluster: facts and indexes. A [`Change`] is what one watch event made different.
//!
//! Plain data; whoever shares it has the lock. It answers questions, it decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use ferrolb_provider::Protocol;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::{Class, Endpoint, Node, Slice};

/// Namespace and name of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Key {
    /// The key of an object in a namespace.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// The key in an object's metadata.
    pub fn of(meta: &ObjectMeta) -> Self {
        Self { namespace: meta.namespace.clone().unwrap_or_default(), name: meta.name.clone().unwrap_or_default() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// One object before and after: `old` is `None` when it is new, `new` is `None` when it is gone.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum Change {
    /// A Service.
    Service { old: Option<Arc<Service>>, new: Option<Arc<Service>> },
    /// A node.
    Node { old: Option<Node>, new: Option<Node> },
    /// An EndpointSlice.
    Slice { old: Option<Slice>, new: Option<Slice> },
    /// A LoadBalancerClass.
    Class { old: Option<Class>, new: Option<Class> },
}

/// Everything that decisions are made from.
#[derive(Clone, Debug, Default)]
pub struct World {
    services: BTreeMap<Key, Arc<Service>>,
    nodes: BTreeMap<String, Node>,
    slices: BTreeMap<Key, Slice>,
    /// Keys of the slices of a Service.
    slices_of: BTreeMap<Key, BTreeSet<Key>>,
    classes: BTreeMap<String, Class>,
}

impl World {
    /// Takes in a Service as it is now; `None`: it is gone.
    pub fn apply_service(&mut self, key: Key, new: Option<Arc<Service>>) -> Change {
        let old = put(&mut self.services, key, new.clone());
        Change::Service { old, new }
    }

    /// Takes in a node as it is now; `None`: it is gone.
    pub fn apply_node(&mut self, name: &str, new: Option<Node>) -> Change {
        let old = put(&mut self.nodes, name.to_owned(), new.clone());
        Change::Node { old, new }
    }

    /// Takes in an EndpointSlice as it is now; `None`: it is gone. `key` is the slice's own.
    pub fn apply_slice(&mut self, key: Key, new: Option<Slice>) -> Change {
        let old = put(&mut self.slices, key.clone(), new.clone());
        if let Some(service) = old.as_ref().and_then(service_of)
            && let Some(keys) = self.slices_of.get_mut(&service)
        {
            keys.remove(&key);
            if keys.is_empty() {
                self.slices_of.remove(&service);
            }
        }
        if let Some(service) = new.as_ref().and_then(service_of) {
            self.slices_of.entry(service).or_default().insert(key);
        }
        Change::Slice { old, new }
    }

    /// Takes in a LoadBalancerClass as it is now; `None`: it is gone.
    pub fn apply_class(&mut self, name: &str, new: Option<Class>) -> Change {
        let old = put(&mut self.classes, name.to_owned(), new.clone());
        Change::Class { old, new }
    }

    /// A Service.
    pub fn service(&self, key: &Key) -> Option<&Arc<Service>> {
        self.services.get(key)
    }

    /// All Services, by key.
    pub fn services(&self) -> impl Iterator<Item = (&Key, &Arc<Service>)> {
        self.services.iter()
    }

    /// All nodes, by name.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    /// A node by its name.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.get(name)
    }

    /// The EndpointSlices of a Service, by name.
    pub fn slices(&self, service: &Key) -> impl Iterator<Item = &Slice> {
        let keys = self.slices_of.get(service).into_iter().flatten();
        keys.filter_map(|key| self.slices.get(key))
    }

    /// A class by its name, without the prefix of the group.
    pub fn class(&self, name: &str) -> Option<&Class> {
        self.classes.get(name)
    }

    /// All classes, by name.
    pub fn classes(&self) -> impl Iterator<Item = &Class> {
        self.classes.values()
    }

    /// How many endpoints of a Service take new connections. One in two families counts twice.
    pub fn ready_endpoints(&self, service: &Key) -> usize {
        self.slices(service).map(Slice::ready).sum()
    }

    /// The endpoints behind the port of this name and protocol of a Service, with the port that they listen on.
    pub fn endpoints(
        &self,
        service: &Key,
        port: &str,
        protocol: Protocol,
    ) -> impl Iterator<Item = (&Endpoint, Option<u16>)> {
        self.slices(service).flat_map(move |slice| {
            let own = slice.ports.iter().find(|p| p.name == port && p.protocol == protocol);
            own.into_iter().flat_map(|p| slice.endpoints.iter().map(|e| (e, p.port)))
        })
    }

    /// Whether an endpoint on `node` takes new connections for the port of this name of a Service.
    pub fn has_ready_endpoint(&self, service: &Key, port: &str, node: &str) -> bool {
        let serves = |slice: &&Slice| slice.ports.is_empty() || slice.ports.iter().any(|p| p.name == port);
        let mut endpoints = self.slices(service).filter(serves).flat_map(|slice| &slice.endpoints);
        endpoints.any(|e| e.ready && e.node.as_deref() == Some(node))
    }

    /// The UIDs of all Services.
    pub fn uids(&self) -> BTreeSet<&str> {
        self.services.values().filter_map(|s| s.metadata.uid.as_deref()).collect()
    }
}

/// The Service that a slice belongs to.
pub(crate) fn service_of(slice: &Slice) -> Option<Key> {
    let name = slice.service.as_deref()?;
    Some(Key::new(&slice.namespace, name))
}

fn put<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, new: Option<V>) -> Option<V> {
    match new {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::builders::{endpoint, node, service, slice};

    #[test]
    fn a_change_tells_before_and_after() {
        let mut world = World::default();
        let key = Key::new("default", "web");
        let first = Arc::new(service("web"));
        let Change::Service { old, new } = world.apply_service(key.clone(), Some(first.clone())) else {
            panic!("a Service was applied")
        };
        assert!(old.is_none() && new.is_some());
        assert!(world.service(&key).is_some());
        assert_eq!(world.uids(), BTreeSet::from(["uid-web"]));
        let Change::Service { old, new } = world.apply_service(key.clone(), None) else {
            panic!("a Service was applied")
        };
        assert!(Arc::ptr_eq(&old.unwrap(), &first) && new.is_none());
        assert!(world.service(&key).is_none());
    }

    #[test]
    fn nodes_come_in_the_order_of_their_names() {
        let mut world = World::default();
        for name in ["c", "a", "b"] {
            world.apply_node(name, Some(node(name, "10.0.0.1")));
        }
        world.apply_node("b", None);
        let names: Vec<_> = world.nodes().map(|n| n.name.as_str()).collect();
        assert_eq!(names, ["a", "c"]);
    }

    #[test]
    fn slices_are_found_by_their_service_and_move_with_their_label() {
        let mut world = World::default();
        let (web, api) = (Key::new("default", "web"), Key::new("default", "api"));
        let key = Key::new("default", "web-1");
        let mut one = slice("web-1", "web", [endpoint("n1", true), endpoint("n2", false)]);
        world.apply_slice(key.clone(), Some(one.clone()));
        let other = slice("web-2", "web", [endpoint("n3", true)]);
        world.apply_slice(Key::new("default", "web-2"), Some(other));
        assert_eq!(world.slices(&web).count(), 2);
        assert_eq!(world.ready_endpoints(&web), 2);
        one.service = Some("api".into());
        world.apply_slice(key.clone(), Some(one));
        assert_eq!(world.ready_endpoints(&web), 1);
        assert_eq!(world.ready_endpoints(&api), 1);
        world.apply_slice(key, None);
        assert_eq!(world.slices(&api).count(), 0);
    }
}

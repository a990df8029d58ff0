//! Which Services must be looked at after a change.
//!
//! Too few and a load balancer is wrong until somebody touches the Service; too many and every pod that moves
//! costs calls to the cloud. What we write ourselves is not a reason to look again, somebody undoing it is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ferrolb_provider::Options;
use k8s_openapi::api::core::v1::{Service, ServiceSpec};

use crate::claim::{class_name, is_deleting, is_load_balancer, our_conditions, published};
use crate::desired::{allocates, annotation_matters};
use crate::routing::Routing;
use crate::world::service_of;
use crate::{Change, Class, Endpoint, GROUP_PREFIX, Key, Node, Slice, World, has_finalizer, holder};

/// The Services that `change`, already in `world`, may make different. One that is gone is among them, so that
/// whoever remembers something about it can forget it.
pub fn affected(world: &World, change: &Change) -> BTreeSet<Key> {
    match change {
        Change::Service { old, new } => {
            let any = new.as_deref().or(old.as_deref());
            let look = relevant(old.as_deref(), new.as_deref());
            any.filter(|_| look).map(|svc| Key::of(&svc.metadata)).into_iter().collect()
        }
        Change::Node { old, new } if target(old.as_ref()) != target(new.as_ref()) => {
            candidates(world, |svc| !is_deleting(svc))
        }
        Change::Node { old, new } if is_ready(old.as_ref()) != is_ready(new.as_ref()) => {
            candidates(world, |svc| !is_deleting(svc) && may_be(svc, world, |routing| routing.unchecked))
        }
        // No target, but pods on its network are none either.
        Change::Node { old, new } if old.as_ref().map(addresses) != new.as_ref().map(addresses) => {
            candidates(world, |svc| !is_deleting(svc) && may_follow_endpoints(svc, world))
        }
        Change::Node { .. } => BTreeSet::new(),
        Change::Slice { old, new } => of_slice(world, old.as_ref(), new.as_ref()),
        Change::Class { old, new } if old != new => of_class(world, old.as_ref(), new.as_ref()),
        Change::Class { .. } => BTreeSet::new(),
    }
}

/// Whether the difference between two states of a Service can change what is to be done about it.
///
/// Our finalizer on what is none of ours (any more) counts: a claim of ours was overtaken by the user.
pub fn relevant(old: Option<&Service>, new: Option<&Service>) -> bool {
    let concerns = |svc: Option<&Service>| svc.is_some_and(|s| is_load_balancer(s) || has_finalizer(s));
    if !concerns(old) && !concerns(new) {
        return false;
    }
    let (Some(old), Some(new)) = (old, new) else {
        return true;
    };
    old.metadata.uid != new.metadata.uid
        || is_deleting(old) != is_deleting(new)
        || spec_differs(old, new)
        || annotations(old) != annotations(new)
        || undone(old, new)
        || (!has_finalizer(old) && has_finalizer(new) && !is_candidate(new))
}

fn spec_differs(old: &Service, new: &Service) -> bool {
    let none = ServiceSpec::default();
    let a = old.spec.as_ref().unwrap_or(&none);
    let b = new.spec.as_ref().unwrap_or(&none);
    a.type_ != b.type_
        || a.load_balancer_class != b.load_balancer_class
        || a.load_balancer_source_ranges != b.load_balancer_source_ranges
        || a.load_balancer_ip != b.load_balancer_ip
        || a.ports != b.ports
        || a.session_affinity != b.session_affinity
        || a.session_affinity_config != b.session_affinity_config
        || a.external_ips != b.external_ips
        || a.external_traffic_policy != b.external_traffic_policy
        || a.health_check_node_port != b.health_check_node_port
        || a.ip_families != b.ip_families
        || a.allocate_load_balancer_node_ports != b.allocate_load_balancer_node_ports
}

fn annotations(svc: &Service) -> BTreeMap<&str, &str> {
    let all = svc.metadata.annotations.iter().flatten();
    all.filter(|(key, _)| annotation_matters(key)).map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

/// Somebody took back or replaced what we wrote: finalizer, mark, address or condition.
///
/// Only what *was* there is asked for, so that our own writes, which add, start nothing.
fn undone(old: &Service, new: &Service) -> bool {
    let lost_finalizer = has_finalizer(old) && !has_finalizer(new);
    let lost_mark = holder(old).is_some() && holder(old) != holder(new);
    // On its way out the status is ours to empty.
    let lost_status = !is_deleting(new) && (lost_address(old, new) || lost_condition(old, new));
    lost_finalizer || lost_mark || lost_status
}

fn lost_address(old: &Service, new: &Service) -> bool {
    published(old).iter().any(|i| !published(new).contains(i))
}

fn lost_condition(old: &Service, new: &Service) -> bool {
    our_conditions(old).any(|c| our_conditions(new).all(|n| n.type_ != c.type_))
}

fn is_ready(node: Option<&Node>) -> bool {
    node.is_some_and(|n| n.eligible() && n.ready)
}

/// Whether its traffic may be routed in such a way, whichever class it turns out to have.
fn may_be(svc: &Service, world: &World, such: impl Fn(Routing) -> bool) -> bool {
    let own: Options = svc.metadata.annotations.clone().unwrap_or_default();
    let local = is_local(svc);
    let with = |class: &Class| {
        let options = class.parameters.clone().into_iter().chain(own.clone()).collect();
        such(Routing::of(&options, local))
    };
    such(Routing::of(&own, local)) || world.classes().any(|class| may_have(svc, class) && with(class))
}

/// Whether single endpoints may make a difference to it.
fn may_follow_endpoints(svc: &Service, world: &World) -> bool {
    let allocates = svc.spec.as_ref().is_none_or(allocates);
    may_be(svc, world, |routing| routing.follows_endpoints(allocates))
}

/// Whether a class may be that of a Service: one that names none may get any.
fn may_have(svc: &Service, class: &Class) -> bool {
    class_name(svc).is_none_or(|name| name.strip_prefix(GROUP_PREFIX) == Some(class.name.as_str()))
}

/// A node as a target; `None` where it may not be one. Readiness is not asked: see `backends`.
fn target(node: Option<&Node>) -> Option<&[IpAddr]> {
    node.filter(|n| n.eligible()).map(addresses)
}

fn addresses(node: &Node) -> &[IpAddr] {
    &node.addresses
}

fn of_slice(world: &World, old: Option<&Slice>, new: Option<&Slice>) -> BTreeSet<Key> {
    let keys: BTreeSet<Key> = [old, new].into_iter().flatten().filter_map(service_of).collect();
    let matters = |key: &Key| {
        let of = |slice: Option<&Slice>| slice.filter(|s| service_of(s).as_ref() == Some(key)).cloned();
        let (old, new) = (of(old).unwrap_or_default(), of(new).unwrap_or_default());
        let now = world.ready_endpoints(key);
        let before = (now + old.ready()).saturating_sub(new.ready());
        let svc = world.service(key).filter(|svc| is_candidate(svc) && !is_deleting(svc));
        svc.is_some_and(|svc| {
            (now == 0) != (before == 0)
                || (is_local(svc) && (nodes(&old) != nodes(&new) || old.ports != new.ports))
                || ((answering(&old).ne(answering(&new)) || old.ports != new.ports) && may_follow_endpoints(svc, world))
        })
    };
    keys.into_iter().filter(matters).collect()
}

/// The nodes with an endpoint that answers: with policy Local, those that pass the health check.
fn nodes(slice: &Slice) -> BTreeSet<(Option<&str>, bool)> {
    answering(slice).map(|e| (e.node.as_deref(), e.ready)).collect()
}

/// The endpoints that may get traffic.
fn answering(slice: &Slice) -> impl Iterator<Item = &Endpoint> {
    slice.endpoints.iter().filter(|e| e.ready || e.serving)
}

fn is_local(svc: &Service) -> bool {
    let policy = svc.spec.as_ref().and_then(|s| s.external_traffic_policy.as_deref());
    policy == Some("Local")
}

fn of_class(world: &World, old: Option<&Class>, new: Option<&Class>) -> BTreeSet<Key> {
    let either = || [old, new].into_iter().flatten();
    candidates(world, |svc| either().any(|class| may_have(svc, class)))
}

fn candidates(world: &World, filter: impl Fn(&Service) -> bool) -> BTreeSet<Key> {
    let all = world.services();
    all.filter(|(_, svc)| is_candidate(svc) && filter(svc)).map(|(key, _)| key.clone()).collect()
}

/// Whether a load balancer may be wanted of us: cheap, and rather once too often. Whose it is, `claim` says.
fn is_candidate(svc: &Service) -> bool {
    is_load_balancer(svc) && class_name(svc).is_none_or(|class| class.starts_with(GROUP_PREFIX))
}

#[cfg(test)]
mod sound;
#[cfg(test)]
mod tests;

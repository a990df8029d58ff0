//! Paths of the API and what they mean.

use super::store::{Key, Kind};

/// What a path names.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    /// All objects of a kind, of one namespace or of all.
    All(Kind, Option<String>),
    /// One object; true: its status.
    One(Key, bool),
}

/// Finds the route of a path.
pub fn find(path: &str) -> Option<Route> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, version, rest) = match parts.as_slice() {
        ["api", "v1", rest @ ..] => ("v1", "v1", rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return None,
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, plural, more @ ..] => (Some((*namespace).to_owned()), (*plural, more)),
        [plural, more @ ..] => (None, (*plural, more)),
        [] => return None,
    };
    let (plural, more) = rest;
    let kind = match (group, plural) {
        ("events.k8s.io", "events") => Kind::Event,
        ("v1", "services") => Kind::Service,
        ("v1", "nodes") => Kind::Node,
        ("v1", "namespaces") => Kind::Namespace,
        ("discovery.k8s.io", "endpointslices") => Kind::Slice,
        ("ferrolb.io", "loadbalancerclasses") => Kind::Class,
        ("coordination.k8s.io", "leases") => Kind::Lease,
        _ => return None,
    };
    if !kind.api_version().ends_with(version) {
        return None;
    }
    match more {
        [] => Some(Route::All(kind, namespace)),
        [name] => Some(Route::One((kind, namespace.unwrap_or_default(), (*name).to_owned()), false)),
        [_, "status"] if matches!(kind, Kind::Lease | Kind::Slice | Kind::Event) => None,
        [name, "status"] => Some(Route::One((kind, namespace.unwrap_or_default(), (*name).to_owned()), true)),
        _ => None,
    }
}

/// The first value of a query parameter. Values here need no decoding: numbers, flags and our own tokens.
pub fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
}

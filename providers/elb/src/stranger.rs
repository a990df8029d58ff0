//! What others have hung on a load balancer or an EIP that we use: it is in the way of our listeners or rules, or of a
//! deletion.

use std::collections::BTreeSet;
use std::fmt;

use ferrolb_provider::{Holder, Id, Owner, Protocol, ProviderError, Seen, State};
use serde::Serialize;

use crate::client::Client;
use crate::client::elb::{BalancerJson, Filter, IpGroupJson, ListenerJson, PoolJson, by};
use crate::client::nat::RuleJson;
use crate::mark;
use crate::observe;
use crate::resource::{ElbResource, PoolKey, Taken};

type Found = Seen<ElbResource>;

/// What the cloud calls a rule of a NAT gateway.
const RULE: &str = "DNAT rule";

/// A listener, pool or DNAT rule that is not its finder's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stranger {
    /// `listener`, `pool` or `DNAT rule`.
    pub kind: &'static str,
    /// The cloud's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The ports that it takes; none for a pool.
    pub taken: Vec<Taken>,
    /// Whose it is, where it bears an owner mark.
    pub owner: Option<Owner>,
}

impl Stranger {
    /// Whose it is, or what it is.
    pub(crate) fn holder(&self) -> Holder {
        match &self.owner {
            Some(owner) => Holder::Owner(owner.clone()),
            None => Holder::Stranger(self.to_string()),
        }
    }

    fn of_listener(json: &ListenerJson) -> Self {
        Self {
            kind: "listener",
            id: json.id.clone(),
            name: json.name.clone(),
            taken: observe::taken(json).into_iter().collect(),
            owner: mark::owner_in(&json.description),
        }
    }

    fn of_pool(json: &PoolJson) -> Self {
        let (id, name) = (json.id.clone(), json.name.clone());
        Self { kind: "pool", id, name, taken: Vec::new(), owner: mark::owner_in(&json.description) }
    }

    pub(crate) fn of_rule(json: &RuleJson) -> Self {
        Self {
            kind: RULE,
            id: json.id.clone(),
            name: String::new(),
            taken: match json.protocol.to_ascii_uppercase().as_str() {
                "ANY" => vec![Taken::all(Protocol::Tcp), Taken::all(Protocol::Udp)],
                protocol => {
                    let (first, last) = external_ports(json);
                    match (observe::port_key(protocol, first), observe::port_key(protocol, last)) {
                        (Some(PoolKey::Port(protocol, first)), Some(PoolKey::Port(_, last))) => {
                            vec![Taken { protocol, ranges: vec![(first, last)] }]
                        }
                        _ => Vec::new(),
                    }
                }
            },
            owner: mark::owner_in(&json.description),
        }
    }

    /// Whether it takes a port of the EIP that it hangs on.
    pub(crate) fn has_rule_for(&self, key: &PoolKey) -> bool {
        let PoolKey::Port(protocol, port) = *key else { return false };
        self.kind == RULE && self.taken.iter().any(|taken| taken.meets(protocol, &[(port, port)]))
    }

    pub(crate) fn on(self, parent: &str) -> Found {
        Seen {
            id: Id(self.id.clone()),
            resource: ElbResource::Stranger(self),
            parents: vec![Id(parent.to_owned())],
            owned: false,
            created: String::new(),
            state: State::Ready,
        }
    }
}

impl fmt::Display for Stranger {
    /// `listener 3f2a… (web)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.id)?;
        if self.name.is_empty() { Ok(()) } else { write!(f, " ({})", self.name) }
    }
}

/// First and last port of the EIP that a rule is for.
fn external_ports(json: &RuleJson) -> (u32, u32) {
    let range = json.external_service_port_range.split_once('-');
    let range = range.and_then(|(first, last)| Some((first.trim().parse().ok()?, last.trim().parse().ok()?)));
    range.unwrap_or((json.external_service_port, json.external_service_port))
}

/// Strangers that use a group of ours, which says itself who does; `ours` need not be asked for.
pub(crate) async fn users(
    client: &Client,
    owner: &Owner,
    group: &IpGroupJson,
    ours: &BTreeSet<String>,
) -> Result<Vec<Found>, ProviderError> {
    let filter: Filter =
        group.listeners.iter().filter(|r| !ours.contains(&r.id)).flat_map(|r| by("id", &r.id)).collect();
    if filter.is_empty() {
        return Ok(Vec::new());
    }
    let found = client.listeners(filter).await?;
    // Where a list lags it may be our own.
    let others = found.iter().filter(|json| !mark::is_of(&json.description, owner));
    Ok(others.map(|json| Stranger::of_listener(json).on(&group.id)).collect())
}

/// Strangers on `balancer`, which says itself what hangs on it: `ours` need not be asked for, so that where there is
/// nobody else there is no call.
pub(crate) async fn list(
    client: &Client,
    balancer: &BalancerJson,
    ours: &BTreeSet<String>,
) -> Result<Vec<Found>, ProviderError> {
    let filter = || by("loadbalancer_id", &balancer.id);
    let mut found = Vec::new();
    if balancer.listeners.iter().any(|r| !ours.contains(&r.id)) {
        found.extend(client.listeners(filter()).await?.iter().map(Stranger::of_listener));
    }
    if balancer.pools.iter().any(|r| !ours.contains(&r.id)) {
        found.extend(client.pools(filter()).await?.iter().map(Stranger::of_pool));
    }
    found.retain(|s| !ours.contains(&s.id));
    Ok(found.into_iter().map(|s| s.on(&balancer.id)).collect())
}

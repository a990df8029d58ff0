//! What clients can reach right now. Pure.

mod nat;

use std::collections::BTreeMap;
use std::net::IpAddr;

use ferrolb_provider::{Address, Health, Id, IpMode, Protocol, Resource, Seen, Serving, State};

use crate::resource::{Binding, Eip, ElbResource, LoadBalancer, MemberHealth, PoolKey};

type Found = Seen<ElbResource>;

/// Addresses, the EIP first, once everything that they promise is there; and how the backends are.
pub(crate) fn status(model: &[ElbResource], seen: &[Found], mode: IpMode) -> Serving {
    if let Some(serving) = nat::status(model, seen, mode) {
        return serving;
    }
    let Some((balancer, lb)) = main_balancer(model, seen) else {
        return Serving::default();
    };
    let pools: Vec<(Protocol, u16, &Found)> =
        model.iter().filter_map(|wanted| served(wanted, balancer, seen)).collect();
    let mut serving = Serving { health: health(&pools, seen), ..Serving::default() };
    let Some(public) = public_addresses(model, &balancer.id, lb, seen) else {
        return serving;
    };
    if pools.is_empty() || matches!(balancer.state, State::Failed(_)) {
        return serving;
    }
    let mode = model.iter().find_map(wished_mode).unwrap_or(mode);
    let ports: Vec<(Protocol, u16)> = pools.iter().map(|(protocol, port, _)| (*protocol, *port)).collect();
    let ipv6 = lb.found.as_ref().and_then(|f| f.ipv6);
    let addresses = public.into_iter().chain(lb.vip).chain(ipv6);
    serving.addresses = addresses.map(|ip| Address { ip, mode, ports: ports.clone() }).collect();
    serving
}

fn wished_mode(wanted: &ElbResource) -> Option<IpMode> {
    match wanted {
        ElbResource::LoadBalancer(lb) => lb.mode,
        _ => None,
    }
}

/// The load balancer that takes the slot of the model: the adopted one, or the oldest of ours.
fn main_balancer<'a>(model: &[ElbResource], seen: &'a [Found]) -> Option<(&'a Found, &'a LoadBalancer)> {
    let adopted: Option<Id> =
        model.iter().filter(|r| matches!(r, ElbResource::LoadBalancer(_))).find_map(Resource::adopted);
    seen.iter()
        .filter_map(|s| match &s.resource {
            ElbResource::LoadBalancer(lb) => Some((s, lb)),
            _ => None,
        })
        .filter(|(s, _)| match &adopted {
            Some(id) => s.id == *id,
            None => s.owned,
        })
        .min_by_key(|(s, _)| (s.created.clone(), s.id.clone()))
}

/// The public addresses; `None` where there should be one and it is not bound yet.
fn public_addresses(model: &[ElbResource], balancer: &Id, lb: &LoadBalancer, seen: &[Found]) -> Option<Vec<IpAddr>> {
    let wished = model.iter().find(|r| matches!(r, ElbResource::Eip(_) | ElbResource::Association(_)));
    let listed = lb.found.iter().flat_map(|f| f.eips.iter());
    let Some(wished) = wished else {
        return Some(listed.map(|(_, ip)| *ip).collect());
    };
    let bound = seen.iter().find_map(|s| match (wished, &s.resource) {
        _ if !s.owned || s.state != State::Ready => None,
        (ElbResource::Eip(_), ElbResource::Eip(Eip { binding: Binding::Balancer, address, .. })) => *address,
        (ElbResource::Association(wish), ElbResource::Association(found)) if wish.eip == found.eip => {
            found.address.filter(|_| s.parents.contains(balancer))
        }
        _ => None,
    });
    // Another one serves as long as it may not be taken away. That the load balancer shows the wished one is not enough.
    let is_wished = |id: &str| match wished {
        ElbResource::Association(wish) => wish.eip == id,
        _ => seen.iter().any(|s| s.owned && matches!(s.resource, ElbResource::Eip(_))),
    };
    let others: Vec<IpAddr> = listed.filter(|(id, _)| !is_wished(id)).map(|(_, ip)| *ip).collect();
    bound.map(|ip| vec![ip]).or_else(|| Some(others).filter(|all| !all.is_empty()))
}

/// The port and pool of a wished listener that is there and has a pool.
fn served<'a>(wanted: &ElbResource, balancer: &Found, seen: &'a [Found]) -> Option<(Protocol, u16, &'a Found)> {
    let ElbResource::Listener(wanted) = wanted else {
        return None;
    };
    let PoolKey::Port(protocol, port) = wanted.key else {
        return None;
    };
    let listener = seen.iter().find(|s| {
        matches!(&s.resource, ElbResource::Listener(l) if l.key == wanted.key)
            && s.owned
            && s.parents.contains(&balancer.id)
    })?;
    let pool = seen.iter().find(|s| matches!(s.resource, ElbResource::Pool(_)) && s.parents.contains(&listener.id))?;
    Some((protocol, port, pool))
}

/// A backend is healthy when it is on every port. Unknown while nothing has been probed.
fn health(pools: &[(Protocol, u16, &Found)], seen: &[Found]) -> Option<Health> {
    let mut backends: BTreeMap<IpAddr, bool> = BTreeMap::new();
    let mut is_known = false;
    for found in seen {
        let ElbResource::Member(member) = &found.resource else {
            continue;
        };
        if !pools.iter().any(|(_, _, pool)| found.parents.contains(&pool.id)) {
            continue;
        }
        let health = member.health.unwrap_or(MemberHealth::Unknown);
        is_known |= health != MemberHealth::Unknown;
        *backends.entry(member.address).or_insert(true) &= health == MemberHealth::Up;
    }
    (is_known || backends.is_empty())
        .then(|| Health { healthy: backends.values().filter(|up| **up).count(), total: backends.len() })
}

#[cfg(test)]
mod tests;

//! What clients reach through a NAT gateway.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ferrolb_provider::{Address, Health, IpMode, Protocol, Resource, Serving, State};

use super::Found;
use crate::resource::{DnatRule, Eip, ElbResource, NatGateway, PoolKey, PublicAddress};

/// `None` where the model has no gateway.
pub(super) fn status(model: &[ElbResource], seen: &[Found], default: IpMode) -> Option<Serving> {
    let gateway = model.iter().find_map(|r| match r {
        ElbResource::NatGateway(gateway) => Some(gateway),
        _ => None,
    })?;
    let rules: Vec<(&DnatRule, &DnatRule)> = model.iter().filter_map(|wanted| in_place(wanted, seen)).collect();
    let mut serving = Serving { health: Some(health(&rules)), destination_only: true, ..Serving::default() };
    let ports: Vec<(Protocol, u16)> = rules
        .iter()
        .filter_map(|(wanted, _)| match wanted.key {
            PoolKey::Port(protocol, port) => Some((protocol, port)),
            PoolKey::Stray(_) => None,
        })
        .collect();
    if let Some(ip) = address(model, seen).filter(|_| !ports.is_empty() && is_up(gateway, seen)) {
        serving.addresses = vec![Address { ip, mode: gateway.mode.unwrap_or(default), ports }];
    }
    Some(serving)
}

/// A wished rule with the one that takes its place. While one is repointed it goes on.
fn in_place<'a>(wanted: &'a ElbResource, seen: &'a [Found]) -> Option<(&'a DnatRule, &'a DnatRule)> {
    let ElbResource::DnatRule(wish) = wanted else { return None };
    seen.iter().filter(|s| s.owned && s.resource.slot() == wanted.slot()).find_map(|s| match (&s.resource, &s.state) {
        (ElbResource::DnatRule(found), State::Ready) => Some((wish, found)),
        (ElbResource::DnatRule(found), State::Pending(word)) if word == "PENDING_UPDATE" => Some((wish, found)),
        _ => None,
    })
}

fn is_up(gateway: &NatGateway, seen: &[Found]) -> bool {
    let found = seen.iter().find(|s| Some(&s.id.0) == gateway.adopted.as_ref());
    found.is_some_and(|s| !matches!(s.state, State::Failed(_)))
}

fn address(model: &[ElbResource], seen: &[Found]) -> Option<IpAddr> {
    let named = model.iter().find_map(|r| match r {
        ElbResource::PublicAddress(_) => r.adopted(),
        _ => None,
    });
    seen.iter().filter(|s| !matches!(s.state, State::Failed(_))).find_map(|s| match (&s.resource, &named) {
        (ElbResource::PublicAddress(PublicAddress { address, .. }), Some(named)) if s.id == *named => *address,
        (ElbResource::Eip(Eip { address, .. }), None) if s.owned => *address,
        _ => None,
    })
}

/// The nodes that rules point to. Nobody probes them: Kubernetes says whether they are ready.
fn health(rules: &[(&DnatRule, &DnatRule)]) -> Health {
    let mut nodes: BTreeMap<IpAddr, bool> = BTreeMap::new();
    for (wanted, found) in rules {
        let ready = wanted.kept(found).is_some_and(|t| t.ready);
        for target in &found.targets {
            *nodes.entry(target.address).or_insert(true) &= ready;
        }
    }
    Health { healthy: nodes.values().filter(|ready| **ready).count(), total: nodes.len() }
}

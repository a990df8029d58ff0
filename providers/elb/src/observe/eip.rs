//! EIPs.

use ferrolb_provider::{Id, Owner, Seen, State};

use super::{Found, address, sortable, text};
use crate::client::eip::{BandwidthJson, EipJson};
use crate::keys::EIP_ID;
use crate::mark;
use crate::resource::{Association, Binding, Eip, ElbResource, PublicAddress};

/// An EIP; `balancer` is the one that its owner uses.
pub(crate) fn eip(json: &EipJson, owner: &Owner, balancer: Option<&Found>) -> Found {
    let (binding, parents) = binding(json, balancer);
    let state = state(json);
    // One that is shared with others is no longer ours to judge or to change.
    let is_own = |b: &&BandwidthJson| b.share_type.as_deref().is_none_or(|t| matches!(t, "" | "PER"));
    let bandwidth = json.bandwidth.as_ref().filter(is_own);
    let shared = json.bandwidth.as_ref().filter(|b| !is_own(b));
    let resource = ElbResource::Eip(Eip {
        kind: text(&json.publicip_pool_name),
        bandwidth_name: bandwidth.and_then(|b| text(&b.name)),
        // 0 is "not known yet".
        bandwidth_size: bandwidth.and_then(|b| b.size).filter(|s| *s > 0),
        charge_mode: bandwidth.and_then(|b| text(&b.charge_mode)),
        shared_bandwidth: shared.and_then(|b| b.id.clone()),
        enterprise_project: text(&json.enterprise_project_id),
        keep: json.description == mark::KEPT,
        // `list` knows all load balancers.
        retained: false,
        binding,
        address: json.public_ip_address.as_deref().and_then(address),
        bandwidth_id: bandwidth.and_then(|b| b.id.clone()),
    });
    Seen {
        id: Id(json.id.clone()),
        resource,
        parents,
        owned: json.alias == mark::alias(owner),
        created: sortable(&json.created_at),
        state,
    }
}

fn state(json: &EipJson) -> State {
    match json.status.as_str() {
        status @ ("PENDING_CREATE" | "PENDING_DELETE" | "BINDING" | "NOTIFYING" | "NOTIFY_DELETE") => {
            State::Pending(status.to_owned())
        }
        status @ ("ERROR" | "BIND_ERROR" | "FREEZED") => State::Failed(status.to_owned()),
        _ => State::Ready,
    }
}

/// An EIP of the user's that is `wished`, or lent to `owner`, as two objects: itself, where it is wished, and what it
/// does for the owner. One that the user has bound where it belongs is in place, and bears no mark: it stays there.
pub(crate) fn lent(json: &EipJson, owner: &Owner, wished: Option<&String>, balancers: &[&Found]) -> Vec<Found> {
    let is_wished = wished == Some(&json.id);
    let place = mark::lent_place(&json.tags, owner);
    // The first is the one that serves.
    let serves = balancers.first().is_some_and(|main| is_bound(json, main));
    let at = balancers.iter().find(|b| is_bound(json, b)).map(|b| &b.id);
    let is_ours = serves || at.is_some() && place.is_some() || is_at(json, place);
    let seen = |id: String, resource, parents, owned, state| Seen {
        id: Id(id),
        resource,
        parents,
        owned,
        created: sortable(&json.created_at),
        state,
    };
    let mut found = Vec::new();
    if is_wished {
        let state = match (state(json), bound_to(json)) {
            (State::Failed(word), _) => State::Failed(format!(
                "EIP {}, which is {word}; put that right, or name another one in {EIP_ID}",
                json.id
            )),
            (State::Ready, Some((kind, other))) if !is_ours => State::Failed(format!(
                "EIP {}, which is bound to {kind} {other}; unbind it there, or name another one in {EIP_ID}",
                json.id
            )),
            (state, _) => state,
        };
        let resource = ElbResource::PublicAddress(PublicAddress {
            named: Some(json.id.clone()),
            id: Some(json.id.clone()),
            address: json.public_ip_address.as_deref().and_then(address),
        });
        found.push(seen(json.id.clone(), resource, Vec::new(), false, state));
    }
    if place.is_some() || is_wished && serves {
        let served = json.public_ip_address.as_deref().and_then(address).filter(|_| is_ours);
        let resource = ElbResource::Association(Association { eip: json.id.clone(), address: served });
        let parents = [Id(json.id.clone())].into_iter().chain(at.cloned()).collect();
        found.push(seen(format!("association/{}", json.id), resource, parents, true, state(json)));
    }
    found
}

/// What it is bound to, kind and id.
pub(crate) fn bound_to(json: &EipJson) -> Option<(String, String)> {
    let (instance, port) = instance(json);
    let kind = text(&json.associate_instance_type).unwrap_or_else(|| "PORT".into());
    Some((kind, instance.or(port)?))
}

/// Whether it is bound to `place`, an instance or a port.
pub(crate) fn is_at(json: &EipJson, place: Option<&str>) -> bool {
    let (instance, port) = instance(json);
    place.is_some_and(|place| [instance, port].iter().flatten().any(|id| id == place))
}

/// What it is bound to: the id of the instance, and of a port.
fn instance(json: &EipJson) -> (Option<String>, Option<String>) {
    (text(&json.associate_instance_id), json.vnic.as_ref().and_then(|v| text(&v.port_id)))
}

/// Shared balancers show as a port, dedicated ones as themselves, and either lists its EIPs.
pub(crate) fn is_bound(json: &EipJson, balancer: &Found) -> bool {
    let ElbResource::LoadBalancer(lb) = &balancer.resource else {
        return false;
    };
    let (instance, port) = instance(json);
    let vip_port = lb.found.as_ref().and_then(|f| f.vip_port.as_ref());
    let listed = lb.found.iter().any(|f| f.eips.iter().any(|(id, _)| *id == json.id));
    let by_id = instance.as_ref() == Some(&balancer.id.0);
    let by_port = vip_port.is_some() && (instance.as_ref() == vip_port || port.as_ref() == vip_port);
    listed || by_id || by_port
}

/// Notes that an EIP of ours stays with the one of `balancers` that it is bound to, if that one stays. It goes first,
/// since afterwards nothing would tell.
pub(crate) fn retain(seen: &mut Found, json: &EipJson, balancers: &[&Found]) {
    let stays = |b: &&&Found| b.owned && matches!(&b.resource, ElbResource::LoadBalancer(lb) if lb.retain);
    let holder = balancers.iter().filter(stays).find(|b| is_bound(json, b));
    if let (ElbResource::Eip(eip), Some(holder)) = (&mut seen.resource, holder) {
        eip.retained = true;
        seen.parents = vec![holder.id.clone()];
    }
}

fn binding(json: &EipJson, balancer: Option<&Found>) -> (Binding, Vec<Id>) {
    if let Some(seen) = balancer.filter(|seen| is_bound(json, seen)) {
        return (Binding::Balancer, vec![seen.id.clone()]);
    }
    let (instance, port) = instance(json);
    match (instance.or(port), json.status.as_str()) {
        (Some(id), _) => {
            let kind = text(&json.associate_instance_type).unwrap_or_else(|| "PORT".into());
            (Binding::Other(format!("{kind} {id}")), Vec::new())
        }
        // On its way there: asking again would be refused.
        (None, "PENDING_CREATE" | "BINDING" | "NOTIFYING") => {
            (Binding::Unready, balancer.iter().map(|b| b.id.clone()).collect())
        }
        (None, _) => (Binding::Free, Vec::new()),
    }
}

//! EIPs.

use ferrolb_provider::{Id, Owner, Seen, State};

use super::{Found, address, sortable, text};
use crate::client::eip::{BandwidthJson, EipJson};
use crate::mark;
use crate::resource::{Binding, Eip, ElbResource};

/// An EIP; `balancer` is the one that its owner uses.
pub(crate) fn eip(json: &EipJson, owner: &Owner, balancer: Option<&Found>) -> Found {
    let (binding, parents) = binding(json, balancer);
    let state = match json.status.as_str() {
        status @ ("PENDING_CREATE" | "PENDING_DELETE" | "BINDING" | "NOTIFYING" | "NOTIFY_DELETE") => {
            State::Pending(status.to_owned())
        }
        status @ ("ERROR" | "BIND_ERROR" | "FREEZED") => State::Failed(status.to_owned()),
        _ => State::Ready,
    };
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

/// What it is bound to: the id of the instance, and of a port.
fn instance(json: &EipJson) -> (Option<String>, Option<String>) {
    (text(&json.associate_instance_id), json.vnic.as_ref().and_then(|v| text(&v.port_id)))
}

/// Shared balancers show as a port, dedicated ones as themselves, and either lists its EIPs.
fn is_bound(json: &EipJson, balancer: &Found) -> bool {
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

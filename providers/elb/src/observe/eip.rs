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

/// Shared balancers show as a port, dedicated ones as themselves, and either lists its EIPs.
fn binding(json: &EipJson, balancer: Option<&Found>) -> (Binding, Vec<Id>) {
    let instance = text(&json.associate_instance_id);
    let port = json.vnic.as_ref().and_then(|v| text(&v.port_id));
    if let Some(seen) = balancer
        && let ElbResource::LoadBalancer(lb) = &seen.resource
    {
        let vip_port = lb.found.as_ref().and_then(|f| f.vip_port.as_ref());
        let listed = lb.found.iter().any(|f| f.eips.iter().any(|(id, _)| *id == json.id));
        let by_id = instance.as_ref() == Some(&seen.id.0);
        let by_port = vip_port.is_some() && (instance.as_ref() == vip_port || port.as_ref() == vip_port);
        if listed || by_id || by_port {
            return (Binding::Balancer, vec![seen.id.clone()]);
        }
    }
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

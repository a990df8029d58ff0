//! Load balancers.

use ferrolb_provider::{Id, Owner, Seen, State};

use super::{Found, address, sortable, text};
use crate::client::elb::BalancerJson;
use crate::mark;
use crate::resource::{ElbResource, FoundBalancer, FoundFlavor, LoadBalancer};
use crate::spec::Class;

/// A load balancer.
pub(crate) fn balancer(json: &BalancerJson, owner: &Owner) -> Found {
    let state = match (json.provisioning_status.as_str(), json.operating_status.as_str()) {
        (_, "FROZEN") => State::Failed("FROZEN".into()),
        ("ERROR", _) => State::Failed("ERROR".into()),
        ("" | "ACTIVE", _) => State::Ready,
        (other, _) => State::Pending(other.to_owned()),
    };
    let eip = |e: &crate::client::elb::EipReference| {
        Some((e.eip_id.clone().unwrap_or_default(), e.eip_address.as_deref().and_then(address)?))
    };
    let resource = ElbResource::LoadBalancer(LoadBalancer {
        adopted: None,
        // Only v2, which knows no other kind, says nothing about it.
        class: Some(match json.guaranteed {
            Some(true) => Class::Dedicated,
            Some(false) | None => Class::Shared,
        }),
        name: Some(json.name.clone()),
        vip_subnet: json.vip_subnet_cidr_id.clone(),
        vip: json.vip_address.as_deref().and_then(address),
        mode: None,
        retain: json.tags.iter().any(|tag| (tag.key.as_str(), tag.value.as_str()) == mark::RETAINED),
        tags: json.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect(),
        new: None,
        found: Some(Box::new(FoundBalancer {
            vip_port: json.vip_port_id.clone().filter(|p| !p.is_empty()),
            ipv6: json.ipv6_vip_address.as_deref().and_then(address),
            eips: json.eips.iter().filter_map(eip).collect(),
            zones: json.availability_zone_list.clone(),
            networks: json.elb_virsubnet_ids.clone(),
            ipv6_network: text(&json.ipv6_vip_virsubnet_id),
            // `list` finds their names.
            l4_flavor: FoundFlavor { id: text(&json.l4_flavor_id), name: None },
            l7_flavor: FoundFlavor { id: text(&json.l7_flavor_id), name: None },
            enterprise_project: text(&json.enterprise_project_id),
            ip_targets: json.ip_target_enable.unwrap_or_default(),
        })),
    });
    Seen {
        id: Id(json.id.clone()),
        resource,
        parents: Vec::new(),
        owned: mark::is_of(&json.description, owner),
        created: sortable(&json.created_at),
        state,
    }
}

//! NAT gateway, the user's EIP, DNAT rules.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ferrolb_provider::{Id, Owner, Seen, State};

use super::{Found, address, port_key, sortable, text};
use crate::client::eip::EipJson;
use crate::client::nat::{GatewayJson, RuleJson};
use crate::mark;
use crate::resource::{DnatRule, ElbResource, NatGateway, PoolKey, PublicAddress, Target};

/// A gateway; `vpc` is the cluster's. One of another VPC does not reach the nodes.
pub(crate) fn gateway(json: &GatewayJson, vpc: &str) -> Found {
    let state = match json.status.as_str() {
        _ if json.router_id != vpc => {
            State::Failed(format!("one of VPC {}, not of the cluster's, {vpc}", json.router_id))
        }
        _ if json.admin_state_up == Some(false) => State::Failed("switched off or frozen".into()),
        "" | "ACTIVE" => State::Ready,
        status @ ("PENDING_CREATE" | "PENDING_UPDATE") => State::Pending(status.to_owned()),
        other => State::Failed(other.to_owned()),
    };
    let resource = ElbResource::NatGateway(NatGateway::default());
    Seen { id: Id(json.id.clone()), resource, parents: Vec::new(), owned: false, created: String::new(), state }
}

/// The user's EIP, by the name by which it was asked for. Rules need one that is free, or of their own gateway.
pub(crate) fn public_address(json: &EipJson, named: &str, gateway: &str) -> Found {
    let instance = text(&json.associate_instance_id);
    let port = json.vnic.as_ref().and_then(|v| text(&v.port_id));
    let state = match (json.status.as_str(), instance.or(port)) {
        (status @ ("PENDING_CREATE" | "BINDING"), _) => State::Pending(status.to_owned()),
        (status @ ("ERROR" | "BIND_ERROR" | "FREEZED"), _) => State::Failed(status.to_owned()),
        (_, Some(other)) if other != gateway => {
            let kind = text(&json.associate_instance_type).unwrap_or_else(|| "PORT".into());
            State::Failed(format!("bound to {kind} {other}, so that no rule of NAT gateway {gateway} can use it"))
        }
        _ => State::Ready,
    };
    let resource = ElbResource::PublicAddress(PublicAddress {
        named: Some(named.to_owned()),
        id: Some(json.id.clone()),
        address: json.public_ip_address.as_deref().and_then(address),
    });
    Seen { id: Id(named.to_owned()), resource, parents: Vec::new(), owned: false, created: String::new(), state }
}

/// A rule; `nics` are the addresses of the interfaces that rules point to.
pub(crate) fn rule(json: &RuleJson, owner: &Owner, nics: &BTreeMap<String, IpAddr>) -> Found {
    let key = port_key(&json.protocol.to_ascii_uppercase(), json.external_service_port);
    let target = nics.get(&json.port_id).zip(u16::try_from(json.internal_service_port).ok());
    let resource = ElbResource::DnatRule(DnatRule {
        gateway: json.nat_gateway_id.clone(),
        key: key.unwrap_or_else(|| PoolKey::Stray(json.id.clone())),
        own_eip: false,
        targets: target.map(|(address, port)| Target { address: *address, port, ready: false }).into_iter().collect(),
    });
    let state = match json.status.as_str() {
        "" | "ACTIVE" => State::Ready,
        status @ ("PENDING_CREATE" | "PENDING_UPDATE" | "PENDING_DELETE") => State::Pending(status.to_owned()),
        other => State::Failed(other.to_owned()),
    };
    // The user's EIP may be wished by its address.
    let parents = [&json.nat_gateway_id, &json.floating_ip_id, &json.floating_ip_address];
    Seen {
        id: Id(json.id.clone()),
        resource,
        parents: parents.into_iter().filter(|id| !id.is_empty()).cloned().map(Id).collect(),
        owned: mark::is_of(&json.description, owner),
        created: sortable(&json.created_at),
        state,
    }
}

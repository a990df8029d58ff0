//! Backends → members.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ferrolb_provider::{BackendKind, Desired, Port, Problem};

use super::served;
use crate::config::ElbConfig;
use crate::keys::{BACKEND_SUBNET_ID, HOST_NETWORK};
use crate::resource::{Member, PoolKey};
use crate::spec::MemberSpec;

/// The members of the pool `key` for the backends of `port`.
pub(super) fn members<'a>(
    port: &'a Port,
    key: &'a PoolKey,
    spec: &'a MemberSpec,
    config: &'a ElbConfig,
) -> impl Iterator<Item = Member> + 'a {
    let fits = |kind| !spec.on_host || kind != BackendKind::Pod;
    let backends = port.backends.iter().filter(move |b| b.address.is_ipv4() && fits(b.kind));
    // By address and port, since the pool refuses a second one.
    let distinct: BTreeMap<(IpAddr, u16), _> = backends.map(|b| ((b.address, b.port), b)).collect();
    distinct.into_values().map(move |backend| Member {
        pool: key.clone(),
        name: backend.name.clone(),
        address: backend.address,
        port: backend.port,
        subnet: subnet(backend.kind, spec, config).map(str::to_owned),
        weight: backend.weight.or(spec.weight).unwrap_or(1).min(100),
        health: None,
    })
}

/// Whether the members that are asked for can be had.
pub(super) fn check(
    want: &Desired,
    spec: &MemberSpec,
    config: &ElbConfig,
    errors: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) {
    let direct = || served(want).filter(|p| p.direct);
    if direct().next().is_some() && !spec.on_host && subnet(BackendKind::Pod, spec, config).is_none() {
        errors.push(Problem {
            option: spec.asked.to_owned(),
            at: String::new(),
            message: "pods are to get traffic directly, and nobody has said where in the VPC they have addresses".into(),
            valid: format!(
                "{BACKEND_SUBNET_ID} with the IPv4 subnet id of the pods, or the controller's flag --elb-pod-subnet-id; \
                 where pods have no addresses in the VPC: spec.allocateLoadBalancerNodePorts: true, or {HOST_NETWORK}: \
                 true for pods on the network of their nodes"
            ),
        });
    }
    if spec.on_host && direct().flat_map(|p| &p.backends).any(|b| b.kind == BackendKind::Pod) {
        warnings.push(Problem {
            option: HOST_NETWORK.to_owned(),
            at: String::new(),
            message: "some pods are not on the network of their node, and get no traffic".into(),
            valid: "hostNetwork: true in all pods".into(),
        });
    }
}

fn subnet<'a>(kind: BackendKind, spec: &'a MemberSpec, config: &'a ElbConfig) -> Option<&'a str> {
    let own = spec.subnet.as_deref();
    match kind {
        BackendKind::Pod => own.or(config.pod_subnet_id.as_deref()),
        BackendKind::Node => own.or(Some(&config.member_subnet_id)),
        // The subnet that the user names is that of the pods.
        BackendKind::HostPod => Some(&config.member_subnet_id),
    }
}

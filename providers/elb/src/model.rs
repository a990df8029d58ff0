//! What the options ask for and what is behind the Service → the cloud objects that make it so. Pure.

mod members;

use ferrolb_provider::{Desired, Family, IpMode, Model, Port, Problem, Protocol, TrafficPolicy};

use crate::config::ElbConfig;
use crate::dnat;
use crate::keys::{HEALTH_CHECK_OPTION, HEALTH_CHECK_OPTIONS};
use crate::parse::{Parsed, parse};
use crate::resource::{
    Access, Association, Binding, Eip, ElbResource, HealthMonitor, IpGroup, Listener, LoadBalancer, NewBalancer, Pool,
    PoolKey, PublicAddress,
};
use crate::spec::{Autocreate, Balancer, Bandwidth, Class, ElbSpec, HealthCheck, PortSpec, Probe, PublicIp};

/// The port by which CCE's console says which port to probe. It is no port of the load balancer.
const HEALTH_PORT: &str = "cce-healthz";

/// The objects that `want` needs.
///
/// # Errors
/// Everything that is wrong with the input.
pub(crate) fn model(want: &Desired, config: &ElbConfig) -> Result<Model<ElbResource>, Vec<Problem>> {
    if dnat::is_wanted(&want.options) {
        return dnat::model(want, config);
    }
    let Parsed { spec, mut errors, mut warnings } = parse(want);
    if let Some(spec) = &spec {
        members::check(want, &spec.members, config, &mut errors, &mut warnings);
    }
    check(want, &mut errors, &mut warnings);
    let Some(spec) = spec.filter(|_| errors.is_empty()) else {
        return Err(errors);
    };
    let mut resources = balancer(&spec, want);
    if spec.passes_through
        && let Some(ElbResource::LoadBalancer(lb)) = resources.first_mut()
    {
        lb.mode = Some(IpMode::Proxy);
    }
    if spec.access == Access::OwnGroup {
        resources.push(ElbResource::IpGroup(IpGroup::of(&want.source_ranges)));
    }
    let monitor_port = monitor_port(want);
    for spec_port in &spec.ports {
        let Some(port) = backends_of(want, spec_port) else {
            continue;
        };
        let key = PoolKey::Port(spec_port.transport, spec_port.port);
        resources.push(ElbResource::Listener(Listener {
            key: key.clone(),
            protocol: Some(spec_port.protocol),
            ranges: spec_port.ranges.clone(),
            settings: spec_port.listener.clone(),
            access: spec.access.clone(),
        }));
        resources.push(ElbResource::Pool(Pool {
            key: key.clone(),
            protocol: Some(spec_port.pool_protocol),
            algorithm: Some(spec.algorithm),
            settings: spec_port.pool.clone(),
        }));
        if let Some(check) = &spec_port.health {
            let monitor = monitor(check, spec_port, want, port.direct, monitor_port, &mut warnings);
            resources.push(ElbResource::HealthMonitor(monitor));
        }
        resources.extend(members::members(port, &key, &spec.members, config).map(ElbResource::Member));
    }
    warn_of_policy(&spec, want, &mut warnings);
    Ok(Model { resources, warnings })
}

/// The ports that clients may connect to.
pub(crate) fn served(want: &Desired) -> impl Iterator<Item = &Port> {
    want.ports.iter().filter(|p| p.name != HEALTH_PORT)
}

/// The Service port whose backends a listener sends to: requests that come by QUIC go on by TCP.
fn backends_of<'a>(want: &'a Desired, spec: &PortSpec) -> Option<&'a Port> {
    let transport = spec.pool_protocol.transport();
    served(want).find(|p| p.protocol == transport && p.port == spec.port)
}

/// Protocols and families that neither a load balancer nor a NAT gateway serves.
pub(crate) fn check_ports(want: &Desired, errors: &mut Vec<Problem>) {
    for (index, port) in want.ports.iter().enumerate() {
        if port.protocol == Protocol::Sctp {
            errors.push(Problem {
                option: format!("spec.ports[{index}].protocol"),
                at: String::new(),
                message: "SCTP is not something this load balancer can serve".into(),
                valid: "TCP or UDP".into(),
            });
        }
    }
    if !want.families.is_empty() && !want.families.contains(&Family::V4) {
        errors.push(Problem {
            option: "spec.ipFamilies".into(),
            at: String::new(),
            message: "IPv6 alone is not supported yet".into(),
            valid: "a list with IPv4".into(),
        });
    }
}

/// What this version cannot do for a Service, whatever its options.
fn check(want: &Desired, errors: &mut Vec<Problem>, warnings: &mut Vec<Problem>) {
    check_ports(want, errors);
    let mut warn = |option: &str, message: &str| {
        warnings.push(Problem {
            option: option.to_owned(),
            at: String::new(),
            message: message.to_owned(),
            valid: String::new(),
        });
    };
    if !want.addresses.is_empty() {
        warn("spec.loadBalancerIP", "known, not yet acted on: the cloud chooses the address");
    }
}

fn balancer(spec: &ElbSpec, want: &Desired) -> Vec<ElbResource> {
    let brought = match &spec.eip {
        Some(id) => vec![
            ElbResource::PublicAddress(PublicAddress { named: Some(id.clone()), ..PublicAddress::default() }),
            ElbResource::Association(Association { eip: id.clone(), address: None }),
        ],
        None => Vec::new(),
    };
    let new = match &spec.balancer {
        Balancer::Existing(id) => {
            let adopted = LoadBalancer { adopted: Some(id.clone()), ..LoadBalancer::default() };
            return [vec![ElbResource::LoadBalancer(adopted)], brought].concat();
        }
        Balancer::New(new) => new,
    };
    let balancer = LoadBalancer { retain: spec.retain, ..new_balancer(new, want) };
    let mut resources = vec![ElbResource::LoadBalancer(balancer)];
    if brought.is_empty()
        && let Some(public) = &new.public
    {
        let eip = eip(public, new.enterprise_project.clone(), Binding::Balancer);
        resources.push(ElbResource::Eip(Eip { keep: spec.keep_eip, ..eip }));
    }
    resources.extend(brought);
    resources
}

fn new_balancer(new: &Autocreate, want: &Desired) -> LoadBalancer {
    let dedicated = new.class == Class::Dedicated;
    let only_dedicated = |value: &Option<String>| value.clone().filter(|_| dedicated);
    let only_dedicated_list = |values: &[String]| if dedicated { values.to_vec() } else { Vec::new() };
    let name = match &new.name {
        Some(name) => name.clone(),
        None => format!("cce-lb-{}", want.owner.uid),
    };
    LoadBalancer {
        adopted: None,
        class: Some(new.class),
        name: Some(name),
        vip_subnet: new.vip_subnet.clone(),
        vip: new.vip(),
        mode: None,
        tags: new.tags.clone(),
        retain: false,
        new: Some(Box::new(NewBalancer {
            ipv6_network: only_dedicated(&new.ipv6_network),
            networks: only_dedicated_list(&new.networks),
            zones: only_dedicated_list(&new.zones),
            l4_flavor: new.l4_flavor.clone().filter(|_| dedicated),
            l7_flavor: new.l7_flavor.clone().filter(|_| dedicated),
            enterprise_project: new.enterprise_project.clone(),
            ip_targets: new.ip_targets.filter(|_| dedicated),
        })),
        found: None,
    }
}

/// The EIP that is to be made.
pub(crate) fn eip(public: &PublicIp, enterprise_project: Option<String>, binding: Binding) -> Eip {
    let mut eip = Eip {
        kind: Some(public.kind.clone()),
        bandwidth_name: None,
        bandwidth_size: None,
        charge_mode: None,
        shared_bandwidth: None,
        enterprise_project,
        keep: false,
        retained: false,
        binding,
        address: None,
        bandwidth_id: None,
    };
    match &public.bandwidth {
        Bandwidth::Own { name, size, charge_mode } => {
            eip.bandwidth_name = name.clone();
            eip.bandwidth_size = Some(*size);
            eip.charge_mode = Some(charge_mode.clone());
        }
        Bandwidth::Shared(id) => eip.shared_bandwidth = Some(id.clone()),
    }
    eip
}

/// The protocol and node port of the port named `cce-healthz`.
fn monitor_port(want: &Desired) -> Option<(Protocol, u16)> {
    let port = want.ports.iter().find(|p| p.name == HEALTH_PORT)?;
    Some((port.protocol, port.backends.first()?.port))
}

fn monitor(
    check: &HealthCheck,
    port: &PortSpec,
    want: &Desired,
    direct: bool,
    monitor_port: Option<(Protocol, u16)>,
    warnings: &mut Vec<Problem>,
) -> HealthMonitor {
    let transport = port.pool_protocol.transport();
    let local = match want.traffic_policy {
        TrafficPolicy::Local if !direct => want.health_check_node_port,
        _ => None,
    };
    let mut monitor = HealthMonitor {
        pool: PoolKey::Port(port.transport, port.port),
        probe: Some(Probe::Tcp),
        delay: check.delay,
        timeout: check.timeout,
        max_retries: check.max_retries,
        port: check.port.or(monitor_port.filter(|(protocol, _)| *protocol == transport).map(|(_, port)| port)),
    };
    match (transport, &check.probe) {
        // The API takes nothing else for a UDP pool.
        (Protocol::Udp, probe) => {
            monitor.probe = Some(Probe::Udp);
            if matches!(probe, Some(Probe::Tcp | Probe::Http { .. })) {
                warnings.push(Problem {
                    option: said_in(want).to_owned(),
                    at: "$.protocol".into(),
                    message: format!("without effect on UDP port {}, which can only be probed by UDP", port.port),
                    valid: String::new(),
                });
            }
        }
        (_, Some(Probe::Udp)) => warnings.push(Problem {
            option: said_in(want).to_owned(),
            at: "$.protocol".into(),
            message: format!("without effect on TCP port {}, which cannot be probed by UDP", port.port),
            valid: String::new(),
        }),
        (_, Some(probe)) => monitor.probe = Some(probe.clone()),
        // Each node tells on this port whether it has an endpoint of the Service.
        (_, None) => {
            if let Some(node_port) = local.filter(|_| monitor.port.is_none()) {
                monitor.port = Some(node_port);
                monitor.probe = Some(Probe::Http { path: "/healthz".into(), expected_codes: None });
            }
        }
    }
    monitor
}

/// The key that says how members are probed.
fn said_in(want: &Desired) -> &'static str {
    if want.options.contains_key(HEALTH_CHECK_OPTIONS) { HEALTH_CHECK_OPTIONS } else { HEALTH_CHECK_OPTION }
}

/// With policy Local a node without an endpoint drops what it gets, so something must tell the load balancer.
fn warn_of_policy(spec: &ElbSpec, want: &Desired, warnings: &mut Vec<Problem>) {
    if want.traffic_policy == TrafficPolicy::Cluster {
        return;
    }
    let to_nodes = |p: &&PortSpec| backends_of(want, p).is_some_and(|port| !port.direct);
    let mut ports = spec.ports.iter().filter(to_nodes);
    let blind = match () {
        _ if ports.clone().any(|p| p.health.is_none()) => "with health checks off nobody can tell",
        _ if ports.any(|p| p.pool_protocol.transport() == Protocol::Udp) => "a UDP health check cannot tell",
        _ => return,
    };
    warnings.push(Problem {
        option: "spec.externalTrafficPolicy".into(),
        at: String::new(),
        message: format!("with Local, nodes without an endpoint drop traffic, and {blind} which ones those are"),
        valid: "Cluster, or an endpoint on every node".into(),
    });
}

#[cfg(test)]
mod tests;

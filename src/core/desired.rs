//! Service and world to a decision.

use std::net::IpAddr;

use ferrolb_provider::{Backend, Desired, Family, Options, Owner, Port, Problem, Protocol, TrafficPolicy};
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};

use crate::backends::{Share, endpoints_by_node, node_backends, pod_backends};
use crate::claim::{is_deleting, published};
use crate::facts::protocol;
use crate::ranges::{self, source_ranges};
use crate::routing::Routing;
use crate::{Claim, GROUP_PREFIX, Key, PROVIDER_ANNOTATION, Settings, World, claim, has_finalizer, holder, owner};

/// Annotations with these beginnings are options for a provider.
const OPTION_PREFIXES: [&str; 7] = [
    "kubernetes.io/elb.",
    "kubernetes.io/natgateway.",
    "kubernetes.io/hws-",
    "kubernetes.io/session-affinity-mode",
    "metallb.io/",
    "metallb.universe.tf/",
    GROUP_PREFIX,
];

/// Kubernetes' default for `sessionAffinityConfig.clientIP.timeoutSeconds`.
const DEFAULT_AFFINITY_SECONDS: u32 = 10_800;

/// What to do about a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing.
    NotOurs,
    /// Tell the user; what there is stays as it is.
    Refused(Vec<Problem>),
    /// Delete what was made for it, then take back finalizer and annotation.
    Release {
        /// Whose objects.
        owner: Owner,
        /// The provider that holds them; `None`: not written down, so every provider that runs here is asked.
        provider: Option<String>,
    },
    /// Make it so.
    Provide {
        /// By this provider.
        provider: String,
        /// What.
        want: Box<Desired>,
        /// How many endpoints of the Service take new connections.
        ready_endpoints: usize,
    },
}

/// What to do about `svc`.
pub fn desired(svc: &Service, world: &World, settings: &Settings) -> Decision {
    if svc.metadata.uid.as_deref().unwrap_or_default().is_empty() {
        return Decision::NotOurs;
    }
    let claim = claim(svc, world, settings);
    if !has_finalizer(svc) {
        // A finalizer cannot be added to what is being deleted, and without one nothing was ever made.
        return if is_deleting(svc) {
            Decision::NotOurs
        } else {
            keep_or_refuse(svc, claim, world, settings).unwrap_or(Decision::NotOurs)
        };
    }
    let release = |provider: Option<&str>| Decision::Release {
        owner: owner(svc, settings),
        provider: provider.map(str::to_owned),
    };
    match holder(svc) {
        Some(held) if !settings.providers.contains(held) => match claim {
            Claim::Ours { .. } | Claim::Forbidden(_) => Decision::Refused(vec![held_elsewhere(held, settings)]),
            Claim::NotOurs | Claim::Unknown { .. } | Claim::Gone(_) => Decision::NotOurs,
        },
        Some(held) => match &claim {
            _ if is_deleting(svc) => release(Some(held)),
            Claim::Ours { provider, .. } if provider != held => release(Some(held)),
            _ => keep_or_refuse(svc, claim, world, settings).unwrap_or_else(|| release(Some(held))),
        },
        // Somebody took our annotation away.
        None => match &claim {
            // The finalizer is that of another installation, which runs this class.
            Claim::Unknown { .. } => Decision::NotOurs,
            _ if is_deleting(svc) => release(None),
            _ => keep_or_refuse(svc, claim, world, settings).unwrap_or_else(|| release(None)),
        },
    }
}

/// Whether an annotation is an option for a provider. Our own mark is not.
pub(crate) fn is_option(key: &str) -> bool {
    key != PROVIDER_ANNOTATION && OPTION_PREFIXES.iter().any(|p| key.starts_with(p))
}

/// Whether a change of this annotation can change what is wanted.
pub(crate) fn annotation_matters(key: &str) -> bool {
    is_option(key) || key == ranges::ANNOTATION
}

fn keep_or_refuse(svc: &Service, claim: Claim, world: &World, settings: &Settings) -> Option<Decision> {
    match claim {
        Claim::Ours { provider, parameters } => Some(match want(svc, parameters, world, settings) {
            Ok(want) => Decision::Provide {
                provider,
                want: Box::new(want),
                ready_endpoints: world.ready_endpoints(&Key::of(&svc.metadata)),
            },
            Err(problems) => Decision::Refused(problems),
        }),
        Claim::Forbidden(problem) | Claim::Gone(problem) => Some(Decision::Refused(vec![problem])),
        Claim::NotOurs | Claim::Unknown { .. } => None,
    }
}

fn held_elsewhere(held: &str, settings: &Settings) -> Problem {
    let run: Vec<&str> = settings.providers.iter().map(String::as_str).collect();
    Problem {
        option: PROVIDER_ANNOTATION.into(),
        at: String::new(),
        message: format!(
            "provider {held:?} holds the objects of this Service and does not run in this controller ({})",
            run.join(", ")
        ),
        valid: format!("run a controller with provider {held:?} until it has released them"),
    }
}

fn want(svc: &Service, parameters: Options, world: &World, settings: &Settings) -> Result<Desired, Vec<Problem>> {
    let none = ServiceSpec::default();
    let spec = svc.spec.as_ref().unwrap_or(&none);
    let mut problems = Vec::new();
    let families = families(spec);
    let addresses = match requested_address(spec, &families) {
        Ok(address) => address.into_iter().collect(),
        Err(problem) => {
            problems.push(problem);
            Vec::new()
        }
    };
    let source_ranges = source_ranges(svc, &families).unwrap_or_else(|bad| {
        problems.extend(bad);
        Vec::new()
    });
    let options = options(svc, parameters);
    let local = spec.external_traffic_policy.as_deref() == Some("Local");
    let key = Key::of(&svc.metadata);
    let behind = Behind { world, service: &key, families: &families, local, routing: Routing::of(&options, local) };
    let mut ports = Vec::new();
    for (index, port) in spec.ports.iter().flatten().enumerate() {
        match behind.resolved(index, port, spec) {
            Ok(port) => ports.push(port),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Desired {
        owner: owner(svc, settings),
        families,
        addresses,
        published: published(svc).iter().filter_map(|entry| entry.ip.as_ref()?.parse().ok()).collect(),
        ports,
        traffic_policy: if local { TrafficPolicy::Local } else { TrafficPolicy::Cluster },
        health_check_node_port: spec.health_check_node_port.filter(|_| local).and_then(number),
        source_ranges,
        affinity_seconds: affinity(spec),
        options,
    })
}

/// In the Service's order; an API server always fills this in.
fn families(spec: &ServiceSpec) -> Vec<Family> {
    let named = spec.ip_families.iter().flatten();
    let known = named.filter_map(|name| match name.as_str() {
        "IPv4" => Some(Family::V4),
        "IPv6" => Some(Family::V6),
        _ => None,
    });
    let families: Vec<Family> = known.collect();
    if families.is_empty() { vec![Family::V4] } else { families }
}

/// `spec.loadBalancerIP`, which the API server takes as any text.
fn requested_address(spec: &ServiceSpec, families: &[Family]) -> Result<Option<IpAddr>, Problem> {
    let text = spec.load_balancer_ip.as_deref().unwrap_or_default().trim();
    if text.is_empty() {
        return Ok(None);
    }
    let problem = |message: String, valid: &str| Problem {
        option: "spec.loadBalancerIP".into(),
        at: String::new(),
        message,
        valid: valid.to_owned(),
    };
    let address: IpAddr = text.parse().map_err(|_| {
        let message = format!("{text:?} is not an IP address");
        problem(message, "one address, like 192.0.2.7 or 2001:db8::7")
    })?;
    if families.contains(&Family::of(&address)) {
        return Ok(Some(address));
    }
    let message = format!("{address} is not of a family that the Service has");
    Err(problem(message, "one of a family in spec.ipFamilies"))
}

/// What is behind a Service.
struct Behind<'a> {
    world: &'a World,
    service: &'a Key,
    families: &'a [Family],
    local: bool,
    routing: Routing,
}

impl Behind<'_> {
    fn resolved(&self, index: usize, port: &ServicePort, spec: &ServiceSpec) -> Result<Port, Problem> {
        let problem = |field: &str, message: String, valid: &str| Problem {
            option: format!("spec.ports[{index}].{field}"),
            at: String::new(),
            message,
            valid: valid.to_owned(),
        };
        let word = port.protocol.as_deref();
        let protocol = protocol(word).ok_or_else(|| {
            let message = format!("{:?} is not a protocol", word.unwrap_or_default());
            problem("protocol", message, "TCP, UDP or SCTP")
        })?;
        let external = number(port.port).ok_or_else(|| {
            let message = format!("{} is not a port", port.port);
            problem("port", message, "1-65535")
        })?;
        let name = port.name.clone().unwrap_or_default();
        let node_port = port.node_port.and_then(number);
        let allocates = allocates(spec);
        if self.routing.is_direct(node_port, allocates) {
            let backends = pod_backends(self.world, self.service, self.families, (&name, protocol));
            return Ok(Port { name, protocol, port: external, direct: true, backends });
        }
        let node_port = node_port.ok_or_else(|| {
            let message = format!("port {external} has no node port, and nodes are its backends");
            let valid = if allocates {
                "give the port a nodePort"
            } else {
                "set spec.allocateLoadBalancerNodePorts to true, or give the port a nodePort"
            };
            problem("nodePort", message, valid)
        })?;
        let backends = self.nodes(&name, protocol, node_port);
        Ok(Port { name, protocol, port: external, direct: false, backends })
    }

    fn nodes(&self, name: &str, protocol: Protocol, node_port: u16) -> Vec<Backend> {
        let counts = self.routing.by_endpoints.then(|| {
            let family = self.families.first().copied();
            endpoints_by_node(self.world, self.service, family, (name, protocol), self.local)
        });
        // Where nobody is, all are alike: whoever comes first is served even before the weights are.
        let counts = counts.filter(|counts| !counts.is_empty());
        node_backends(self.world, self.families, node_port, |node| Share {
            // Where a health check decides, readiness must not: its ups and downs would cost calls and change nothing.
            ready: !self.routing.unchecked
                || (node.ready && (!self.local || self.world.has_ready_endpoint(self.service, name, &node.name))),
            weight: counts.as_ref().map(|counts| counts.get(node.name.as_str()).copied().unwrap_or(0)),
        })
    }
}

/// Whether a Service is to have node ports, which is the default.
pub(crate) fn allocates(spec: &ServiceSpec) -> bool {
    spec.allocate_load_balancer_node_ports != Some(false)
}

fn number(port: i32) -> Option<u16> {
    u16::try_from(port).ok().filter(|p| *p > 0)
}

fn affinity(spec: &ServiceSpec) -> Option<u32> {
    if spec.session_affinity.as_deref() != Some("ClientIP") {
        return None;
    }
    let config = spec.session_affinity_config.as_ref();
    let seconds = config.and_then(|c| c.client_ip.as_ref()?.timeout_seconds);
    Some(seconds.and_then(|s| u32::try_from(s).ok()).unwrap_or(DEFAULT_AFFINITY_SECONDS))
}

/// The class's parameters under the Service's annotations.
fn options(svc: &Service, parameters: Options) -> Options {
    let mut options = parameters;
    let annotations = svc.metadata.annotations.iter().flatten();
    let ours = annotations.filter(|(key, _)| is_option(key));
    options.extend(ours.map(|(key, value)| (key.clone(), value.clone())));
    options
}

#[cfg(test)]
mod tests;

//! Class `dnat`: a rule of a NAT gateway for each port. Options and Service → the cloud objects that make it so. Pure.
//!
//! A rule sends one port of an EIP to one port of one node, and nobody probes that node. So the ready ones are what a
//! rule may point to, spread over by port; one that points to such a node stays, another is repointed. Where no node
//! is ready all may be pointed to, so that nothing moves while everything is down.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ferrolb_provider::{Backend, Desired, IpMode, Model, Options, Port, Problem};
use sha2::{Digest, Sha256};

use crate::autocreate::{ID_FORM, is_id};
use crate::config::ElbConfig;
use crate::eip_option;
use crate::keys::{
    self, ACL_ID, ACL_STATUS, ALLOW_INTERRUPTION, CLASS, EIP_AUTO_CREATE_OPTION, EIP_ID, IP_MODE, KEEP_EIP, KEYS,
    NAT_GATEWAY_ID, PREFIX, Support,
};
use crate::model::{check_ports, eip as new_eip};
use crate::parse::read::Reader;
use crate::parse::{id, is_off, keeps_eip};
use crate::resource::{Binding, DnatRule, Eip, ElbResource, NatGateway, PoolKey, PublicAddress, Target};
use crate::spec::PublicIp;

/// The keys that mean something for this class.
const OWN: [&str; 7] = [ALLOW_INTERRUPTION, CLASS, NAT_GATEWAY_ID, EIP_ID, EIP_AUTO_CREATE_OPTION, IP_MODE, KEEP_EIP];

/// Whether the options ask for this class.
pub(crate) fn is_wanted(options: &Options) -> bool {
    options.get(CLASS).is_some_and(|word| word.trim().eq_ignore_ascii_case("dnat"))
}

/// What the options ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Spec {
    gateway: String,
    eip: EipWish,
    keep_eip: bool,
    mode: Option<IpMode>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum EipWish {
    /// The user's, by its id or its address.
    Named(String),
    /// One of our own.
    New(PublicIp),
}

/// The objects that `want` needs.
///
/// # Errors
/// Everything that is wrong with the input.
pub(crate) fn model(want: &Desired, config: &ElbConfig) -> Result<Model<ElbResource>, Vec<Problem>> {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    let spec = parse(want, &mut errors, &mut warnings);
    check_ports(want, &mut errors);
    if config.nat_endpoint.is_none() {
        errors.push(problem(
            CLASS,
            "the controller was started without the endpoint of a NAT service",
            "another class, or --elb-nat-endpoint",
        ));
    }
    let Some(spec) = spec.filter(|_| errors.is_empty()) else {
        return Err(errors);
    };
    let gateway = NatGateway { adopted: Some(spec.gateway.clone()), mode: spec.mode };
    let mut resources = vec![ElbResource::NatGateway(gateway)];
    let own_eip = matches!(spec.eip, EipWish::New(_));
    resources.push(match spec.eip {
        EipWish::Named(named) => {
            ElbResource::PublicAddress(PublicAddress { named: Some(named), ..PublicAddress::default() })
        }
        EipWish::New(public) => {
            ElbResource::Eip(Eip { keep: spec.keep_eip, ..new_eip(&public, None, Binding::Gateway) })
        }
    });
    let mut load = BTreeMap::new();
    for port in &want.ports {
        let key = PoolKey::Port(port.protocol, port.port);
        let targets = targets(&want.owner.uid, &key, port, &mut load);
        // Where there is no node at all, a rule would send traffic to an address that may be anybody's.
        if !targets.is_empty() {
            resources.push(ElbResource::DnatRule(DnatRule { gateway: spec.gateway.clone(), key, own_eip, targets }));
        }
    }
    Ok(Model { resources, warnings })
}

/// Where the rule of a port may point: first the nodes that fewest of the ports before it prefer (`load`), and of those
/// each Service and port has an order of its own (rendezvous hashing), which the coming and going of others leaves.
fn targets(uid: &str, key: &PoolKey, port: &Port, load: &mut BTreeMap<IpAddr, usize>) -> Vec<Target> {
    let nodes: Vec<&Backend> = port.backends.iter().filter(|b| b.address.is_ipv4()).collect();
    let any_ready = nodes.iter().any(|b| b.ready);
    let mut nodes: Vec<&Backend> = nodes.into_iter().filter(|b| b.ready || !any_ready).collect();
    nodes.sort_by_cached_key(|b| {
        let rank = Sha256::digest(format!("{uid} {key} {}", b.address));
        (load.get(&b.address).copied().unwrap_or_default(), rank.to_vec())
    });
    nodes.dedup_by_key(|b| (b.address, b.port));
    if let Some(first) = nodes.first() {
        *load.entry(first.address).or_default() += 1;
    }
    nodes.into_iter().map(|b| Target { address: b.address, port: b.port, ready: b.ready }).collect()
}

fn parse(want: &Desired, errors: &mut Vec<Problem>, warnings: &mut Vec<Problem>) -> Option<Spec> {
    let options = &want.options;
    warn_of_keys(options, warnings);
    let mut reader = Reader::new(options);
    reader.switch(ALLOW_INTERRUPTION);
    let keep_eip = keeps_eip(&mut reader);
    errors.append(&mut reader.errors);
    let gateway = id(options, NAT_GATEWAY_ID, errors);
    if gateway.is_none() && options.get(NAT_GATEWAY_ID).is_none_or(|id| id.trim().is_empty()) {
        errors.push(problem(NAT_GATEWAY_ID, "missing: class dnat needs a public NAT gateway", ID_FORM));
    }
    let eip = eip(want, errors, warnings);
    let mode = mode(options, errors);
    must_not_ignore(want, errors);
    Some(Spec { gateway: gateway?, eip: eip?, keep_eip, mode })
}

/// `spec.loadBalancerIP` before [`EIP_ID`] before [`EIP_AUTO_CREATE_OPTION`].
fn eip(want: &Desired, errors: &mut Vec<Problem>, warnings: &mut Vec<Problem>) -> Option<EipWish> {
    let option = |key: &str| want.options.get(key).map(|v| v.trim()).filter(|v| !v.is_empty());
    let (by_id, new) = (option(EIP_ID), option(EIP_AUTO_CREATE_OPTION));
    let mut surplus = |key: &str, beside: &str| {
        warnings.push(problem(key, &format!("without effect beside {beside}"), "remove one of the two"));
    };
    if let Some(address) = want.addresses.first() {
        by_id.iter().for_each(|_| surplus(EIP_ID, "spec.loadBalancerIP"));
        new.iter().for_each(|_| surplus(EIP_AUTO_CREATE_OPTION, "spec.loadBalancerIP"));
        return Some(EipWish::Named(address.to_string()));
    }
    if let Some(id) = by_id {
        new.iter().for_each(|_| surplus(EIP_AUTO_CREATE_OPTION, EIP_ID));
        if !is_id(id) {
            errors.push(problem(EIP_ID, &format!("\"{id}\" is not an id"), ID_FORM));
        }
        return Some(EipWish::Named(id.to_owned()));
    }
    let Some(text) = new else {
        errors.push(problem(
            "spec.loadBalancerIP",
            "no EIP is named and none is to be made",
            &format!("the address of an EIP here, its id in {EIP_ID}, or {EIP_AUTO_CREATE_OPTION}"),
        ));
        return None;
    };
    eip_option::parse(text, errors, warnings).map(EipWish::New)
}

fn mode(options: &Options, errors: &mut Vec<Problem>) -> Option<IpMode> {
    let word = options.get(IP_MODE)?.trim();
    match word.to_ascii_lowercase().as_str() {
        "" => None,
        "vip" => Some(IpMode::Vip),
        "proxy" => Some(IpMode::Proxy),
        _ => {
            errors.push(problem(IP_MODE, &format!("\"{word}\" is not known"), "VIP or Proxy"));
            None
        }
    }
}

/// What asks for a restriction and cannot be had.
fn must_not_ignore(want: &Desired, errors: &mut Vec<Problem>) {
    const OPEN: &str = "a NAT gateway lets everybody connect, which ignoring it would do";
    let on = |key: &str| want.options.get(key).is_some_and(|v| !is_off(v));
    if !want.source_ranges.is_empty() {
        errors.push(problem("spec.loadBalancerSourceRanges", OPEN, "no source ranges, or another class"));
    }
    if on(ACL_ID) && want.options.get(ACL_STATUS).is_none_or(|v| !is_off(v)) {
        errors.push(problem(ACL_ID, OPEN, &format!("no {ACL_ID}, or another class")));
    }
}

/// Keys that say nothing to a NAT gateway, and keys that nobody knows.
fn warn_of_keys(options: &Options, warnings: &mut Vec<Problem>) {
    for (key, value) in options.iter().filter(|(key, _)| !OWN.contains(&key.as_str())) {
        match keys::find(key) {
            Some(known) if known.support == Support::Inert || is_off(value) || key == ACL_ID => {}
            Some(_) => warnings.push(problem(key, "without effect with class dnat: a rule has no such thing", "")),
            None if key.starts_with(PREFIX) => {
                let near = keys::nearest(key).map(|near| format!("did you mean {near}?"));
                let valid = near.unwrap_or_else(|| format!("{} keys are known, {CLASS} for one", KEYS.len()));
                warnings.push(problem(key, "unknown key, ignored", &valid));
            }
            None => {}
        }
    }
}

fn problem(option: &str, message: &str, valid: &str) -> Problem {
    Problem { option: option.to_owned(), at: String::new(), message: message.to_owned(), valid: valid.to_owned() }
}

#[cfg(test)]
mod tests;

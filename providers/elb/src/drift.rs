//! What is asked for only while an object is made, and differs from what it was made with. Pure.
//!
//! Compared is only what the user named and the cloud tells: defaults, and fields that an answer leaves out, differ
//! from nothing.

use std::collections::BTreeSet;

use crate::resource::{Eip, FoundBalancer, FoundFlavor, LoadBalancer, NewBalancer};
use crate::spec::Flavor;

/// Why the wish for a load balancer cannot be had by changing it.
pub(crate) fn balancer(want: &LoadBalancer, seen: &LoadBalancer) -> Option<String> {
    let (Some(want), Some(seen)) = (&want.new, &seen.found) else {
        return None;
    };
    let (want, seen): (&NewBalancer, &FoundBalancer) = (want, seen);
    let mut all = Differences::default();
    if !want.zones.is_empty() && !seen.zones.is_empty() && set(&want.zones) != set(&seen.zones) {
        all.add("available_zone", &seen.zones.join(", "), &want.zones.join(", "));
    }
    all.flavor("l4_flavor", want.l4_flavor.as_ref(), &seen.l4_flavor);
    all.flavor("l7_flavor", want.l7_flavor.as_ref(), &seen.l7_flavor);
    // The cloud may add networks of its own choice.
    if !seen.networks.is_empty() && !set(&want.networks).is_subset(&set(&seen.networks)) {
        all.add("elb_virsubnet_ids", &seen.networks.join(", "), &want.networks.join(", "));
    }
    all.compare("ipv6_vip_virsubnet_id", &want.ipv6_network, &seen.ipv6_network);
    all.compare("enterprise project", &want.enterprise_project, &seen.enterprise_project);
    if want.ip_targets == Some(false) && seen.ip_targets {
        all.add("enable-cross-vpc", "true", "false");
    }
    all.told("the load balancer")
}

/// Why the wish for an EIP cannot be had by changing it.
pub(crate) fn eip(want: &Eip, seen: &Eip) -> Option<String> {
    let mut all = Differences::default();
    // Clouds have other words for pools of addresses, too; only these are those of the annotation.
    let of_annotation = |kind: &&String| kind.starts_with("5_");
    if let (Some(want), Some(seen)) = (want.kind.as_ref(), seen.kind.as_ref().filter(of_annotation)) {
        all.compare("eip_type", &Some(want.clone()).filter(|w| of_annotation(&w)), &Some(seen.clone()));
    }
    all.compare("bandwidth_name", &want.bandwidth_name, &seen.bandwidth_name);
    match (&want.shared_bandwidth, &seen.shared_bandwidth) {
        (Some(_), Some(_)) => all.compare("share_id", &want.shared_bandwidth, &seen.shared_bandwidth),
        // Without its id there is no bandwidth of its own, but one that the cloud does not tell.
        (Some(want), None) if seen.bandwidth_id.is_some() => all.add("share_type", "PER", &format!("WHOLE, {want}")),
        // One of its own that somebody put into a shared one is none of ours to judge.
        _ => {}
    }
    // Some accounts are charged in yet another way.
    let of_annotation = |mode: &&String| matches!(mode.as_str(), "bandwidth" | "traffic");
    let mode = seen.charge_mode.as_ref().filter(of_annotation).cloned();
    all.compare("bandwidth_chargemode", &want.charge_mode, &mode);
    all.compare("enterprise project", &want.enterprise_project, &seen.enterprise_project);
    all.told("the EIP")
}

fn set(texts: &[String]) -> BTreeSet<&str> {
    texts.iter().map(String::as_str).collect()
}

#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn add(&mut self, field: &str, is: &str, want: &str) {
        self.0.push(format!("{field} is {is}, not {want}"));
    }

    fn compare(&mut self, field: &str, want: &Option<String>, seen: &Option<String>) {
        if let (Some(want), Some(is)) = (want, seen)
            && want != is
        {
            self.add(field, is, want);
        }
    }

    /// A flavor is known by its id, and by its name only where that was asked for.
    fn flavor(&mut self, field: &str, want: Option<&Flavor>, seen: &FoundFlavor) {
        match want {
            Some(Flavor::Name(name)) => self.compare(&format!("{field}_name"), &Some(name.clone()), &seen.name),
            Some(Flavor::Id(id)) => self.compare(&format!("{field}_id"), &Some(id.clone()), &seen.id),
            None => {}
        }
    }

    fn told(self, what: &str) -> Option<String> {
        (!self.0.is_empty()).then(|| {
            format!(
                "{what} keeps what it was made with, and nothing of it was changed: {}; delete the Service and make it anew (its addresses change) if that is wanted, or set it back",
                self.0.join("; ")
            )
        })
    }
}

#[cfg(test)]
mod tests;

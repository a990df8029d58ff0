//! What is asked for only while an object is made, and differs from what it was made with. Pure.
//!
//! Compared is only what the user named and the cloud tells: defaults, and fields that an answer leaves out, differ
//! from nothing.

use std::collections::BTreeSet;

use crate::resource::{Eip, FoundBalancer, LoadBalancer, NewBalancer};

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
    all.compare("l4_flavor_name", &want.l4_flavor, &seen.l4_flavor);
    all.compare("l7_flavor_name", &want.l7_flavor, &seen.l7_flavor);
    // The cloud may add networks of its own choice.
    if !seen.networks.is_empty() && !set(&want.networks).is_subset(&set(&seen.networks)) {
        all.add("elb_virsubnet_ids", &seen.networks.join(", "), &want.networks.join(", "));
    }
    all.compare("ipv6_vip_virsubnet_id", &want.ipv6_network, &seen.ipv6_network);
    all.compare("enterprise project", &want.enterprise_project, &seen.enterprise_project);
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

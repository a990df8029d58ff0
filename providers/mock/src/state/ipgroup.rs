//! IP address groups: who may connect to the listeners that name them, or who may not.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::loadbalancer::set;
use super::{Cloud, Refusal, Stored, quota};

/// A group of addresses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IpGroup {
    pub id: String,
    pub name: String,
    pub description: String,
    pub ip_list: Vec<IpEntry>,
    pub enterprise_project_id: String,
}

/// One line of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpEntry {
    /// An address, a CIDR, or first and last address with `-` between.
    pub ip: String,
    #[serde(default)]
    pub description: String,
}

/// Changes; `None` leaves a field alone.
#[derive(Debug, Clone, Default)]
pub struct IpGroupPatch {
    pub name: Option<String>,
    pub description: Option<String>,
    pub ip_list: Option<Vec<IpEntry>>,
}

/// Which groups a listener uses, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessControl {
    /// At least one.
    pub groups: Vec<String>,
    pub enabled: bool,
    pub kind: AccessList,
}

/// Whether the addresses of a group may connect, or all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessList {
    #[default]
    White,
    Black,
}

/// Groups that a listener of a dedicated load balancer may use; others use one.
const GROUPS_PER_LISTENER: usize = 5;

impl IpEntry {
    /// First and last address; `None` for what is no range.
    pub fn range(&self) -> Option<RangeInclusive<IpAddr>> {
        if let Ok(address) = self.ip.parse::<IpAddr>() {
            return Some(address..=address);
        }
        if let Ok(net) = self.ip.parse::<IpNet>() {
            return Some(net.network()..=net.broadcast());
        }
        let (first, last) = self.ip.split_once('-')?;
        let (first, last) = (first.trim().parse::<IpAddr>().ok()?, last.trim().parse::<IpAddr>().ok()?);
        (first.is_ipv4() == last.is_ipv4() && first <= last).then_some(first..=last)
    }
}

impl Cloud {
    /// `new` without its id.
    pub fn create_ipgroup(&mut self, now: Timestamp, new: IpGroup) -> Result<String, Refusal> {
        quota::check("ipgroup", self.quotas.ipgroup, self.ipgroups.len(), 1)?;
        self.check_entries(&new.ip_list)?;
        let id = self.new_id();
        self.ipgroups.insert(id.clone(), now, IpGroup { id: id.clone(), ..new });
        self.touch();
        Ok(id)
    }

    /// A new list replaces the old one at once.
    pub fn update_ipgroup(&mut self, now: Timestamp, id: &str, patch: IpGroupPatch) -> Result<(), Refusal> {
        self.find::<IpGroup>(id)?;
        self.check_entries(patch.ip_list.as_deref().unwrap_or_default())?;
        let changed = self.ipgroups.update(id, now, |group| {
            set(&mut group.name, patch.name);
            set(&mut group.description, patch.description);
            set(&mut group.ip_list, patch.ip_list);
        });
        self.touch_if(changed);
        Ok(())
    }

    /// Adds lines, or changes the descriptions of those that are there.
    pub fn add_to_ipgroup(&mut self, now: Timestamp, id: &str, entries: Vec<IpEntry>) -> Result<(), Refusal> {
        let mut list = self.find::<IpGroup>(id)?.ip_list.clone();
        for entry in entries {
            match list.iter_mut().find(|known| known.ip == entry.ip) {
                Some(known) => *known = entry,
                None => list.push(entry),
            }
        }
        self.update_ipgroup(now, id, IpGroupPatch { ip_list: Some(list), ..IpGroupPatch::default() })
    }

    /// Takes lines out; those that are not there are passed over.
    pub fn remove_from_ipgroup(&mut self, now: Timestamp, id: &str, ips: &[String]) -> Result<(), Refusal> {
        let mut list = self.find::<IpGroup>(id)?.ip_list.clone();
        list.retain(|known| !ips.contains(&known.ip));
        self.update_ipgroup(now, id, IpGroupPatch { ip_list: Some(list), ..IpGroupPatch::default() })
    }

    /// Refuses while a listener names it, even one that does not use it at the moment.
    pub fn delete_ipgroup(&mut self, now: Timestamp, id: &str) -> Result<(), Refusal> {
        self.find::<IpGroup>(id)?;
        if let Some(listener) = self.listeners_of_ipgroup(id).first() {
            return Err(Refusal::Conflict(format!("{} {id} is in use by listener {listener}", IpGroup::KIND)));
        }
        self.ipgroups.remove(id, now);
        self.touch();
        Ok(())
    }

    /// Listeners that name a group.
    pub fn listeners_of_ipgroup(&self, id: &str) -> Vec<String> {
        let names = |control: &AccessControl| control.groups.iter().any(|group| group == id);
        let naming = self.listeners.iter().filter(|(_, listener)| listener.access.as_ref().is_some_and(names));
        naming.map(|(listener, _)| listener.clone()).collect()
    }

    /// Whether a listener of such a load balancer can use these groups; `before` are those that it uses already.
    pub(super) fn check_access(
        &self,
        control: &AccessControl,
        before: &[String],
        guaranteed: bool,
    ) -> Result<(), Refusal> {
        let most = if guaranteed { GROUPS_PER_LISTENER } else { 1 };
        if control.groups.is_empty() {
            return Err(Refusal::Missing("ipgroup_id"));
        }
        if control.groups.len() > most {
            return Err(Refusal::Quota("ipgroups_per_listener"));
        }
        for group in &control.groups {
            self.find::<IpGroup>(group)?;
            if !before.contains(group) {
                let used = self.listeners_of_ipgroup(group).len();
                quota::check("ipgroup_bindings", self.quotas.ipgroup_bindings, used, 1)?;
            }
        }
        Ok(())
    }

    fn check_entries(&self, entries: &[IpEntry]) -> Result<(), Refusal> {
        quota::check("ipgroup_max_length", self.quotas.ipgroup_max_length, 0, entries.len())?;
        for (index, entry) in entries.iter().enumerate() {
            let refuse = |reason: String| Err(Refusal::invalid("ip_list", format!("'{}' {reason}", entry.ip)));
            if entry.range().is_none() {
                return refuse("is neither an address nor a range of addresses".into());
            }
            if entry.description.chars().count() > 255 {
                return refuse("has a description of more than 255 characters".into());
            }
            if entries[..index].iter().any(|other| other.ip == entry.ip) {
                return refuse("is named twice".into());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_an_address_a_net_or_two_ends() {
        let entry = |ip: &str| IpEntry { ip: ip.into(), description: String::new() };
        let is_in = |ip: &str, address: &str| {
            let address: IpAddr = address.parse().unwrap();
            entry(ip).range().unwrap().contains(&address)
        };
        assert!(is_in("10.0.0.1", "10.0.0.1") && !is_in("10.0.0.1", "10.0.0.2"));
        assert!(is_in("10.0.0.0/8", "10.255.255.255") && !is_in("10.0.0.0/8", "11.0.0.0"));
        assert!(is_in("10.0.0.5-10.0.0.7", "10.0.0.7") && !is_in("10.0.0.5 - 10.0.0.7", "10.0.0.8"));
        assert!(is_in("2001:db8::/32", "2001:db8::1") && !is_in("::/0", "10.0.0.1"));
        for wrong in ["", "*", "10.0.0.0/33", "10.0.0.7-10.0.0.5", "10.0.0.1-2001:db8::1"] {
            assert!(entry(wrong).range().is_none(), "{wrong}");
        }
    }
}

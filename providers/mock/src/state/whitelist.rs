//! Whitelists: how API v2 says who may connect to a listener of a shared load balancer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::loadbalancer::set;
use super::{Cloud, IpEntry, Refusal};

/// The whitelist of one listener.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Whitelist {
    pub id: String,
    pub listener_id: String,
    pub enabled: bool,
    /// Addresses and CIDRs.
    pub entries: Vec<IpEntry>,
}

impl Cloud {
    /// `new` without its id. A listener has one at most.
    pub fn create_whitelist(&mut self, now: Timestamp, new: Whitelist) -> Result<String, Refusal> {
        self.listener(&new.listener_id)?;
        if let Some(other) = self.whitelist_of(&new.listener_id) {
            return Err(Refusal::Conflict(format!("listener {} has whitelist {} already", new.listener_id, other.id)));
        }
        check(&new.entries)?;
        let id = self.new_id();
        self.whitelists.insert(id.clone(), now, Whitelist { id: id.clone(), ..new });
        self.touch();
        Ok(id)
    }

    /// `None` leaves a field alone.
    pub fn update_whitelist(
        &mut self,
        now: Timestamp,
        id: &str,
        enabled: Option<bool>,
        entries: Option<Vec<IpEntry>>,
    ) -> Result<(), Refusal> {
        self.find::<Whitelist>(id)?;
        check(entries.as_deref().unwrap_or_default())?;
        let changed = self.whitelists.update(id, now, |list| {
            set(&mut list.enabled, enabled);
            set(&mut list.entries, entries);
        });
        self.touch_if(changed);
        Ok(())
    }

    pub fn delete_whitelist(&mut self, now: Timestamp, id: &str) -> Result<(), Refusal> {
        self.find::<Whitelist>(id)?;
        self.whitelists.remove(id, now);
        self.touch();
        Ok(())
    }

    pub fn whitelist_of(&self, listener: &str) -> Option<&Whitelist> {
        self.whitelists.iter().map(|(_, list)| list).find(|list| list.listener_id == listener)
    }
}

fn check(entries: &[IpEntry]) -> Result<(), Refusal> {
    match entries.iter().find(|entry| entry.range().is_none()) {
        Some(wrong) => Err(Refusal::invalid("whitelist", format!("'{}' is neither an address nor a CIDR", wrong.ip))),
        None => Ok(()),
    }
}

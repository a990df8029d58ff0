//! Bandwidths: one that an EIP has for itself lives and dies with it, a shared one is an object of its own.

use jiff::Timestamp;

use super::loadbalancer::set;
use super::{Bandwidth, Cloud, Eip, Refusal};

pub const KIND: &str = "Bandwidth";

/// A bandwidth with the EIPs that use it.
#[derive(Debug, Clone, PartialEq)]
pub struct BandwidthUse {
    pub bandwidth: Bandwidth,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub eips: Vec<Eip>,
}

/// Changes; `None` leaves a field alone.
#[derive(Debug, Clone, Default)]
pub struct BandwidthPatch {
    pub name: Option<String>,
    pub size: Option<i64>,
    pub charge_mode: Option<String>,
}

impl Cloud {
    /// Both sorts, in the order of ids.
    pub fn bandwidths(&self) -> Vec<BandwidthUse> {
        let eips_in = |id: &str| -> Vec<Eip> {
            self.eips.iter().filter(|(_, eip)| eip.bandwidth.id == id).map(|(_, eip)| eip.clone()).collect()
        };
        let shared = self.shared_bandwidths.iter().filter_map(|(id, bandwidth)| {
            let row = self.shared_bandwidths.row(id)?;
            let (bandwidth, eips) = (bandwidth.clone(), eips_in(id));
            Some(BandwidthUse { bandwidth, created: row.created, updated: row.updated, eips })
        });
        let own = self.eips.iter().filter(|(_, eip)| eip.bandwidth.share_type == "PER").filter_map(|(id, eip)| {
            let row = self.eips.row(id)?;
            let (bandwidth, eips) = (eip.bandwidth.clone(), vec![eip.clone()]);
            Some(BandwidthUse { bandwidth, created: row.created, updated: row.updated, eips })
        });
        let mut all: Vec<_> = shared.chain(own).collect();
        all.sort_by(|a, b| a.bandwidth.id.cmp(&b.bandwidth.id));
        all
    }

    pub fn bandwidth(&self, id: &str) -> Result<BandwidthUse, Refusal> {
        let found = self.bandwidths().into_iter().find(|entry| entry.bandwidth.id == id);
        found.ok_or_else(|| Refusal::not_found(KIND, id))
    }

    /// `new` without its id.
    pub fn create_shared_bandwidth(&mut self, now: Timestamp, new: Bandwidth) -> String {
        let id = self.new_id();
        self.shared_bandwidths.insert(id.clone(), now, Bandwidth { id: id.clone(), ..new });
        self.touch();
        id
    }

    /// Either sort; all EIPs in it see the change.
    pub fn update_bandwidth(&mut self, now: Timestamp, id: &str, patch: BandwidthPatch) -> Result<(), Refusal> {
        let BandwidthUse { mut bandwidth, eips, .. } = self.bandwidth(id)?;
        set(&mut bandwidth.name, patch.name);
        set(&mut bandwidth.size, patch.size);
        set(&mut bandwidth.charge_mode, patch.charge_mode);
        let mut changed = self.shared_bandwidths.update(id, now, |shared| *shared = bandwidth.clone());
        for eip in eips {
            changed |= self.eips.update(&eip.id, now, |eip| eip.bandwidth = bandwidth.clone());
        }
        self.touch_if(changed);
        Ok(())
    }

    /// Refuses while EIPs use it.
    pub fn delete_shared_bandwidth(&mut self, now: Timestamp, id: &str) -> Result<(), Refusal> {
        self.shared_bandwidth(id)?;
        if let Some(eip) = self.bandwidth(id)?.eips.first() {
            return Err(Refusal::Conflict(format!("{KIND} {id} is in use by public IP {}", eip.id)));
        }
        self.shared_bandwidths.remove(id, now);
        self.touch();
        Ok(())
    }

    /// Their own bandwidths go.
    pub fn add_to_shared_bandwidth(&mut self, now: Timestamp, id: &str, eips: &[String]) -> Result<(), Refusal> {
        let shared = self.shared_bandwidth(id)?.clone();
        eips.iter().try_for_each(|eip| self.eip(eip).map(drop))?;
        for eip in eips {
            let changed = self.eips.update(eip, now, |eip| eip.bandwidth = shared.clone());
            self.touch_if(changed);
        }
        Ok(())
    }

    /// Each gets one of its own again, like `own` but for its id.
    pub fn remove_from_shared_bandwidth(
        &mut self,
        now: Timestamp,
        id: &str,
        eips: &[String],
        own: &Bandwidth,
    ) -> Result<(), Refusal> {
        self.shared_bandwidth(id)?;
        for eip in eips {
            if self.eip(eip)?.bandwidth.id != id {
                return Err(Refusal::not_found(KIND, id));
            }
        }
        for eip in eips {
            let bandwidth = Bandwidth { id: self.new_id(), ..own.clone() };
            self.eips.update(eip, now, |eip| eip.bandwidth = bandwidth);
            self.touch();
        }
        Ok(())
    }

    /// The bandwidth of a new EIP: the shared one it names, or one of its own.
    pub(super) fn resolve_bandwidth(&mut self, wish: Bandwidth) -> Result<Bandwidth, Refusal> {
        if wish.share_type == "WHOLE" {
            return self.shared_bandwidth(&wish.id).cloned();
        }
        Ok(Bandwidth { id: self.new_id(), ..wish })
    }

    fn shared_bandwidth(&self, id: &str) -> Result<&Bandwidth, Refusal> {
        self.shared_bandwidths.get(id).ok_or_else(|| Refusal::not_found(KIND, id))
    }
}

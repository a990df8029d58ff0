//! What is known of a member's health.

use super::{Cloud, Member, Pool};

/// The last verdict of the health checks on one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    Online,
    /// Down, with the reason code of the vendor.
    Offline(&'static str),
}

impl Cloud {
    /// `operating_status` and reason code of a member.
    pub fn member_status(&self, pool: &Pool, member_id: &str) -> (&'static str, Option<&'static str>) {
        if pool.loadbalancer_id.is_none() {
            return ("UNKNOWN", None);
        }
        let monitored =
            pool.healthmonitor_id.as_ref().and_then(|id| self.monitors.get(id)).is_some_and(|m| m.admin_state_up);
        if !monitored {
            return ("NO_MONITOR", None);
        }
        match self.health.get(member_id) {
            Some(Health::Online) => ("ONLINE", None),
            Some(Health::Offline(reason)) => ("OFFLINE", Some(reason)),
            // Without a data plane nobody would ever probe, and clients that wait for ONLINE would wait for ever.
            None if !self.setup.data_plane => ("ONLINE", None),
            None => ("INITIAL", None),
        }
    }

    /// Whether new connections may go to this member.
    pub fn is_eligible(&self, pool: &Pool, member: &Member) -> bool {
        member.weight > 0 && matches!(self.member_status(pool, &member.id).0, "ONLINE" | "NO_MONITOR")
    }

    /// Records a verdict; true if it is news.
    pub fn set_health(&mut self, member_id: &str, health: Health) -> bool {
        self.health.insert(member_id.to_owned(), health) != Some(health)
    }
}

//! Chooses a member for a new connection or session.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::view::{Backend, Target};
use crate::state::Algorithm;

/// Clients remembered for stickiness before the expired ones are swept out.
const SWEEP_AT: usize = 10_000;

/// The memory of one front's choices. It outlives changes of the target.
#[derive(Default)]
pub struct Balancer(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    /// Smooth weighted round robin: credit by member.
    credit: HashMap<String, i64>,
    active: HashMap<String, u32>,
    sticky: HashMap<IpAddr, (String, Instant)>,
}

/// A chosen member; counts as one of its connections until dropped.
pub struct Lease {
    pub backend: Backend,
    balancer: Arc<Balancer>,
}

impl Balancer {
    pub fn pick(self: &Arc<Self>, target: &Target, client: IpAddr, now: Instant) -> Option<Lease> {
        let mut memory = self.lock();
        let chosen = memory.stuck(target, client, now).or_else(|| memory.choose(target, client))?;
        *memory.active.entry(chosen.id.clone()).or_default() += 1;
        if let Some(lasting) = target.sticky {
            if memory.sticky.len() >= SWEEP_AT {
                memory.sticky.retain(|_, (_, until)| *until > now);
            }
            memory.sticky.insert(client, (chosen.id.clone(), now + lasting));
        }
        Some(Lease { backend: chosen.clone(), balancer: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn stuck<'a>(&self, target: &'a Target, client: IpAddr, now: Instant) -> Option<&'a Backend> {
        target.sticky?;
        let (id, _) = self.sticky.get(&client).filter(|(_, until)| *until > now)?;
        target.members.iter().find(|member| member.id == *id)
    }

    fn choose<'a>(&mut self, target: &'a Target, client: IpAddr) -> Option<&'a Backend> {
        match target.algorithm {
            Algorithm::RoundRobin => self.round_robin(&target.members),
            // Connections per weight, compared crosswise to stay with integers.
            Algorithm::LeastConnections => target.members.iter().min_by(|a, b| {
                let load = |of: &Backend, other: &Backend| {
                    u64::from(self.active.get(&of.id).copied().unwrap_or(0)) * u64::from(other.weight)
                };
                load(a, b).cmp(&load(b, a))
            }),
            // Rendezvous hashing: a member that comes or goes moves only its own clients.
            Algorithm::SourceIp | Algorithm::QuicCid => target.members.iter().max_by_key(|member| {
                let mut hasher = DefaultHasher::new();
                (client, &member.id).hash(&mut hasher);
                hasher.finish()
            }),
        }
    }

    fn round_robin<'a>(&mut self, members: &'a [Backend]) -> Option<&'a Backend> {
        self.credit.retain(|id, _| members.iter().any(|member| member.id == *id));
        let total: i64 = members.iter().map(|member| i64::from(member.weight)).sum();
        let mut best: Option<(&Backend, i64)> = None;
        for member in members {
            let credit = self.credit.entry(member.id.clone()).or_default();
            *credit += i64::from(member.weight);
            if best.is_none_or(|(_, most)| *credit > most) {
                best = Some((member, *credit));
            }
        }
        let (chosen, _) = best?;
        self.credit.entry(chosen.id.clone()).and_modify(|credit| *credit -= total);
        Some(chosen)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut memory = self.balancer.lock();
        if let Some(active) = memory.active.get_mut(&self.backend.id) {
            *active -= 1;
            if *active == 0 {
                memory.active.remove(&self.backend.id);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn target(algorithm: Algorithm, weights: &[(&str, u32)]) -> Target {
        let backend = |(id, weight): &(&str, u32)| Backend {
            id: (*id).into(),
            address: "127.0.0.1:1".parse().unwrap(),
            weight: *weight,
        };
        Target { algorithm, sticky: None, idle: Duration::from_secs(1), members: weights.iter().map(backend).collect() }
    }

    fn client(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn round_robin_is_smooth_and_follows_weights() {
        let balancer = Arc::new(Balancer::default());
        let target = target(Algorithm::RoundRobin, &[("a", 3), ("b", 1)]);
        let order: String =
            (0..8).map(|_| balancer.pick(&target, client(1), Instant::now()).unwrap().backend.id.clone()).collect();
        assert_eq!(order, "aabaaaba");
    }

    #[test]
    fn least_connections_counts_open_ones_only() {
        let balancer = Arc::new(Balancer::default());
        let target = target(Algorithm::LeastConnections, &[("a", 1), ("b", 1)]);
        let first = balancer.pick(&target, client(1), Instant::now()).unwrap();
        let second = balancer.pick(&target, client(1), Instant::now()).unwrap();
        assert_ne!(first.backend.id, second.backend.id);
        let freed = first.backend.id.clone();
        drop(first);
        assert_eq!(balancer.pick(&target, client(1), Instant::now()).unwrap().backend.id, freed);
        drop(second);
    }

    #[test]
    fn source_ip_moves_only_the_clients_of_a_lost_member() {
        let balancer = Arc::new(Balancer::default());
        let all = target(Algorithm::SourceIp, &[("a", 1), ("b", 1), ("c", 1)]);
        let less = target(Algorithm::SourceIp, &[("a", 1), ("b", 1)]);
        let pick = |target: &Target, n| balancer.pick(target, client(n), Instant::now()).unwrap().backend.id.clone();
        let (before, after): (Vec<_>, Vec<_>) = (0..100).map(|n| (pick(&all, n), pick(&less, n))).unzip();
        assert!(before.iter().zip(&after).all(|(before, after)| before == "c" || before == after));
        assert!(["a", "b", "c"].iter().all(|id| before.iter().any(|chosen| chosen == id)));
    }

    #[test]
    fn a_sticky_client_stays_until_time_or_member_is_gone() {
        let balancer = Arc::new(Balancer::default());
        let mut target = target(Algorithm::RoundRobin, &[("a", 1), ("b", 1)]);
        target.sticky = Some(Duration::from_secs(60));
        let start = Instant::now();
        let pick = |target: &Target, seconds| {
            balancer.pick(target, client(1), start + Duration::from_secs(seconds)).unwrap().backend.id.clone()
        };
        assert_eq!(pick(&target, 0), "a");
        assert_eq!(pick(&target, 59), "a");
        assert_eq!(pick(&target, 118), "a", "each connection prolongs it");
        assert_eq!(pick(&target, 178), "b");
        target.members.retain(|member| member.id == "a");
        assert_eq!(pick(&target, 179), "a");
        target.members.clear();
        assert!(balancer.pick(&target, client(1), start).is_none());
    }
}

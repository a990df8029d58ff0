//! Chooses a member for a new connection, session or request, and knows when those to a member that left must end.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::view::{Backend, Pool, Sticky, Target};
use crate::state::Algorithm;

/// Clients remembered for stickiness before the expired ones are swept out.
const SWEEP_AT: usize = 10_000;
/// Weights are counted in this part of their unit, so that a slow start can begin with less than one.
const FINE: i64 = 1000;

/// The balancers of all pools: fronts that share a pool share its memory.
#[derive(Default)]
pub struct Balancers(Mutex<BTreeMap<String, Arc<Balancer>>>);

/// The memory of one pool's choices. It outlives changes of the pool.
#[derive(Default)]
pub struct Balancer(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    members: HashMap<Arc<str>, Record>,
    sticky: HashMap<Key, (Arc<str>, Instant)>,
}

/// By what a client is known again.
#[derive(Debug, PartialEq, Eq, Hash)]
pub enum Key {
    Source(IpAddr),
    /// The value of an application's cookie.
    Cookie(String),
}

/// For whom a member is chosen.
pub struct Wish<'a> {
    pub client: IpAddr,
    /// The one that it should be, if it may get anything.
    pub member: Option<&'a str>,
    /// Those that were tried.
    pub except: &'a [Arc<str>],
}

struct Record {
    /// Smooth weighted round robin.
    credit: i64,
    active: u32,
    /// When it began to get connections.
    since: Instant,
    /// When the connections of a member that left must end; none while it is in, or if they may stay.
    end: watch::Sender<Option<Instant>>,
}

/// A chosen member; counts as one of its connections until dropped.
pub struct Lease {
    pub backend: Backend,
    balancer: Arc<Balancer>,
    end: watch::Receiver<Option<Instant>>,
}

impl Wish<'_> {
    /// Of a client that wishes nothing.
    pub fn of(client: IpAddr) -> Self {
        Self { client, member: None, except: &[] }
    }
}

impl Balancers {
    /// The member for a client of a front, if it is let in and there is any.
    pub fn pick(&self, target: &Target, client: IpAddr, now: Instant) -> Option<Lease> {
        let pool = target.pool.as_ref().filter(|_| target.access.admits(client))?;
        self.of(pool).pick(pool, &Wish::of(client), now)
    }

    pub fn of(&self, pool: &Pool) -> Arc<Balancer> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&pool.id) {
            return known.clone();
        }
        all.entry(pool.id.clone()).or_default().clone()
    }

    /// Tells which pools there are, and with which members.
    pub fn note<'a>(&self, pools: impl Iterator<Item = &'a Pool>, now: Instant) {
        let pools: BTreeMap<&str, &Pool> = pools.map(|pool| (pool.id.as_str(), pool)).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| pools.contains_key(id.as_str()));
        for pool in pools.values() {
            self.of(pool).note(pool, now);
        }
    }
}

impl Balancer {
    pub fn pick(self: &Arc<Self>, pool: &Pool, wish: &Wish, now: Instant) -> Option<Lease> {
        let others;
        let pool = if wish.except.is_empty() {
            pool
        } else {
            let members = pool.members.iter().filter(|member| !wish.except.contains(&member.id)).cloned();
            others = Pool { members: members.collect(), ..pool.clone() };
            &others
        };
        let by_source = match pool.sticky {
            Some(Sticky::Source(lasting)) => Some((Key::Source(wish.client), lasting)),
            _ => None,
        };
        let mut memory = self.lock();
        let stuck = by_source.as_ref().and_then(|(key, _)| memory.recall(key, now));
        let known = stuck.as_deref().or(wish.member);
        let known = known.and_then(|id| pool.members.iter().find(|member| *member.id == *id));
        let chosen = known.or_else(|| memory.choose(pool, wish.client, now))?;
        if let Some((key, lasting)) = by_source {
            memory.remember(key, &chosen.id, now + lasting, now);
        }
        let record = memory.record(&chosen.id, now);
        record.active += 1;
        Some(Lease { backend: chosen.clone(), end: record.end.subscribe(), balancer: self.clone() })
    }

    /// The member that a client is known to stick to.
    pub fn recall(&self, key: &Key, now: Instant) -> Option<Arc<str>> {
        self.lock().recall(key, now)
    }

    /// Makes a client stick to a member.
    pub fn remember(&self, key: Key, member: &Arc<str>, until: Instant, now: Instant) {
        self.lock().remember(key, member, until, now);
    }

    fn note(&self, pool: &Pool, now: Instant) {
        let mut memory = self.lock();
        for member in &pool.members {
            memory.record(&member.id, now).end.send_if_modified(|end| end.take().is_some());
        }
        memory.members.retain(|id, record| {
            if pool.members.iter().any(|member| member.id == *id) {
                return true;
            }
            record.credit = 0;
            if let Some(drain) = pool.drain {
                record.end.send_if_modified(|end| end.is_none() && end.replace(now + drain).is_none());
            }
            record.active > 0
        });
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn record(&mut self, id: &Arc<str>, now: Instant) -> &mut Record {
        let new = || Record { credit: 0, active: 0, since: now, end: watch::Sender::new(None) };
        self.members.entry(id.clone()).or_insert_with(new)
    }

    fn recall(&self, key: &Key, now: Instant) -> Option<Arc<str>> {
        self.sticky.get(key).filter(|(_, until)| *until > now).map(|(member, _)| member.clone())
    }

    fn remember(&mut self, key: Key, member: &Arc<str>, until: Instant, now: Instant) {
        if self.sticky.len() >= SWEEP_AT {
            self.sticky.retain(|_, (_, until)| *until > now);
        }
        self.sticky.insert(key, (member.clone(), until));
    }

    fn choose<'a>(&mut self, pool: &'a Pool, client: IpAddr, now: Instant) -> Option<&'a Backend> {
        match pool.algorithm {
            Algorithm::RoundRobin => self.round_robin(pool, now),
            // Connections per weight, the new one included, compared crosswise to stay with integers.
            Algorithm::LeastConnections => {
                let load = |member| (self.active(member), self.weight(pool, member, now));
                let loads = pool.members.iter().map(|member| (member, load(member)));
                let least = loads.min_by(|(_, a), (_, b)| ((a.0 + 1) * b.1).cmp(&((b.0 + 1) * a.1)));
                least.map(|(member, _)| member)
            }
            // Rendezvous hashing: a member that comes or goes moves only its own clients.
            Algorithm::SourceIp | Algorithm::QuicCid => pool.members.iter().max_by_key(|member| {
                let mut hasher = DefaultHasher::new();
                (client, &member.id).hash(&mut hasher);
                hasher.finish()
            }),
        }
    }

    fn round_robin<'a>(&mut self, pool: &'a Pool, now: Instant) -> Option<&'a Backend> {
        let mut total = 0;
        let mut best: Option<(&Backend, i64)> = None;
        for member in &pool.members {
            let weight = self.weight(pool, member, now);
            total += weight;
            let record = self.record(&member.id, now);
            record.credit += weight;
            if best.is_none_or(|(_, most)| record.credit > most) {
                best = Some((member, record.credit));
            }
        }
        let (chosen, _) = best?;
        self.record(&chosen.id, now).credit -= total;
        Some(chosen)
    }

    fn active(&self, member: &Backend) -> i64 {
        self.members.get(&member.id).map_or(0, |record| record.active.into())
    }

    /// In thousandths. It grows from almost nothing while a slow start lasts.
    fn weight(&self, pool: &Pool, member: &Backend, now: Instant) -> i64 {
        let full = i64::from(member.weight) * FINE;
        let Some(lasting) = pool.slow_start else { return full };
        let age = self.members.get(&member.id).map_or(Duration::ZERO, |record| now.duration_since(record.since));
        let part = (age.as_secs_f64() / lasting.as_secs_f64()).min(1.0);
        #[allow(clippy::cast_possible_truncation)]
        let weight = (full as f64 * part) as i64;
        weight.max(1)
    }
}

impl Lease {
    /// Waits until connections to this member must end, which may be never.
    pub async fn ended(&mut self) {
        loop {
            let end = *self.end.borrow_and_update();
            let changed = match end {
                Some(end) => tokio::time::timeout_at(end.into(), self.end.changed()).await,
                None => Ok(self.end.changed().await),
            };
            match changed {
                Err(_) => return,
                Ok(Ok(())) => {}
                // Its record is there as long as a lease is.
                Ok(Err(_)) => std::future::pending().await,
            }
        }
    }

    /// Whether the member has left, and its connections may stay for some more time.
    pub fn drains(&self, now: Instant) -> bool {
        self.end.borrow().is_some_and(|end| end > now)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut memory = self.balancer.lock();
        if let Some(record) = memory.members.get_mut(&self.backend.id) {
            record.active -= 1;
        }
    }
}

#[cfg(test)]
mod tests;

//! What one process remembers of one owner between passes: the settle time and its own effects.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::{Change, Id, Resource, Seen};

/// What is known of the effect of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It has one.
    Known,
    /// It may have one, now or a little later.
    Unknown,
    /// It has none.
    None,
}

/// Memory of one owner. `Default` is that of an owner nobody wrote anything for before.
pub(crate) struct Memory<R> {
    settle_until: Duration,
    /// A write was begun and its end was never noted: the task died in between.
    in_flight: bool,
    /// From when on the list shows every effect of ours.
    shown_from: Duration,
    /// What we made, until the list must show it.
    created: BTreeMap<Id, (Seen<R>, Duration)>,
    /// What we changed of objects that existed before, until the list must show it.
    updated: BTreeMap<Id, (Seen<R>, Duration)>,
    /// What we deleted, with the addresses that it had, until the list must show it.
    deleted: BTreeMap<Id, (Vec<IpAddr>, Duration)>,
    /// Since when those that serve are kept for those that do not yet.
    swap_since: Option<Duration>,
}

impl<R> Default for Memory<R> {
    fn default() -> Self {
        Self::since(Duration::ZERO)
    }
}

impl<R> Memory<R> {
    /// Memory of an owner that an earlier process may have written for.
    pub(crate) fn since(settle_until: Duration) -> Self {
        Self {
            settle_until,
            in_flight: false,
            shown_from: Duration::ZERO,
            created: BTreeMap::new(),
            updated: BTreeMap::new(),
            deleted: BTreeMap::new(),
            swap_since: None,
        }
    }

    /// Starts a pass.
    pub(crate) fn open(&mut self, now: Duration, settle: Duration) {
        if std::mem::take(&mut self.in_flight) {
            self.settle_until = self.settle_until.max(now + settle);
        }
    }

    /// Only a list begun from this moment on shows the effect of every call whose fate we do not know.
    pub(crate) fn settle_until(&self) -> Duration {
        self.settle_until
    }

    /// Only a list begun from this moment on needs nothing laid over it.
    pub(crate) fn look_again(&self) -> Duration {
        self.settle_until.max(self.shown_from)
    }

    /// Whether forgetting it makes no difference, once the settle time after the start is over.
    pub(crate) fn is_idle(&self, now: Duration) -> bool {
        !self.in_flight && self.look_again() <= now
    }

    /// Until when those that serve are kept, so that their successors may pass their first check.
    pub(crate) fn swap_until(&mut self, now: Duration, patience: Duration) -> Duration {
        *self.swap_since.get_or_insert(now) + patience
    }

    /// There is no swap any more.
    pub(crate) fn end_swap(&mut self) {
        self.swap_since = None;
    }

    pub(crate) fn begin_write(&mut self) {
        self.in_flight = true;
    }

    /// `until`: when the list must show the effect, if it has one.
    pub(crate) fn end_write(&mut self, until: Duration, effect: Effect) {
        self.in_flight = false;
        match effect {
            Effect::Known => self.shown_from = self.shown_from.max(until),
            Effect::Unknown => self.settle_until = self.settle_until.max(until),
            Effect::None => {}
        }
    }

    pub(crate) fn created(&mut self, seen: Seen<R>, until: Duration) {
        self.created.insert(seen.id.clone(), (seen, until));
    }

    fn forget(&mut self, id: &Id) {
        self.created.remove(id);
        self.updated.remove(id);
    }
}

impl<R: Resource> Memory<R> {
    pub(crate) fn deleted(&mut self, seen: &Seen<R>, until: Duration) {
        self.forget(&seen.id);
        self.deleted.insert(seen.id.clone(), (seen.resource.addresses(), until));
    }

    /// Addresses that we gave back, which other objects may still show.
    pub(crate) fn given_back(&self) -> impl Iterator<Item = IpAddr> {
        self.deleted.values().flat_map(|(addresses, _)| addresses.iter().copied())
    }

    /// The cloud does not know the object. What we made a moment ago it may not know *yet*, so that only a later
    /// list tells.
    pub(crate) fn not_found(&mut self, seen: &Seen<R>, until: Duration) {
        match self.created.get(&seen.id) {
            Some((_, shown)) => {
                self.settle_until = self.settle_until.max(*shown);
                self.forget(&seen.id);
            }
            None => self.deleted(seen, until),
        }
    }

    pub(crate) fn updated(&mut self, seen: Seen<R>, until: Duration) {
        if let Some((created, _)) = self.created.get_mut(&seen.id) {
            *created = seen.clone();
        }
        self.updated.insert(seen.id.clone(), (seen, until));
    }

    /// Lays our own effects over a list, begun at `now`, that may lag behind them.
    pub(crate) fn overlay(&mut self, mut list: Vec<Seen<R>>, now: Duration) -> Vec<Seen<R>> {
        self.deleted.retain(|_, (_, until)| now < *until);
        self.created.retain(|_, (_, until)| now < *until);
        self.updated.retain(|_, (_, until)| now < *until);
        list.retain(|s| !self.deleted.contains_key(&s.id));
        for seen in &mut list {
            if let Some((ours, _)) = self.updated.get(&seen.id)
                && lags(seen, ours)
            {
                *seen = ours.clone();
            }
        }
        // Kept though the list showed it once: the next list may come from a replica that does not.
        for (id, (seen, _)) in &self.created {
            if !list.iter().any(|s| s.id == *id) {
                list.push(seen.clone());
            }
        }
        list
    }
}

/// Whether the list does not show our update yet.
fn lags<R: Resource>(listed: &Seen<R>, ours: &Seen<R>) -> bool {
    ours.resource.change(&listed.resource) != Change::None || ours.parents != listed.parents
}

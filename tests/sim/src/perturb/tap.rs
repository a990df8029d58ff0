//! Listens to what passes between the controller and the world, and interferes once, at the write or event that it was
//! told to wait for.

use std::collections::BTreeMap;
use std::time::Duration;

use ferrolb_mock::Cloud;
use serde_json::Value;

use crate::api::store::{Change, Kind};
use crate::process::Plug;
use crate::sim::State;

/// A watch that tells nothing is asked again by the server's own limit; longer it cannot be behind.
const HELD_AT_MOST: Duration = Duration::from_secs(90);
/// How long the watch of a restarted process is behind; the product counts on less than 150 s.
const BEHIND: Duration = Duration::from_secs(120);

/// What to do, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// The process dies at a write: before it takes effect, or after, with the answer never seen.
    Crash { at: Nth, after: bool },
    /// An event about an object is not told before a later one about it is there, nor ever after.
    Hold { event: (Kind, Nth) },
    /// The process dies after a write; what happens to objects of a kind after the next one has listed them is not told
    /// for a while.
    Stale { at: Nth, kind: Kind },
}

/// The n-th occurrence, counted from 1, of something with a name: `POST /path`, or an object's `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nth {
    pub name: String,
    pub count: u32,
}

/// A write of the controller that changed something.
pub struct Write {
    pub at: Nth,
    /// Events told before it.
    pub events: usize,
}

/// A watch event that was told.
pub struct Told {
    pub kind: Kind,
    pub at: Nth,
    version: u64,
}

/// What a watch may do with its news.
pub enum Telling {
    All,
    Nothing,
    /// They are forgotten: the client must list.
    Gone,
}

/// What passed by so far.
#[derive(Default)]
pub struct Tap {
    is_on: bool,
    act: Option<Act>,
    /// Whether the act was done.
    pub fired: bool,
    counts: BTreeMap<String, u32>,
    pub writes: Vec<Write>,
    pub told: Vec<Told>,
    /// Since when an event is held.
    held_since: Option<Duration>,
    /// The process that died, and until when the watch of the next one tells nothing.
    stale: Option<(String, Option<Duration>)>,
    ids: BTreeMap<String, String>,
    /// Objects of the cloud that came and went by the controller's hand, by kind.
    pub made: BTreeMap<String, u64>,
    pub gone: BTreeMap<String, u64>,
}

impl Tap {
    /// Listens from now on, and interferes as `act` says.
    pub fn start(&mut self, act: Option<Act>, cloud: &Cloud) {
        (self.is_on, self.act, self.ids) = (true, act, ids(cloud));
    }

    fn occurs(&mut self, name: String) -> Nth {
        let count = self.counts.entry(name.clone()).or_default();
        *count += 1;
        Nth { name, count: *count }
    }

    /// Whether the process is to die here; once only.
    fn kills(&mut self, at: &Nth, now_after: bool, plug: &Plug) -> bool {
        let strikes = match &self.act {
            Some(Act::Crash { at: wanted, after }) => wanted == at && *after == now_after,
            Some(Act::Stale { at: wanted, .. }) => wanted == at && now_after,
            _ => false,
        };
        if strikes && !self.fired {
            self.fired = true;
            self.stale = Some((plug.identity.clone(), None));
            plug.kill();
            return true;
        }
        false
    }

    /// Compares the ledger with what it was.
    fn count(&mut self, cloud: &Cloud) {
        let before = std::mem::replace(&mut self.ids, ids(cloud));
        for (_, kind) in self.ids.iter().filter(|(id, _)| !before.contains_key(*id)) {
            *self.made.entry(kind.clone()).or_default() += 1;
        }
        for (_, kind) in before.iter().filter(|(id, _)| !self.ids.contains_key(*id)) {
            *self.gone.entry(kind.clone()).or_default() += 1;
        }
    }

    /// What a watch of a kind may tell of its news.
    pub fn telling(&mut self, plug: &Plug, kind: Kind, news: &[Change], now: Duration) -> Telling {
        if !self.is_on {
            return Telling::All;
        }
        if let (Some(Act::Stale { kind: wanted, .. }), Some((dead, until))) = (&self.act, &mut self.stale)
            && *wanted == kind
            && *dead != plug.identity
            && now < *until.get_or_insert(now + BEHIND)
        {
            return Telling::Nothing;
        }
        let known = self.told.iter().filter(|told| told.kind == kind).map(|told| told.version).max();
        let news: Vec<(u64, String)> = news.iter().map(|change| (change.version, object(change))).collect();
        for (version, name) in news.iter().filter(|(version, _)| known.is_none_or(|known| known < *version)) {
            let count = 1 + self.told.iter().filter(|t| t.kind == kind && t.at.name == *name).count() as u32;
            let at = Nth { name: name.clone(), count };
            if self.holds(kind, &at) {
                let since = *self.held_since.get_or_insert(now);
                if news.iter().any(|(later, other)| later > version && other == name) {
                    self.fired = true;
                    return Telling::Gone;
                }
                if now < since + HELD_AT_MOST {
                    return Telling::Nothing;
                }
                self.fired = true;
            }
            self.told.push(Told { kind, at, version: *version });
        }
        Telling::All
    }

    fn holds(&self, kind: Kind, at: &Nth) -> bool {
        let Some(Act::Hold { event: (wanted, nth) }) = &self.act else { return false };
        *wanted == kind && nth == at && !self.fired
    }
}

impl State {
    /// Carries out a call of a controller under observation; `None` where the controller dies over it.
    pub fn observed<T>(
        &mut self,
        plug: &Plug,
        method: &str,
        path: &str,
        carry_out: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        // A lease is renewed by the clock, so its writes have no place in a script.
        if !self.tap.is_on || method == "GET" || path.contains("/leases") {
            return Some(carry_out(self));
        }
        let path = path.split('?').next().unwrap_or_default();
        let at = self.tap.occurs(format!("{method} {path}"));
        if self.tap.kills(&at, false, plug) {
            return None;
        }
        let before = (self.api.version(), self.cloud.revision());
        let result = carry_out(self);
        if before.1 != self.cloud.revision() {
            self.tap.count(&self.cloud);
        }
        if before != (self.api.version(), self.cloud.revision()) {
            self.tap.writes.push(Write { at: at.clone(), events: self.tap.told.len() });
        }
        if self.tap.kills(&at, true, plug) { None } else { Some(result) }
    }
}

/// The `namespace/name` of the object that changed.
fn object(change: &Change) -> String {
    let line: Value = serde_json::from_slice(&change.line).unwrap_or_default();
    let metadata = &line["object"]["metadata"];
    let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
    format!("{}/{}", text("namespace"), text("name"))
}

/// Id → kind of everything in the cloud.
fn ids(cloud: &Cloud) -> BTreeMap<String, String> {
    let ledger = cloud.ledger();
    let kinds = ledger.as_object().into_iter().flatten();
    let objects = kinds.flat_map(|(kind, list)| list.as_array().into_iter().flatten().map(move |o| (kind, o)));
    objects.filter_map(|(kind, object)| Some((object["id"].as_str()?.to_owned(), kind.clone()))).collect()
}

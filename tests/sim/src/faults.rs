//! The faults at work: which are switched on, their luck, windows of trouble, and how often each struck.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::dice::Dice;
use crate::plan::{Fault, Plan};

/// How many of all calls fail in a soak.
const SOAK: f64 = 0.1;
/// What happens to calls to the API server; the last two only to writes.
pub const API_CALLS: &[Fault] =
    &[Fault::F1, Fault::F2, Fault::F3, Fault::F4, Fault::F7, Fault::F8, Fault::F5, Fault::F6];
/// What happens to calls to the cloud; the last one only to writes.
pub const CLOUD_CALLS: &[Fault] = &[Fault::F29, Fault::F31, Fault::F38, Fault::F30];

/// The faults of one run.
pub struct Faults {
    enabled: BTreeSet<Fault>,
    dice: BTreeMap<Fault, Dice>,
    counts: BTreeMap<Fault, u64>,
    /// Trouble that lasts: until when.
    windows: BTreeMap<Fault, Duration>,
    /// After this nothing goes wrong any more.
    end: Duration,
    /// How likely things go wrong, relative to the usual.
    intensity: f64,
    /// In a soak: what happens to the call at hand. There every kind is as likely as the others.
    soak: Option<Option<Fault>>,
}

impl Faults {
    /// The faults of a plan.
    pub fn of(plan: &Plan) -> Self {
        let dice = Fault::ALL.iter().map(|f| (*f, Dice::new(plan.seed, f.name()))).collect();
        let intensity = [0.3, 1.0, 3.0][Dice::new(plan.seed, "intensity").below(3) as usize];
        Self {
            enabled: plan.faults.clone(),
            dice,
            counts: BTreeMap::new(),
            windows: BTreeMap::new(),
            end: plan.chaos(),
            intensity: if plan.pairs.is_some() { 1.0 } else { intensity },
            soak: plan.pairs.map(|_| None),
        }
    }

    /// Another call: in a soak its fault is drawn, from all of `kinds` or, for a read, all but the last so many.
    pub fn next_call(&mut self, kinds: &[Fault], writes: bool, for_writes: usize) {
        if self.soak.is_none() {
            return;
        }
        let kinds = if writes { kinds } else { &kinds[..kinds.len() - for_writes] };
        let dice = self.dice(kinds[0]);
        let drawn = if dice.chance(SOAK) { dice.pick(kinds).copied() } else { None };
        self.soak = Some(drawn);
    }

    /// Whether a fault strikes at `now`, which it does with a probability.
    pub fn strikes(&mut self, fault: Fault, now: Duration, probability: f64) -> bool {
        if now >= self.end || !self.enabled.contains(&fault) {
            return false;
        }
        let intensity = if fault == Fault::F24 { self.killing() } else { self.intensity };
        let strikes = match &mut self.soak {
            Some(drawn) if API_CALLS.contains(&fault) || CLOUD_CALLS.contains(&fault) => {
                drawn.take_if(|drawn| *drawn == fault).is_some()
            }
            _ => self.dice(fault).chance((probability * intensity).min(0.9)),
        };
        if strikes {
            self.count(fault);
        }
        strikes
    }

    /// How likely a process is killed, relative to the usual. In a soak pairs count, and not the passes over all
    /// Services that follow each start.
    pub fn killing(&self) -> f64 {
        if self.soak.is_some() { self.intensity / 10.0 } else { self.intensity }
    }

    /// Opens a window of trouble; it never reaches past the end of the trouble.
    pub fn open(&mut self, fault: Fault, now: Duration, length: Duration) {
        self.windows.insert(fault, (now + length).min(self.end));
    }

    /// Until when a window of trouble is open, if it is.
    pub fn open_until(&self, fault: Fault, now: Duration) -> Option<Duration> {
        self.windows.get(&fault).copied().filter(|until| now < *until)
    }

    /// Whether a fault is switched on and its time is not over.
    pub fn is_on(&self, fault: Fault, now: Duration) -> bool {
        now < self.end && self.enabled.contains(&fault)
    }

    /// When all trouble ends.
    pub fn end(&self) -> Duration {
        self.end
    }

    /// Ends all trouble.
    pub fn finish(&mut self, now: Duration) {
        self.end = self.end.min(now);
        self.windows.clear();
    }

    /// The luck of one fault.
    pub fn dice(&mut self, fault: Fault) -> &mut Dice {
        self.dice.entry(fault).or_insert_with(|| Dice::new(0, fault.name()))
    }

    /// Notes that a fault struck.
    pub fn count(&mut self, fault: Fault) {
        *self.counts.entry(fault).or_default() += 1;
    }

    /// How often each struck.
    pub fn counts(&self) -> &BTreeMap<Fault, u64> {
        &self.counts
    }
}

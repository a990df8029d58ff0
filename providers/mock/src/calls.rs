//! The log of signed calls and their counters: what a test asks how many calls something cost.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

/// Calls that are remembered one by one; counters go on for ever.
const REMEMBERED: usize = 20_000;

/// The log.
#[derive(Default)]
pub struct Calls(Mutex<Log>);

/// What the log holds, in the shape it is shown.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Log {
    pub totals: Totals,
    /// By `METHOD template`.
    pub counters: BTreeMap<String, Counter>,
    pub calls: VecDeque<Call>,
    #[serde(skip)]
    next: u64,
}

/// Sums over all calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Totals {
    pub reads: u64,
    pub writes: u64,
    pub effective: u64,
}

/// Sums over one kind of call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Counter {
    pub calls: u64,
    /// How many changed something.
    pub effective: u64,
    /// How many were answered with 400 or more.
    pub errors: u64,
    /// How many met a fault.
    pub faults: u64,
}

/// One call.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    pub seq: u64,
    pub time: Timestamp,
    pub method: String,
    /// With the query.
    pub path: String,
    pub template: String,
    pub write: bool,
    pub status: Option<u16>,
    pub code: Option<String>,
    /// Whether it changed something, be it late.
    pub effective: bool,
    pub fault: Option<&'static str>,
    pub outcome: Outcome,
}

/// What the client saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Pending,
    Answered,
    /// The connection was closed on it.
    Cut,
    /// It went away before it got an answer.
    Gone,
}

/// A call under way; says `Gone` if it is dropped before it has an outcome.
pub struct Open<'a> {
    calls: &'a Calls,
    pub seq: u64,
    settled: bool,
}

impl Calls {
    pub fn begin(&self, time: Timestamp, method: &str, path: &str, template: &str) -> Open<'_> {
        let write = is_write(method);
        let mut log = self.lock();
        log.next += 1;
        let seq = log.next;
        let totals = &mut log.totals;
        *(if write { &mut totals.writes } else { &mut totals.reads }) += 1;
        log.counters.entry(format!("{method} {template}")).or_default().calls += 1;
        if log.calls.len() == REMEMBERED {
            log.calls.pop_front();
        }
        log.calls.push_back(Call {
            seq,
            time,
            method: method.to_owned(),
            path: path.to_owned(),
            template: template.to_owned(),
            write,
            status: None,
            code: None,
            effective: false,
            fault: None,
            outcome: Outcome::Pending,
        });
        Open { calls: self, seq, settled: false }
    }

    pub fn effective(&self, seq: u64) {
        let mut log = self.lock();
        log.totals.effective += 1;
        log.change(seq, |call, counter| {
            call.effective = true;
            counter.effective += 1;
        });
    }

    pub fn log(&self) -> Log {
        self.lock().clone()
    }

    /// Forgets everything but the sequence number.
    pub fn reset(&self) {
        let mut log = self.lock();
        *log = Log { next: log.next, ..Log::default() };
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open<'_> {
    pub fn fault(&self, fault: &'static str) {
        self.calls.lock().change(self.seq, |call, counter| {
            call.fault = Some(fault);
            counter.faults += 1;
        });
    }

    pub fn answered(mut self, status: u16, code: Option<String>) {
        self.settled = true;
        self.calls.lock().change(self.seq, |call, counter| {
            counter.errors += u64::from(status >= 400);
            (call.status, call.code, call.outcome) = (Some(status), code, Outcome::Answered);
        });
    }

    pub fn cut(mut self) {
        self.settled = true;
        self.calls.lock().change(self.seq, |call, _| call.outcome = Outcome::Cut);
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.calls.lock().change(self.seq, |call, _| call.outcome = Outcome::Gone);
        }
    }
}

impl Log {
    fn change(&mut self, seq: u64, change: impl FnOnce(&mut Call, &mut Counter)) {
        let Some(first) = self.calls.front().map(|call| call.seq) else { return };
        let index = seq.checked_sub(first).and_then(|index| usize::try_from(index).ok());
        let Some(call) = index.and_then(|index| self.calls.get_mut(index)) else { return };
        let counter = self.counters.entry(format!("{} {}", call.method, call.template)).or_default();
        change(call, counter);
    }
}

pub fn is_write(method: &str) -> bool {
    !matches!(method, "GET" | "HEAD" | "OPTIONS")
}

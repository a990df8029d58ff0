//! What one pass found, did, and could not do.

use std::time::Duration;

use crate::{Conflict, Problem, ProviderError, RetryClass, Serving, Slot};

/// Result of one pass of the [`Engine`](crate::Engine).
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What clients can reach now; `None` where the pass could not find out (or for a release).
    pub serving: Option<Serving>,
    /// The cloud is as wished (for a release: nothing of the owner is left, and nothing can come any more).
    pub settled: bool,
    /// The user's input is wrong; nothing helps but changing it.
    pub problems: Vec<Problem>,
    /// The user should know, though it stops nothing.
    pub warnings: Vec<Problem>,
    /// Calls that failed. What does not depend on them was done all the same.
    pub failures: Vec<Failure>,
    /// Who is in the way of what could not be done.
    pub conflicts: Vec<Conflict>,
    /// What has to be waited for.
    pub waits: Vec<Wait>,
    /// The moment ([`Host::now`](crate::Host::now)) from which the cloud's lists are to be trusted; look again then,
    /// even when settled: until then our own last writes hide what others do.
    pub look_again: Option<Duration>,
    /// Steps carried out, in words.
    pub applied: Vec<String>,
    /// What stays in the cloud without our mark ([`Resource::stays`](crate::Resource::stays)), with its id.
    pub left: Vec<String>,
    /// Write calls made, failed ones included.
    pub writes: usize,
    /// Something was deleted or changed, or may have been, so that a place may be free that others wait for.
    pub vacated: bool,
    /// An object is to go that has an address which clients are told. Nothing was deleted: they are to be told first
    /// what serves them now, if anything does.
    pub withdrawn: bool,
    /// For a release: what is still there.
    pub remaining: Vec<Slot>,
    /// The pass was cut short because the right to write was gone.
    pub permit_lost: bool,
}

/// A call that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// For which object; `None`: the list call.
    pub slot: Option<Slot>,
    /// How.
    pub error: ProviderError,
}

/// Something to wait for.
#[derive(Clone, Debug)]
pub struct Wait {
    /// Which object.
    pub slot: Slot,
    /// When it is over, on the clock of [`Host::now`](crate::Host::now); `None`: ask again soon.
    pub until: Option<Duration>,
    /// Why.
    pub reason: String,
}

impl Outcome {
    /// The class of the failure that should be retried first, `None` without failures.
    pub fn retry(&self) -> Option<RetryClass> {
        self.failures.iter().map(|f| f.error.class()).min()
    }

    /// The cloud's own hint how long to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.failures
            .iter()
            .filter_map(|f| match &f.error {
                ProviderError::Throttled { after, .. } => *after,
                _ => None,
            })
            .max()
    }
}

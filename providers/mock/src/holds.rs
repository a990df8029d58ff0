//! Calls that are held back until somebody releases them: the place where a test kills a client.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::oneshot;

/// All held calls.
#[derive(Default)]
pub struct Holds(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    next: u64,
    held: BTreeMap<u64, (Held, oneshot::Sender<Release>)>,
}

/// One held call.
#[derive(Debug, Clone, Serialize)]
pub struct Held {
    pub id: u64,
    pub seq: u64,
    pub method: String,
    pub path: String,
    /// `hold_before` or `hold_after`: whether the effect is still to come.
    pub phase: &'static str,
    pub since: Timestamp,
}

/// How a hold ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    Go,
    /// Close the connection; what has not been applied never will be.
    Drop,
}

/// Takes the call off the list, also when the waiting future is dropped because the client is gone.
struct Entry<'a>(&'a Holds, u64);

impl Holds {
    /// Waits for the release.
    pub async fn hold(&self, seq: u64, method: &str, path: &str, phase: &'static str, since: Timestamp) -> Release {
        let (sender, released) = oneshot::channel();
        let entry = {
            let mut inner = self.lock();
            inner.next += 1;
            let id = inner.next;
            let held = Held { id, seq, method: method.to_owned(), path: path.to_owned(), phase, since };
            inner.held.insert(id, (held, sender));
            Entry(self, id)
        };
        let release = released.await.unwrap_or(Release::Drop);
        drop(entry);
        release
    }

    pub fn list(&self) -> Vec<Held> {
        self.lock().held.values().map(|(held, _)| held.clone()).collect()
    }

    /// Releases one or all; how many it were.
    pub fn release(&self, id: Option<u64>, release: Release) -> usize {
        let held = {
            let mut inner = self.lock();
            match id {
                Some(id) => inner.held.remove(&id).into_iter().collect(),
                None => std::mem::take(&mut inner.held).into_values().collect::<Vec<_>>(),
            }
        };
        held.into_iter().filter_map(|(_, sender)| sender.send(release).ok()).count()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.0.lock().held.remove(&self.1);
    }
}

//! A watch that can be trusted: it notices what vanished while it was disconnected, and it cannot get stuck.
//!
//! `kube`'s watcher keeps its resource version when a watch cannot be *started*, so that an HTTP 410 at that point
//! repeats for ever (docs: rust reference K1). The feed throws the watcher away then and lists anew.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

/// The server ends a watch after this long, and an idle connection counts as dead 5 s later; so a connection that
/// silently leads nowhere hides changes for less than 150 s.
const WATCH_SECONDS: u32 = 90;
/// Failed starts in a row after which the watcher is thrown away.
const FAILED_STARTS: u32 = 5;

/// One object came, changed or went.
#[derive(Debug)]
pub enum Fact<K> {
    /// It is there, like this.
    Is(K),
    /// It is gone; this is how it was last seen.
    Gone(K),
}

/// Whether a server that does not know the kind is to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Every API server has it: a 404 is somebody else's answer, a proxy's for instance.
    BuiltIn,
    /// It comes with a definition that need not be installed: a 404 means that there are no objects.
    Optional,
}

/// Whether a feed is to be trusted.
#[derive(Default)]
pub struct Health {
    ready: AtomicBool,
    failing: AtomicBool,
    last_success: AtomicU64,
}

impl Health {
    /// The first complete list has arrived.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Process time of the last moment in which the feed was known to be connected, in seconds.
    pub fn last_success(&self, clock: &Clock) -> u64 {
        if self.failing.load(Ordering::Acquire) {
            self.last_success.load(Ordering::Acquire)
        } else {
            clock.now().as_secs()
        }
    }

    fn succeeded(&self, clock: &Clock) {
        self.failing.store(false, Ordering::Release);
        self.last_success.store(clock.now().as_secs(), Ordering::Release);
    }
}

/// Watches all objects of `api` until `stop`, telling `sink` each fact in order. An object that was there before a
/// reconnect and is not after it is told as gone. `slim` makes of an object what is kept for that comparison.
///
/// `kind` says whether the server may not know it at all.
pub async fn run<K, S>(
    api: Api<K>,
    kind: Kind,
    clock: Clock,
    health: Arc<Health>,
    stop: CancellationToken,
    slim: impl Fn(K) -> S,
    mut sink: impl FnMut(Fact<S>),
) where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
    K::DynamicType: Default,
    S: Clone,
{
    let mut known: BTreeMap<(String, String), S> = BTreeMap::new();
    while !stop.is_cancelled() {
        let config = watcher::Config::default().timeout(WATCH_SECONDS);
        let mut events = std::pin::pin!(watcher(api.clone(), config).default_backoff());
        let mut failed_starts = 0;
        let mut listed = BTreeMap::new();
        loop {
            let event = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                event = events.next() => event,
            };
            match event {
                None => break,
                Some(Ok(event)) => {
                    failed_starts = 0;
                    health.succeeded(&clock);
                    match event {
                        Event::Init => listed.clear(),
                        Event::InitApply(object) => {
                            let key = key(&object);
                            let object = slim(object);
                            listed.insert(key.clone(), object.clone());
                            known.insert(key, object.clone());
                            sink(Fact::Is(object));
                        }
                        Event::InitDone => {
                            let gone: Vec<_> = known.keys().filter(|k| !listed.contains_key(*k)).cloned().collect();
                            for key in gone {
                                known.remove(&key).into_iter().for_each(|object| sink(Fact::Gone(object)));
                            }
                            health.ready.store(true, Ordering::Release);
                        }
                        Event::Apply(object) => {
                            let key = key(&object);
                            let object = slim(object);
                            known.insert(key, object.clone());
                            sink(Fact::Is(object));
                        }
                        Event::Delete(object) => {
                            known.remove(&key(&object));
                            sink(Fact::Gone(slim(object)));
                        }
                    }
                }
                Some(Err(watcher::Error::InitialListFailed(kube::Error::Api(status))))
                    if kind == Kind::Optional && status.code == 404 =>
                {
                    // The server does not know the kind: its definition is not installed, so there are no objects of
                    // it. The watcher asks again, ever more seldom, and sees when that changes.
                    tracing::debug!(kind = %K::kind(&K::DynamicType::default()), "the cluster does not know this kind");
                    known.values().cloned().for_each(|object| sink(Fact::Gone(object)));
                    known.clear();
                    health.succeeded(&clock);
                    health.ready.store(true, Ordering::Release);
                }
                Some(Err(error)) => {
                    health.failing.store(true, Ordering::Release);
                    tracing::warn!(kind = %K::kind(&K::DynamicType::default()), %error, "watch failed, trying again");
                    if let watcher::Error::WatchStartFailed(cause) = &error {
                        failed_starts += 1;
                        let gone = matches!(cause, kube::Error::Api(status) if status.code == 410);
                        if gone || failed_starts >= FAILED_STARTS {
                            break;
                        }
                    }
                }
            }
        }
        // A fresh watcher has no backoff yet; without this pause a server that refuses every start is hammered.
        tokio::time::sleep(Duration::from_secs(1).mul_f64(clock.jitter())).await;
    }
}

fn key<K: Resource>(object: &K) -> (String, String) {
    (object.namespace().unwrap_or_default(), object.name_any())
}

#[cfg(test)]
mod tests;

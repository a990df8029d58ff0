//! Which Service to look at next, and when.
//!
//! A key is never worked on twice at once, and waits in one place only: asking again moves it forward, never back.
//! Keys that are due at one moment come in their natural order, so a run can be repeated exactly.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferrolb_core::Key;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The work queue.
#[derive(Default)]
pub struct Queue {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Default)]
struct Inner {
    due: BTreeSet<(Instant, Key)>,
    waiting: BTreeMap<Key, Instant>,
    running: BTreeSet<Key>,
}

impl Queue {
    /// Asks for a look at `key` now.
    pub fn add(&self, key: Key) {
        self.add_after(key, Duration::ZERO);
    }

    /// Asks for a look at `key` after `delay`, or earlier where that was asked for already.
    pub fn add_after(&self, key: Key, delay: Duration) {
        let at = Instant::now() + delay;
        {
            let mut inner = self.lock();
            if let Some(&earlier) = inner.waiting.get(&key) {
                if earlier <= at {
                    return;
                }
                inner.due.remove(&(earlier, key.clone()));
            }
            inner.waiting.insert(key.clone(), at);
            inner.due.insert((at, key));
        }
        self.changed.notify_one();
    }

    /// The next key that is due and not being worked on. It counts as worked on until [`Queue::done`].
    pub async fn next(&self) -> Key {
        loop {
            let wake = {
                let mut inner = self.lock();
                let first = inner.due.iter().find(|(_, key)| !inner.running.contains(key)).cloned();
                match first {
                    Some((at, key)) if at <= Instant::now() => {
                        inner.due.remove(&(at, key.clone()));
                        inner.waiting.remove(&key);
                        inner.running.insert(key.clone());
                        return key;
                    }
                    other => other.map(|(at, _)| at),
                }
            };
            let changed = self.changed.notified();
            match wake {
                Some(at) => tokio::select! {
                    biased;
                    () = changed => {}
                    () = tokio::time::sleep_until(at) => {}
                },
                None => changed.await,
            }
        }
    }

    /// Ends the work on `key`.
    pub fn done(&self, key: &Key) {
        self.lock().running.remove(key);
        self.changed.notify_one();
    }

    /// Keys that wait, and keys that are being worked on.
    pub fn depth(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.waiting.len(), inner.running.len())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::new("default", name)
    }

    #[tokio::test(start_paused = true)]
    async fn asking_again_moves_a_key_forward_and_never_back() {
        let queue = Queue::default();
        queue.add_after(key("a"), Duration::from_secs(60));
        queue.add_after(key("a"), Duration::from_secs(5));
        queue.add_after(key("a"), Duration::from_secs(30));
        let start = Instant::now();
        assert_eq!(queue.next().await, key("a"));
        assert_eq!(start.elapsed().as_secs(), 5);
        assert_eq!(queue.depth(), (0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_not_worked_on_twice_at_once() {
        let queue = Queue::default();
        queue.add(key("a"));
        assert_eq!(queue.next().await, key("a"));
        queue.add(key("a"));
        queue.add_after(key("b"), Duration::from_secs(1));
        assert_eq!(queue.next().await, key("b"), "a is still being worked on");
        queue.done(&key("a"));
        assert_eq!(queue.next().await, key("a"), "what came meanwhile is not lost");
    }

    #[tokio::test(start_paused = true)]
    async fn equal_moments_come_in_natural_order() {
        let queue = Queue::default();
        for name in ["c", "a", "b"] {
            queue.add(key(name));
        }
        for name in ["a", "b", "c"] {
            // All were added within the same paused instant.
            assert_eq!(queue.next().await, key(name));
        }
    }
}

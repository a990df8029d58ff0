//! When to try again, from the class of the error and the number of tries.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ferrolb_core::Key;
use ferrolb_provider::RetryClass;

/// A failing object is tried at most this seldom, and at least this often, for we may not hear of the cure.
const CEILING: Duration = Duration::from_secs(300);

/// The first look at something that is on its way; doubled each time.
const POLL: Duration = Duration::from_millis(250);
const POLL_CEILING: Duration = Duration::from_secs(10);
/// The first look at backends that are not all healthy; doubled each time, up to [`CEILING`].
const HEALTH: Duration = Duration::from_secs(1);

/// Counts, per Service, what happened in a row. Each reason to look again has a count of its own: many looks at
/// backends that stay unhealthy must not slow down the retry of a failure.
#[derive(Default)]
pub struct Retry {
    counts: Mutex<BTreeMap<Key, Counts>>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    failed: u32,
    waiting: u32,
    unhealthy: u32,
}

impl Retry {
    /// Notes a failure; returns the delay before the next try. `hint` is the cloud's own, `jitter` about 1.
    pub fn failed(&self, key: &Key, class: RetryClass, hint: Option<Duration>, jitter: f64) -> Duration {
        let delay = delay(class, self.count(key, |c| &mut c.failed), hint).mul_f64(jitter);
        // The jitter must not bring it below what the cloud asked for.
        hint.map_or(delay, |hint| delay.max(hint.min(CEILING)))
    }

    /// Notes that something is on its way; returns the delay before the next look.
    pub fn waiting(&self, key: &Key, jitter: f64) -> Duration {
        doubled(POLL, self.count(key, |c| &mut c.waiting), POLL_CEILING).mul_f64(jitter)
    }

    /// Notes that not all backends are known to be healthy; returns about how long to wait before the next look.
    pub fn unhealthy(&self, key: &Key) -> Duration {
        doubled(HEALTH, self.count(key, |c| &mut c.unhealthy), CEILING)
    }

    /// Notes a pass without failure and without anything to wait for. `changed`: it wrote something, so that health
    /// is worth a closer look again.
    pub fn succeeded(&self, key: &Key, changed: bool) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counts) = counts.get_mut(key) {
            let unhealthy = if changed { 0 } else { counts.unhealthy };
            *counts = Counts { unhealthy, ..Counts::default() };
        }
    }

    /// Forgets a Service.
    pub fn forget(&self, key: &Key) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// The count before this one.
    fn count(&self, key: &Key, which: impl FnOnce(&mut Counts) -> &mut u32) -> u32 {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = which(counts.entry(key.clone()).or_default());
        *count = count.saturating_add(1);
        *count - 1
    }
}

fn doubled(first: Duration, times: u32, ceiling: Duration) -> Duration {
    first.saturating_mul(2u32.saturating_pow(times.min(16))).min(ceiling)
}

/// The delay after `tried` earlier failures.
fn delay(class: RetryClass, tried: u32, hint: Option<Duration>) -> Duration {
    let first = match class {
        RetryClass::Ambiguous | RetryClass::Unavailable => Duration::from_secs(1),
        RetryClass::Throttled => Duration::from_secs(2),
        // Only somebody else can cure these; asking soon is asking in vain.
        RetryClass::Refused => Duration::from_secs(5),
        RetryClass::Denied => Duration::from_secs(10),
    };
    let doubled = doubled(first, tried, CEILING);
    hint.map_or(doubled, |hint| doubled.max(hint.min(CEILING)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_five_minutes() {
        let seconds = |class, tried| delay(class, tried, None).as_secs();
        assert_eq!([0, 1, 2, 8, 9, 40].map(|n| seconds(RetryClass::Unavailable, n)), [1, 2, 4, 256, 300, 300]);
        assert_eq!([0, 1, 6].map(|n| seconds(RetryClass::Refused, n)), [5, 10, 300]);
        assert_eq!([0, 5].map(|n| seconds(RetryClass::Denied, n)), [10, 300]);
    }

    #[test]
    fn the_clouds_hint_is_a_minimum_within_the_ceiling() {
        let hint = |s| Some(Duration::from_secs(s));
        assert_eq!(delay(RetryClass::Throttled, 0, hint(30)).as_secs(), 30);
        assert_eq!(delay(RetryClass::Throttled, 6, hint(30)).as_secs(), 128);
        assert_eq!(delay(RetryClass::Throttled, 0, hint(86_400)).as_secs(), 300);
    }

    #[test]
    fn what_is_on_its_way_is_looked_at_soon_and_then_less_often() {
        let (retry, key) = (Retry::default(), Key::new("n", "s"));
        let waits = [(); 8].map(|()| retry.waiting(&key, 1.0).as_millis());
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    }

    #[test]
    fn a_success_starts_the_count_anew() {
        let retry = Retry::default();
        let key = Key::new("n", "s");
        let fail = || retry.failed(&key, RetryClass::Unavailable, None, 1.0).as_secs();
        assert_eq!((fail(), fail(), fail()), (1, 2, 4));
        retry.succeeded(&key, false);
        assert_eq!(fail(), 1);
    }

    /// Nodes without an endpoint are unhealthy for ever under policy Local; one 503 then waited five minutes.
    #[test]
    fn each_reason_to_look_again_has_its_own_count() {
        let (retry, key) = (Retry::default(), Key::new("n", "s"));
        let looks = [(); 10].map(|()| retry.unhealthy(&key).as_secs());
        assert_eq!(looks[8..], [256, 300]);
        retry.waiting(&key, 1.0);
        assert_eq!(retry.failed(&key, RetryClass::Unavailable, None, 1.0).as_secs(), 1);
        retry.succeeded(&key, false);
        assert_eq!(retry.unhealthy(&key).as_secs(), 300, "nothing changed");
        retry.succeeded(&key, true);
        assert_eq!(retry.unhealthy(&key).as_secs(), 1);
    }
}

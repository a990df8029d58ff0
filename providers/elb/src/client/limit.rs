//! How all calls together keep to one rate.
//!
//! Two lanes over one [`TokenBucket`]: a read waits as long as it takes, in the order of arrival, and takes its token
//! only when it goes, so that one that is given up costs nothing. A write must be over within its step's deadline:
//! it goes before the reads that wait, reserves its token, and is told at once where that would come too late.
//!
//! Where the cloud says that there were too many calls, all of them pause and then go on in line: the limit is one of
//! the account, and the next call would be refused, too, whoever makes it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::clock::Clock;
use crate::config::Limits;

/// A wait that people should know of.
const LONG: Duration = Duration::from_secs(3);
/// They are told this often at most.
const QUIET: Duration = Duration::from_secs(60);
/// For how long all calls pause at most, whatever the cloud asks for: the one that was refused waits for itself.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Lets calls through.
pub(crate) struct Limiter {
    bucket: Mutex<TokenBucket>,
    /// Fair: held by the read that is next.
    next_read: tokio::sync::Mutex<()>,
    /// When somebody was told of a long wait.
    told: Mutex<Option<Duration>>,
}

/// A write would come too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLate {
    /// How long the cloud's pause lasts, where it is that and not our own rate.
    pub(crate) pause: Option<Duration>,
}

impl Limiter {
    /// Starts with a full burst.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            bucket: Mutex::new(TokenBucket::new(limits)),
            next_read: tokio::sync::Mutex::new(()),
            told: Mutex::new(None),
        }
    }

    /// Waits until a read may go, however long that is. How long it was.
    pub(crate) async fn read(&self, clock: &dyn Clock) -> Duration {
        let began = clock.monotonic();
        let _turn = self.next_read.lock().await;
        loop {
            let now = clock.monotonic();
            let missing = self.bucket().take(now);
            match missing {
                Ok(()) => return now.saturating_sub(began),
                // Writes may come in between, so the answer is another one afterwards.
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    /// Waits until a write may go, and says how long it was; or says, at once where it is known at once, that it would
    /// be longer than `patience`.
    pub(crate) async fn write(&self, clock: &dyn Clock, patience: Duration) -> Result<Duration, TooLate> {
        let began = clock.monotonic();
        let too_late = |pause: Duration| TooLate { pause: (!pause.is_zero()).then_some(pause) };
        let mut wait = {
            let mut bucket = self.bucket();
            bucket.reserve(began, patience).map_err(|_| too_late(bucket.pause(began)))?
        };
        let mut reserved = Reserved { limiter: self, used: false };
        while !wait.is_zero() {
            tokio::time::sleep(wait).await;
            // The cloud may have asked for a pause meanwhile.
            let now = clock.monotonic();
            wait = self.bucket().pause(now);
            if wait > patience.saturating_sub(now.saturating_sub(began)) {
                return Err(too_late(wait));
            }
        }
        reserved.used = true;
        Ok(clock.monotonic().saturating_sub(began))
    }

    /// Lets nothing through for as long as the cloud asks for.
    pub(crate) fn pause(&self, now: Duration, wish: Duration) {
        self.bucket().close(now, now + wish.min(LONGEST_PAUSE));
    }

    /// Whether somebody should be told of this wait.
    pub(crate) fn is_worth_a_word(&self, waited: Duration, now: Duration) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is = waited >= LONG && told.is_none_or(|then| now >= then + QUIET);
        if is {
            *told = Some(now);
        }
        is
    }

    fn bucket(&self) -> MutexGuard<'_, TokenBucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A token that goes back where the call is given up before it is sent.
struct Reserved<'a> {
    limiter: &'a Limiter,
    used: bool,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if !self.used {
            self.limiter.bucket().give_back();
        }
    }
}

/// Tokens; negative ones are promised to calls that wait. Pure.
#[derive(Clone, Debug)]
struct TokenBucket {
    limits: Limits,
    tokens: f64,
    at: Duration,
    /// Nothing goes, and nothing comes in, before.
    closed_until: Duration,
}

/// What counts as a whole token: sums of fractions do not come out even.
const WHOLE: f64 = 1.0 - 1e-6;

impl TokenBucket {
    fn new(limits: Limits) -> Self {
        Self { limits, tokens: limits.burst, at: Duration::ZERO, closed_until: Duration::ZERO }
    }

    /// Takes a token that is there, or says when to ask again.
    fn take(&mut self, now: Duration) -> Result<(), Duration> {
        self.refill(now);
        let wait = self.wait();
        if !wait.is_zero() {
            return Err(wait);
        }
        self.tokens -= 1.0;
        Ok(())
    }

    /// Takes a token and returns how long to wait before using it, or takes none and returns the wait as an error
    /// where it would be longer than `patience`.
    fn reserve(&mut self, now: Duration, patience: Duration) -> Result<Duration, Duration> {
        self.refill(now);
        let wait = self.wait();
        if wait > patience {
            return Err(wait);
        }
        self.tokens -= 1.0;
        Ok(wait)
    }

    fn give_back(&mut self) {
        self.tokens = (self.tokens + 1.0).min(self.limits.burst);
    }

    /// Closes until a moment, and then begins without a burst.
    fn close(&mut self, now: Duration, until: Duration) {
        self.refill(now);
        self.tokens = self.tokens.min(0.0);
        self.closed_until = self.closed_until.max(until);
    }

    /// How long it stays closed.
    fn pause(&self, now: Duration) -> Duration {
        self.closed_until.saturating_sub(now)
    }

    fn refill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at.max(self.closed_until)).as_secs_f64();
        self.at = self.at.max(now);
        self.tokens = (self.tokens + passed * self.limits.per_second).min(self.limits.burst);
    }

    /// Until there is a whole token; zero only when there is.
    fn wait(&self) -> Duration {
        let pause = self.pause(self.at);
        if self.tokens >= WHOLE {
            return pause;
        }
        let seconds = (1.0 - self.tokens) / self.limits.per_second;
        let refill = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).max(Duration::from_nanos(1));
        pause.saturating_add(refill)
    }
}

#[cfg(test)]
mod tests;

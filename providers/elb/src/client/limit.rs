//! How all calls together keep to one rate.
//!
//! Two lanes over one [`TokenBucket`]: a read waits as long as it takes, in the order of arrival, and takes its token
//! only when it goes, so that one that is given up costs nothing. A write must be over within its step's deadline:
//! it goes before the reads that wait, reserves its token, and is told at once where that would come too late.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::clock::Clock;
use crate::config::Limits;

/// Lets calls through.
pub(crate) struct Limiter {
    bucket: Mutex<TokenBucket>,
    /// Fair: held by the read that is next.
    next_read: tokio::sync::Mutex<()>,
}

impl Limiter {
    /// Starts with a full burst.
    pub(crate) fn new(limits: Limits) -> Self {
        Self { bucket: Mutex::new(TokenBucket::new(limits)), next_read: tokio::sync::Mutex::new(()) }
    }

    /// Waits until a read may go, however long that is.
    pub(crate) async fn read(&self, clock: &dyn Clock) {
        let _turn = self.next_read.lock().await;
        loop {
            let missing = self.bucket().take(clock.monotonic());
            match missing {
                Ok(()) => return,
                // Writes may come in between, so the answer is another one afterwards.
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    /// Waits until a write may go; `false`, at once, where that would be longer than `patience`.
    pub(crate) async fn write(&self, clock: &dyn Clock, patience: Duration) -> bool {
        let Ok(wait) = self.bucket().reserve(clock.monotonic(), patience) else {
            return false;
        };
        if !wait.is_zero() {
            let mut reserved = Reserved { limiter: self, used: false };
            tokio::time::sleep(wait).await;
            reserved.used = true;
        }
        true
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
}

/// What counts as a whole token: sums of fractions do not come out even.
const WHOLE: f64 = 1.0 - 1e-6;

impl TokenBucket {
    fn new(limits: Limits) -> Self {
        Self { limits, tokens: limits.burst, at: Duration::ZERO }
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

    fn refill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.tokens = (self.tokens + passed * self.limits.per_second).min(self.limits.burst);
    }

    /// Until there is a whole token; zero only when there is.
    fn wait(&self) -> Duration {
        if self.tokens >= WHOLE {
            return Duration::ZERO;
        }
        let seconds = (1.0 - self.tokens) / self.limits.per_second;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).max(Duration::from_nanos(1))
    }
}

#[cfg(test)]
mod tests;

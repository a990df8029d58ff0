//! Time, passed in.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The two clocks that a call needs.
pub trait Clock: Send + Sync + 'static {
    /// Wall clock, for signatures.
    fn utc(&self) -> Timestamp;

    /// Time since some fixed moment; never goes back.
    fn monotonic(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn utc(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

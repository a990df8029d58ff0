//! Time and randomness, passed in from here, so that the simulator can drive the real code.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// The process's clock. Cloning shares it.
///
/// The monotonic part is tokio's, which a test can pause; it goes on while the process is stopped by a signal,
/// which is what lets a paused leader notice that its time is over.
#[derive(Clone)]
pub struct Clock {
    start: Instant,
    wall: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    random: Arc<Mutex<u64>>,
}

impl Clock {
    /// The machine's clock. `seed` starts the jitter's random numbers.
    pub fn system(seed: u64) -> Self {
        Self::new(seed, Timestamp::now)
    }

    /// A clock whose wall time comes from `wall`.
    pub fn new(seed: u64, wall: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { start: Instant::now(), wall: Arc::new(wall), random: Arc::new(Mutex::new(seed)) }
    }

    /// Time since the process began.
    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Wall time, for what people read.
    pub fn wall(&self) -> Timestamp {
        (self.wall)()
    }

    /// A factor in 0.8..1.2, so that many retries do not fall on one moment.
    pub fn jitter(&self) -> f64 {
        let mut state = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        // SplitMix64: a few good-enough bits without a dependency.
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        0.8 + 0.4 * ((z >> 11) as f64 / (1u64 << 53) as f64)
    }
}

//! Token bucket: how long a call has to wait so that all calls together keep to the rate. Pure.

use std::time::Duration;

use crate::config::Limits;

/// Tokens; negative ones are promised to calls that wait.
#[derive(Clone, Debug)]
pub(crate) struct TokenBucket {
    limits: Limits,
    tokens: f64,
    at: Duration,
}

impl TokenBucket {
    /// A full bucket.
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, tokens: limits.burst, at: Duration::ZERO }
    }

    /// Takes a token and returns how long to wait before using it, or takes none and returns the wait as an error
    /// where it would be longer than `patience`.
    pub(crate) fn take(&mut self, now: Duration, patience: Duration) -> Result<Duration, Duration> {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.tokens = (self.tokens + passed * self.limits.per_second).min(self.limits.burst);
        let missing = 1.0 - self.tokens;
        let wait = if missing <= 0.0 {
            Duration::ZERO
        } else {
            Duration::try_from_secs_f64(missing / self.limits.per_second).unwrap_or(Duration::MAX)
        };
        if wait > patience {
            return Err(wait);
        }
        self.tokens -= 1.0;
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn bucket() -> TokenBucket {
        TokenBucket::new(Limits { per_second: 10.0, burst: 3.0 })
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_in_line() {
        let mut bucket = bucket();
        let waits: Vec<_> = (0..5).map(|_| bucket.take(SECOND, SECOND)).collect();
        let ms = |n| Ok(Duration::from_millis(n));
        assert_eq!(waits, [ms(0), ms(0), ms(0), ms(100), ms(200)]);
    }

    #[test]
    fn the_bucket_refills_and_does_not_overflow() {
        let mut bucket = bucket();
        for _ in 0..3 {
            assert_eq!(bucket.take(SECOND, SECOND), Ok(Duration::ZERO));
        }
        let later = SECOND + Duration::from_millis(100);
        assert_eq!(bucket.take(later, SECOND), Ok(Duration::ZERO));
        assert_ne!(bucket.take(later, SECOND), Ok(Duration::ZERO));
        let much_later = 100 * SECOND;
        let free = (0..10).take_while(|_| bucket.take(much_later, SECOND) == Ok(Duration::ZERO)).count();
        assert_eq!(free, 3);
    }

    #[test]
    fn impatience_takes_no_token() {
        let mut bucket = bucket();
        for _ in 0..3 {
            assert!(bucket.take(SECOND, SECOND).is_ok());
        }
        let wait = Duration::from_millis(100);
        for _ in 0..5 {
            assert_eq!(bucket.take(SECOND, Duration::from_millis(50)), Err(wait));
        }
        assert_eq!(bucket.take(SECOND, SECOND), Ok(wait));
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_gives_nothing() {
        let mut bucket = bucket();
        for _ in 0..3 {
            assert!(bucket.take(10 * SECOND, SECOND).is_ok());
        }
        assert!(bucket.take(SECOND, SECOND).is_ok_and(|w| w > Duration::ZERO));
    }
}

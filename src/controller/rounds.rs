//! When Services to which nothing happens are looked at: many at one moment, so that they share the lists of the cloud.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use ferrolb_core::Key;

/// About how many are looked at together: enough for lists to be shared, and few enough for the queue to be empty again
/// before anybody waits for news behind them.
const TOGETHER: usize = 64;

/// How long it is from `now` until the round of `key`, one of about `services`, that comes once in `period`: at least
/// half a period, and less than one and a half.
pub fn until_round(key: &Key, services: usize, period: Duration, now: Duration) -> Duration {
    let groups = services.div_ceil(TOGETHER).max(1) as u64;
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let offset = period.mul_f64((hasher.finish() % groups) as f64 / groups as f64);
    let soonest = now + period / 2;
    let missed = soonest.saturating_sub(offset).as_nanos().div_ceil(period.as_nanos().max(1));
    let round = offset + period.saturating_mul(u32::try_from(missed).unwrap_or(u32::MAX));
    round.saturating_sub(now)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const PERIOD: Duration = Duration::from_secs(600);

    fn keys(count: usize) -> Vec<Key> {
        (0..count).map(|n| Key::new("default", format!("web-{n}"))).collect()
    }

    #[test]
    fn a_round_is_half_a_period_to_one_and_a_half_away_and_comes_once_in_each() {
        for key in keys(200) {
            let mut now = Duration::from_millis(77);
            for look in 0..5 {
                let until = until_round(&key, 200, PERIOD, now);
                assert!(until >= PERIOD / 2 && until < PERIOD * 3 / 2, "{until:?}");
                assert!(look == 0 || until.abs_diff(PERIOD) <= Duration::from_millis(50), "{until:?}");
                // The look takes a while.
                now += until + Duration::from_millis(50);
            }
        }
    }

    #[test]
    fn a_few_are_looked_at_together_wherever_they_were_before_and_many_in_groups() {
        let rounds = |count: usize| {
            let mut rounds: BTreeMap<Duration, usize> = BTreeMap::new();
            for (n, key) in keys(count).iter().enumerate() {
                let now = Duration::from_millis(n as u64);
                *rounds.entry(now + until_round(key, count, PERIOD, now)).or_default() += 1;
            }
            rounds
        };
        assert_eq!(rounds(50).into_values().collect::<Vec<_>>(), [50]);
        let many: Vec<usize> = rounds(1000).into_values().collect();
        assert_eq!(many.len(), 16);
        assert!(many.iter().all(|size| (30..=100).contains(size)), "{many:?}");
    }
}

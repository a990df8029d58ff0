//! Trouble that lasts a while: servers away, rights revoked, streams silent, history compacted, lists behind.

use std::sync::Arc;
use std::time::Duration;

use crate::cloud::LAG_MS;
use crate::dice::Dice;
use crate::plan::Fault;
use crate::sim::Sim;

/// Windows: fault, shortest and longest in seconds, how often an hour.
const WINDOWS: [(Fault, u64, u64, f64); 8] = [
    (Fault::F9, 1, 10, 12.0),
    (Fault::F10, 30, 30, 4.0),
    (Fault::F11, 60, 600, 1.5),
    (Fault::F12, 5, 60, 4.0),
    (Fault::F13, 5, 120, 4.0),
    (Fault::F18, 600, 600, 2.0),
    (Fault::F22, 10, 120, 6.0),
    (Fault::F37, 5, 120, 4.0),
];

/// Makes trouble until it is time for it to end, then ends it all.
pub async fn make(sim: Arc<Sim>) {
    let mut dice = Dice::new(sim.plan.seed, "trouble");
    if sim.with(|s| s.faults.is_on(Fault::F32, Duration::ZERO)) {
        let lag = 500 + dice.below(LAG_MS - 500);
        sim.with(|s| {
            s.faults.count(Fault::F32);
            s.cloud.set_list_lag(u32::try_from(lag).unwrap_or_default());
        });
    }
    let mut quota_until = Duration::ZERO;
    while sim.now() < sim.with(|s| s.faults.end()) {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let now = sim.now();
        for (fault, shortest, longest, hourly) in WINDOWS {
            let length = Duration::from_secs(shortest + dice.below(longest - shortest + 1));
            let begins = dice.chance(hourly / 720.0);
            sim.with(|s| {
                if begins && s.faults.is_on(fault, now) && s.faults.open_until(fault, now).is_none() {
                    s.faults.open(fault, now, length);
                    s.faults.count(fault);
                    s.note(now, || format!("trouble: {} for {length:?}", fault.words()));
                }
            });
        }
        sim.with(|s| {
            if s.faults.strikes(Fault::F31, now, 0.01) {
                quota_until = now + Duration::from_secs(90);
                s.cloud.set_quota(4, 4);
            } else if now >= quota_until {
                s.cloud.set_quota(-1, -1);
            }
            // History is forgotten now and then in any cluster; with F19 often, so that watches miss what lies between.
            let often = if s.faults.is_on(Fault::F19, now) { 0.2 } else { 0.01 };
            if dice.chance(often) {
                if s.faults.is_on(Fault::F19, now) {
                    s.faults.count(Fault::F19);
                }
                s.api.compact();
            }
        });
        sim.poke();
    }
    sim.with(|s| {
        s.cloud.set_list_lag(0);
        s.cloud.set_quota(-1, -1);
    });
}

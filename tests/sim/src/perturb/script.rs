//! One run of a script: the world without any trouble of its own, one controller, and users who keep to the clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::deed::Deed;
use super::judge;
use super::tap::{Act, Told, Write};
use crate::plan::Plan;
use crate::sim::Sim;
use crate::{expect, process, users};

/// After the last deed everything must be done within this time: a restart, the lease, the settle time, and a watch
/// that is two minutes behind.
const TIME_TO_END: Duration = Duration::from_secs(300);
/// Nothing may be written any more in this time.
const QUIET: Duration = Duration::from_secs(60);
/// The luck of latencies and identities.
const SEED: u64 = 1;

/// What was seen of a run.
pub struct Run {
    /// Broken invariants, and what is not as the last deeds demand.
    pub breaches: Vec<String>,
    /// A line per object that is left.
    pub end: Vec<String>,
    /// Objects of the cloud that were made and deleted, by kind.
    pub made: BTreeMap<String, u64>,
    pub gone: BTreeMap<String, u64>,
    /// Objects of the API server that came and went.
    pub lives: BTreeMap<String, u64>,
    pub writes: Vec<Write>,
    pub told: Vec<Told>,
    /// Whether the act was done.
    pub fired: bool,
}

/// Runs a script, with one act of interference or none.
///
/// # Errors
/// No runtime or no cloud.
pub fn run(deeds: &[(u64, Deed)], act: Option<Act>, print: bool) -> std::io::Result<Run> {
    fastrand::seed(SEED);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let result = runtime.block_on(live(deeds, act, print));
    runtime.shutdown_background();
    result
}

async fn live(deeds: &[(u64, Deed)], act: Option<Act>, print: bool) -> std::io::Result<Run> {
    let sim = Sim::new(Plan::quiet(SEED), print)?;
    users::furnish(&sim);
    sim.with(|s| s.tap.start(act, &s.cloud));
    tokio::spawn(process::replica(sim.clone(), 0));
    for (at, deed) in deeds {
        tokio::time::sleep(Duration::from_millis(*at).saturating_sub(sim.now())).await;
        deed.act(&sim).await;
    }
    tokio::time::sleep(TIME_TO_END).await;
    let before = written(&sim);
    tokio::time::sleep(QUIET).await;
    let after = written(&sim);
    Ok(sim.with(|s| {
        let mut breaches = s.law.breaches.clone();
        breaches.extend(expect::wrong(s).into_iter().map(|wrong| format!("I8: {wrong}")));
        if before != after {
            breaches.push(format!("I9: {} writes while nothing happened", after - before));
        }
        let end = judge::state(s);
        let lives = judge::lives(s);
        let tap = std::mem::take(&mut s.tap);
        let super::tap::Tap { made, gone, writes, told, fired, .. } = tap;
        Run { breaches, end, made, gone, lives, writes, told, fired }
    }))
}

fn written(sim: &Arc<Sim>) -> u64 {
    sim.with(|s| s.tally.api_effects + s.tally.cloud_effects)
}

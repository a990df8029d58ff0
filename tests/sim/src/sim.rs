//! One run: a cluster, a cloud, controllers, users and trouble in one thread with paused time; then quiet, and a
//! judgement.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ferrolb_mock::{Cloud, Config};
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

use crate::api::serve;
use crate::api::store::{Kind, Store};
use crate::dice::{Dice, extend, fnv};
use crate::faults::Faults;
use crate::freshness::Loss;
use crate::law::Law;
use crate::perturb::tap::Tap;
use crate::plan::{Fault, Plan};
use crate::process::Plug;
use crate::{expect, process, soak, trouble, users};

/// Where simulated time begins, seconds of Unix time.
const EPOCH: i64 = 1_700_000_000;

/// The quiet time after a soak.
const SOAK_QUIET: Duration = Duration::from_secs(1800);

/// Everything that the parts of a run share.
pub struct Sim {
    pub plan: Plan,
    started: Instant,
    state: Mutex<State>,
    /// Tells that the API server has news. Not a `watch`: that one wakes its receivers in random order.
    news: Notify,
}

/// What is behind the one lock.
pub struct State {
    pub api: Store,
    pub cloud: Cloud,
    pub faults: Faults,
    pub law: Law,
    pub latency: Dice,
    pub tally: Tally,
    /// A kind whose watches are lost.
    pub loss: Option<Loss>,
    /// Up to which version each kind was told to a process.
    pub told: BTreeMap<Kind, u64>,
    pub tap: Tap,
    trace: u64,
    print: bool,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    pub api_calls: u64,
    /// Writes on Services, and how many of them changed something.
    pub api_writes: u64,
    pub api_effects: u64,
    pub events: u64,
    pub pages: u64,
    pub cloud_calls: u64,
    pub cloud_writes: u64,
    pub cloud_effects: u64,
    pub crashes: u64,
    pub users: u64,
    /// Create/delete pairs of a soak.
    pub pairs: u64,
}

/// What came of a run.
pub struct Outcome {
    pub breaches: Vec<String>,
    pub trace: u64,
    pub tally: Tally,
    pub faults: BTreeMap<Fault, u64>,
    /// How long after the trouble everything was as it should be.
    pub converged: Option<Duration>,
    /// How much time was simulated.
    pub simulated: Duration,
}

impl Sim {
    /// A world in which nothing has happened yet.
    ///
    /// # Errors
    /// No cloud.
    pub fn new(plan: Plan, print: bool) -> std::io::Result<Arc<Self>> {
        let started = Instant::now();
        let mut dice = Dice::new(plan.seed, "sim");
        let slow = plan.faults.contains(&Fault::F35);
        let delay = if slow { dice.millis(100, 20_000) } else { Duration::ZERO };
        let cloud = Cloud::new(&Config {
            seed: plan.seed,
            eip_create_delay: delay,
            clock: ferrolb_mock::Clock(Arc::new(move || wall(started.elapsed()))),
            ..Config::default()
        })?;
        let mut faults = Faults::of(&plan);
        if slow {
            faults.count(Fault::F35);
        }
        let state = State {
            api: Store::new(plan.seed),
            cloud,
            faults,
            law: Law::default(),
            latency: Dice::new(plan.seed, "latency"),
            tally: Tally::default(),
            loss: None,
            told: BTreeMap::new(),
            tap: Tap::default(),
            trace: fnv([]),
            print,
        };
        Ok(Arc::new(Self { plan, started, state: Mutex::new(state), news: Notify::new() }))
    }

    /// Time since the run began.
    pub fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// The same as a date.
    pub fn wall(&self) -> Timestamp {
        wall(self.now())
    }

    /// Does something to the state; whatever changed is judged at once.
    pub fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        let now = self.now();
        let (result, is_news) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let before = (state.api.told(), state.cloud.revision());
            let result = f(&mut state);
            if before != (state.api.told(), state.cloud.revision()) {
                let State { law, api, cloud, .. } = &mut *state;
                law.judge(now, api, cloud);
            }
            state.law.actor = None;
            (result, before.0 != state.api.told())
        };
        if is_news {
            self.poke();
        }
        result
    }

    /// Ends at the next news after the first poll.
    pub fn news(&self) -> Notified<'_> {
        self.news.notified()
    }

    /// Wakes all watches.
    pub fn poke(&self) {
        self.news.notify_waiters();
    }

    /// Whether there is a breach already, so that going on is no use.
    pub fn is_over(&self) -> bool {
        self.with(|s| !s.law.breaches.is_empty())
    }
}

impl State {
    /// Puts a line into the trace.
    pub fn note(&mut self, now: Duration, text: impl FnOnce() -> String) {
        let line = format!("{:>10.3} {}", now.as_secs_f64(), text());
        self.trace = extend(self.trace, line.bytes());
        if self.print {
            eprintln!("{line}");
        }
    }
}

/// A client of an API server in a world of its own, in which nothing else happens. Needs a runtime.
///
/// # Errors
/// No cloud, which has nothing to do with the plan.
pub fn bare(plan: Plan) -> std::io::Result<kube::Client> {
    Ok(serve::client(&Sim::new(plan, false)?, &Arc::new(Plug::new("fidelity".to_owned()))))
}

/// Runs a plan. The same plan gives the same outcome in every process.
///
/// # Errors
/// No runtime or no cloud, which has nothing to do with the plan.
pub fn run(plan: Plan, print: bool) -> std::io::Result<Outcome> {
    // The backoff of kube's watcher draws from here.
    fastrand::seed(plan.seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let outcome = runtime.block_on(live(plan, print))?;
    runtime.shutdown_background();
    Ok(outcome)
}

async fn live(plan: Plan, print: bool) -> std::io::Result<Outcome> {
    let sim = Sim::new(plan, print)?;
    users::furnish(&sim);
    for slot in 0..process::replicas(&sim) {
        tokio::spawn(process::replica(sim.clone(), slot));
    }
    tokio::spawn(trouble::make(sim.clone()));
    let chaos = match sim.plan.pairs {
        Some(pairs) => {
            soak::play(&sim, pairs).await;
            sim.now()
        }
        None => {
            tokio::spawn(users::play(sim.clone()));
            while sim.now() < sim.plan.chaos() && !sim.is_over() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            sim.plan.chaos()
        }
    };
    let length = chaos + if sim.plan.pairs.is_some() { SOAK_QUIET } else { sim.plan.length() - chaos };
    let converged = if sim.is_over() { None } else { quiet(&sim, chaos, length).await };
    Ok(sim.with(|s| Outcome {
        breaches: s.law.breaches.clone(),
        trace: s.trace,
        tally: s.tally,
        faults: s.faults.counts().clone(),
        converged,
        simulated: sim.now(),
    }))
}

/// No trouble any more: everything must come right (I8), stay right, and then nothing must be written (I9).
async fn quiet(sim: &Sim, chaos: Duration, length: Duration) -> Option<Duration> {
    users::leave(sim);
    let half = chaos + (length - chaos) / 2;
    let mut converged = None;
    while sim.now() < half && !sim.is_over() {
        let wrong = sim.with(expect::wrong);
        if wrong.is_empty() && converged.is_none() {
            converged = Some(sim.now() - chaos);
        } else if !wrong.is_empty() {
            converged = None;
        }
        // It is a costly question.
        let pause = if converged.is_some() { 30 } else { 1 };
        tokio::time::sleep(Duration::from_secs(pause).min(half.saturating_sub(sim.now()))).await;
    }
    let now = sim.now();
    let before = sim.with(|s| {
        for wrong in expect::wrong(s) {
            s.law.breach(now, "I8", format!("not as it should be {:?} after the trouble: {wrong}", now - chaos));
        }
        s.law.count_passes();
        (s.tally, s.law.orphans_excused() || expect::somebody_waits(s))
    });
    while sim.now() < length && !sim.is_over() {
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    let now = sim.now();
    sim.with(|s| {
        for wrong in expect::wrong(s) {
            s.law.breach(now, "I8", format!("was right and did not stay so: {wrong}"));
        }
        // Calls that are refused again and again are not counted here but as passes.
        let writes = |t: &Tally| t.api_writes + t.cloud_effects;
        let quiet = writes(&before.0) == writes(&s.tally);
        if !quiet && !before.1 {
            let text = format!("{} writes while nothing happened", writes(&s.tally) - writes(&before.0));
            s.law.breach(now, "I9", text);
        }
        s.law.judge_passes(now, length - half);
        for orphan in s.law.orphans() {
            s.law.breach(now, "I1", format!("the sweep did not find {orphan}"));
        }
    });
    converged
}

fn wall(since: Duration) -> Timestamp {
    let epoch = Timestamp::from_second(EPOCH).unwrap_or(Timestamp::UNIX_EPOCH);
    epoch + since
}

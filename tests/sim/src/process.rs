//! Controller processes: started, killed, stopped, started again. What runs is the product's own
//! `controller::run::run`; a process is joined to the world by a [`Plug`] that can be pulled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ferrolb::clock::Clock;
use ferrolb::controller::run::{self, Options};
use ferrolb::kube::client::Clients;
use ferrolb::kube::lease;
use ferrolb::telemetry::Metrics;
use ferrolb_core::Settings;
use ferrolb_elb::{Elb, ElbConfig, Limits, StaticCredentials};
use ferrolb_mock::{ACCESS_KEY, NODE_SUBNET_NEUTRON_ID, PROJECT_ID, SECRET_KEY, VIP_SUBNET_NEUTRON_ID, VPC_ID};
use ferrolb_provider::{Driver, Engine};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::api::serve::{self, Broken};
use crate::cloud::Wire;
use crate::dice::Dice;
use crate::plan::Fault;
use crate::sim::{Sim, State};

/// The cluster's id in owner marks.
pub const CLUSTER: &str = "5f1c1f6e-0000-4000-8000-00000000c1c1";
/// Name of the lease.
pub const LEASE: &str = "ferrolb";
/// As in production.
const SETTLE: Duration = Duration::from_secs(30);
const DEADLINE: Duration = Duration::from_secs(10);
/// So many calls under way are many.
const BUSY: usize = 4;
/// Of a process that was stopped, everything that waited goes on before its end takes effect.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What joins a process to the world. Pulled, nothing of it reaches anything any more: that is a crash, whatever its
/// tasks still believe to do.
pub struct Plug {
    pub identity: String,
    alive: AtomicBool,
    kill: Notify,
    /// Calls under way.
    calls: AtomicUsize,
    /// A stopped process hears nothing until then: no answer, no event.
    stopped_until: Mutex<Duration>,
    /// Services that it was told are being deleted or gone, and when it was told first.
    deleting: Mutex<BTreeMap<String, Duration>>,
}

/// One call under way.
pub struct UnderWay(Arc<Plug>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Plug {
    pub fn new(identity: String) -> Self {
        Self {
            identity,
            alive: AtomicBool::new(true),
            kill: Notify::new(),
            calls: AtomicUsize::new(0),
            stopped_until: Mutex::default(),
            deleting: Mutex::default(),
        }
    }

    /// Begins a call; F27 kills a process that has many under way.
    pub fn begin(self: &Arc<Self>, s: &mut State, now: Duration) -> UnderWay {
        let others = self.calls.fetch_add(1, Ordering::Relaxed);
        if others >= BUSY && s.faults.strikes(Fault::F27, now, 0.01) {
            self.kill();
        }
        UnderWay(self.clone())
    }

    /// Ends when the process is not stopped, which it may be again while this waits.
    pub async fn runs(&self, sim: &Sim) {
        loop {
            let until = *self.stopped_until.lock().unwrap_or_else(PoisonError::into_inner);
            let left = until.saturating_sub(sim.now());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }

    /// Stops it until then.
    fn stop(&self, until: Duration) {
        *self.stopped_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// Whether it was stopped at some time.
    fn was_stopped(&self) -> bool {
        !self.stopped_until.lock().unwrap_or_else(PoisonError::into_inner).is_zero()
    }

    pub fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Relaxed)
    }

    /// Fails when pulled.
    pub fn check(&self) -> Result<(), Broken> {
        if self.is_alive() { Ok(()) } else { Err(Broken) }
    }

    /// Kills the process.
    pub fn kill(&self) {
        self.alive.store(false, Ordering::Relaxed);
        self.kill.notify_one();
    }

    /// Notes that a watch told the process that a Service is going. What a list tells does not count: the sweep's
    /// lists do not go into the process's store.
    pub fn told_deleting(&self, now: Duration, uid: &str) {
        let stopped = *self.stopped_until.lock().unwrap_or_else(PoisonError::into_inner);
        let mut deleting = self.deleting.lock().unwrap_or_else(PoisonError::into_inner);
        deleting.entry(uid.to_owned()).or_insert(now.max(stopped));
    }

    /// Since when it knows that a Service is going.
    pub fn knows_deleting(&self, uid: &str) -> Option<Duration> {
        self.deleting.lock().unwrap_or_else(PoisonError::into_inner).get(uid).copied()
    }
}

/// How many replicas run.
pub fn replicas(sim: &Sim) -> u64 {
    if sim.plan.faults.contains(&Fault::F26) { 2 } else { 1 }
}

/// Keeps one replica running: a process that ends or is killed is started again.
pub async fn replica(sim: Arc<Sim>, slot: u64) {
    let mut dice = Dice::new(sim.plan.seed, &format!("replica {slot}"));
    let patience = (60 + dice.below(600) * 2) * if sim.plan.pairs.is_some() { 10 } else { 1 };
    for start in 0.. {
        let plug = Arc::new(Plug::new(format!("ferrolb-{slot}_{start}")));
        let stop = CancellationToken::new();
        let wrong = sim.with(|s| match s.faults.strikes(Fault::F28, sim.now(), 0.5) {
            true => s.faults.dice(Fault::F28).below(7200) as i64 - 3600,
            false => 0,
        });
        let running = tokio::spawn(process(sim.clone(), plug.clone(), stop.clone(), dice.bits(), wrong));
        let abort = running.abort_handle();
        let stops = tokio::spawn(stops(sim.clone(), plug.clone()));
        let lives = dice.millis(1_000, patience * 1000);
        let polite = dice.chance(0.3);
        let troubled = |fault| sim.with(|s| s.faults.is_on(fault, sim.now() + lives));
        let doomed = troubled(if polite { Fault::F26 } else { Fault::F24 });
        sim.with(|s| s.note(sim.now(), || format!("{} starts", plug.identity)));
        tokio::pin!(running);
        let how = tokio::select! {
            biased;
            () = plug.kill.notified() => "killed at a write",
            _ = &mut running => "ended by itself",
            () = tokio::time::sleep(lives), if doomed => {
                if polite {
                    sim.with(|s| s.faults.count(Fault::F26));
                    stop.cancel();
                    let _ = tokio::time::timeout(Duration::from_secs(40), &mut running).await;
                    "stopped"
                } else {
                    sim.with(|s| s.faults.count(Fault::F24));
                    "killed"
                }
            }
        };
        plug.alive.store(false, Ordering::Relaxed);
        abort.abort();
        stops.abort();
        // What it has left behind winds down without a connection.
        stop.cancel();
        sim.with(|s| {
            s.tally.crashes += u64::from(how.starts_with("killed"));
            s.note(sim.now(), || format!("{} {how}", plug.identity));
        });
        let pause = if dice.chance(0.2) { dice.millis(5_000, 60_000) } else { dice.millis(50, 3_000) };
        tokio::time::sleep(pause).await;
    }
}

/// F25: stops a process now and then.
///
/// While it is stopped it gets no answer and no event, and its end takes effect only after it went on, so that what
/// waited for an answer goes on with outdated knowledge. Its timers cannot be held: what they set off is sent in the
/// meantime, as by a process that nothing reaches.
async fn stops(sim: Arc<Sim>, plug: Arc<Plug>) {
    let mut dice = Dice::new(sim.plan.seed, &format!("stops {}", plug.identity));
    loop {
        tokio::time::sleep(dice.millis(5_000, 180_000)).await;
        let (now, length) = (sim.now(), dice.millis(1_000, 60_000));
        if sim.with(|s| s.faults.strikes(Fault::F25, now, 0.3)) {
            plug.stop(now + length);
            sim.with(|s| s.note(now, || format!("{} is stopped for {length:?}", plug.identity)));
            plug.runs(&sim).await;
        }
    }
}

async fn process(sim: Arc<Sim>, plug: Arc<Plug>, stop: CancellationToken, seed: u64, wrong: i64) {
    let wall = {
        let sim = sim.clone();
        move || sim.wall() + jiff::SignedDuration::from_secs(wrong)
    };
    let clock = Clock::new(seed, wall);
    let clients = Clients::over(serve::client(&sim, &plug));
    let elb = elb(&sim, &plug, &clock);
    let registry = move |began| {
        let engine: Arc<dyn Driver> = Arc::new(Engine::new(elb, SETTLE, began));
        BTreeMap::from([("elb".to_owned(), engine)])
    };
    let options = Options {
        settings: Settings {
            cluster: CLUSTER.to_owned(),
            providers: BTreeSet::from(["elb".to_owned()]),
            default_provider: Some("elb".to_owned()),
        },
        lease: Some(lease::Config {
            namespace: "ferrolb-system".to_owned(),
            name: LEASE.to_owned(),
            identity: plug.identity.clone(),
            duration: Duration::from_secs(20),
        }),
        identity: plug.identity.clone(),
        concurrency: 32,
        call_deadline: DEADLINE,
        resync: Duration::from_secs(600),
        sweep: Duration::from_secs(600),
        admin: None,
        metrics: Metrics::register(),
    };
    // A lost lease is an error, and the end of the process like any other.
    if let Err(error) = run::run(clients, clock, options, Box::new(registry), stop).await {
        sim.with(|s| s.note(sim.now(), || format!("{} {error}", plug.identity)));
    }
    if plug.was_stopped() {
        plug.runs(&sim).await;
        tokio::time::sleep(LAST_WORDS).await;
    }
}

fn elb(sim: &Arc<Sim>, plug: &Arc<Plug>, clock: &Clock) -> Elb {
    let mut config = ElbConfig::new("http://cloud", PROJECT_ID, VPC_ID, VIP_SUBNET_NEUTRON_ID);
    config.nat_endpoint = Some("http://cloud".to_owned());
    config.member_subnet_id = NODE_SUBNET_NEUTRON_ID.to_owned();
    config.pod_subnet_id = Some(NODE_SUBNET_NEUTRON_ID.to_owned());
    config.deadline = DEADLINE;
    config.limits = Limits::default();
    let wire = Wire { sim: sim.clone(), plug: plug.clone() };
    let credentials = StaticCredentials::new(ACCESS_KEY, SECRET_KEY);
    Elb::new(config, Arc::new(wire), Arc::new(credentials), Arc::new(ElbClock(clock.clone())))
}

/// The process's clock, as the provider wants it.
struct ElbClock(Clock);

impl ferrolb_elb::Clock for ElbClock {
    fn utc(&self) -> jiff::Timestamp {
        self.0.wall()
    }

    fn monotonic(&self) -> Duration {
        self.0.now()
    }
}

//! The life of a controller process: watch, wait for the lease, work, stop.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use ferrolb_core::{Decision, Settings, World, affected, desired};
use ferrolb_provider::{Driver, Host, RetryClass};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::controller::claims::Claims;
use crate::controller::context::Context;
use crate::controller::queue::Queue;
use crate::controller::reconcile::reconcile;
use crate::controller::retry::Retry;
use crate::controller::sweep::sweep;
use crate::kube::feeds::{Feeds, Object};
use crate::kube::lease::{self, Election};
use crate::kube::write::Writer;
use crate::kube::{client::Clients, events};
use crate::serve::{self, Admin, AdminPort};
use crate::telemetry::{KindLabel, Metrics, ResultLabel};

/// How long calls under way may take to end when the process is asked to.
const DRAIN: Duration = Duration::from_secs(20);

/// Options of a controller.
pub struct Options {
    /// Who we are and what we serve.
    pub settings: Settings,
    /// The lease, or none for a process that is alone.
    pub lease: Option<lease::Config>,
    /// Name of this process in events.
    pub identity: String,
    /// Passes at a time.
    pub concurrency: usize,
    /// The longest that one cloud call may take.
    pub call_deadline: Duration,
    /// How often an unchanged Service is compared with the cloud.
    pub resync: Duration,
    /// How often orphans are looked for.
    pub sweep: Duration,
    /// The admin port.
    pub admin: Option<AdminPort>,
    /// Metrics.
    pub metrics: Metrics,
}

/// Makes the backends once this process leads; the argument is the moment from which it does.
pub type MakeRegistry = Box<dyn FnOnce(Duration) -> BTreeMap<String, Arc<dyn Driver>> + Send>;

/// Runs until `stop`. Returns an error when the lease was lost.
///
/// # Errors
/// The admin port cannot be opened, or leadership was lost.
pub async fn run(
    clients: Clients,
    clock: Clock,
    options: Options,
    registry: MakeRegistry,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let metrics = options.metrics;
    let world = Arc::new(RwLock::new(World::default()));
    let queue = Arc::new(Queue::default());
    let feeds: Arc<OnceLock<Feeds>> = Arc::default();
    // Watches, events and the admin port outlive the work, so that its end can be seen.
    let ended = CancellationToken::new();
    let _ended = ended.clone().drop_guard();
    let sink = events::start(&clients, options.identity.clone(), clock.clone(), ended.clone());
    let mut election = options.lease.clone().map(|config| Election::new(&clients, config, clock.clone()));
    if let Some(port) = options.admin {
        let heard = election.as_ref().map(Election::heard);
        let admin = admin(&metrics, &queue, &feeds, heard, &sink, &clock);
        let bound = serve::start(port, admin, ended.clone()).await?;
        tracing::info!(%bound, "admin port");
    }
    let permit = match &mut election {
        None => lease::Permit::unlimited(),
        Some(election) => {
            tracing::info!("waiting for the lease");
            if !election.win(&stop).await {
                return Ok(());
            }
            election.permit()
        }
    };
    tracing::info!(identity = %options.identity, "leading");
    metrics.leading.set(1);
    let began = clock.now();
    // Only now: a list taken after the lease was won shows all that the last leader did. A store kept warm by a watch
    // may be a minute and a half behind, and a leader that believes it makes load balancers for Services that are gone.
    feeds.get_or_init(|| Feeds::start(&clients, &clock, &ended, learner(&world, &queue)));
    let cx = Arc::new(Context {
        world,
        registry: registry(began),
        write: Writer::new(&clients, sink, clock.clone(), metrics.clone()),
        retry: Retry::default(),
        claims: Claims::default(),
        queue,
        clock,
        permit,
        call_deadline: options.call_deadline,
        resync: options.resync,
        settings: options.settings,
        metrics: metrics.clone(),
    });
    let (concurrency, sweep) = (options.concurrency, options.sweep);
    let work = tokio::spawn({
        let (clients, stop) = (clients.clone(), stop.clone());
        async move {
            if complete(&feeds, &stop).await {
                note_claims(&cx);
                work(cx, clients, concurrency, sweep, stop).await;
            }
        }
    });
    let kept = match &mut election {
        None => {
            stop.cancelled().await;
            true
        }
        Some(election) => election.keep(&stop).await,
    };
    metrics.leading.set(0);
    if !kept {
        // Whatever is under way must not be followed by another call: end at once.
        anyhow::bail!("the lease was lost; ending, so that nothing is done on outdated knowledge");
    }
    if tokio::time::timeout(DRAIN, keep_while(work, election.as_mut())).await.is_err() {
        tracing::warn!("passes under way did not end within {DRAIN:?}");
    }
    if let Some(election) = &mut election {
        election.release().await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Waits until every watch has its first list; false when stopped before.
async fn complete(feeds: &OnceLock<Feeds>, stop: &CancellationToken) -> bool {
    while let Some(kind) = feeds.get().and_then(Feeds::awaited) {
        tracing::debug!(kind, "waiting for the first list");
        tokio::select! {
            biased;
            () = stop.cancelled() => return false,
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    }
    true
}

/// Lets every Service ask for its places before the first pass, which would otherwise find only those that came before.
fn note_claims(cx: &Context) {
    let asked: Vec<_> = cx.read(|world| {
        let decided = world.services().map(|(_, service)| desired(service, world, &cx.settings));
        decided
            .filter_map(|decision| match decision {
                Decision::Provide { provider, want, .. } => {
                    Some((want.owner.clone(), cx.registry.get(&provider)?.claims(&want)))
                }
                _ => None,
            })
            .collect()
    });
    for (owner, claims) in asked {
        Host::claim(cx, &owner, &claims);
    }
}

/// Puts each fact into the world, and the Services that it touches into the queue.
fn learner(world: &Arc<RwLock<World>>, queue: &Arc<Queue>) -> impl Fn(Object) + Clone + Send + 'static {
    let (world, queue) = (world.clone(), queue.clone());
    move |object| {
        let keys = {
            let mut world = world.write().unwrap_or_else(PoisonError::into_inner);
            let change = match object {
                Object::Service(key, service) => world.apply_service(key, service),
                Object::Node(name, node) => world.apply_node(&name, node),
                Object::Slice(key, slice) => world.apply_slice(key, slice),
                Object::Class(name, class) => world.apply_class(&name, class),
            };
            affected(&world, &change)
        };
        keys.into_iter().for_each(|key| queue.add(key));
    }
}

/// Renews the lease while the last passes end.
async fn keep_while(work: tokio::task::JoinHandle<()>, election: Option<&mut Election>) {
    let never = CancellationToken::new();
    match election {
        None => drop(work.await),
        Some(election) => tokio::select! {
            ended = work => drop(ended),
            _ = election.keep(&never) => {}
        },
    }
}

/// Takes keys until `stop`, then waits for the passes under way.
async fn work(cx: Arc<Context>, clients: Clients, concurrency: usize, every: Duration, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(concurrency));
    let passes = TaskTracker::new();
    let sweeps = {
        let (cx, stop) = (cx.clone(), stop.clone());
        passes.spawn(async move {
            loop {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(every.mul_f64(cx.clock.jitter())) => {}
                }
                // In a task of its own, so that a panic is the end of this sweep and not of all.
                let sweep = tokio::spawn({
                    let (clients, cx) = (clients.clone(), cx.clone());
                    async move { sweep(&clients, &cx).await }
                });
                if let Err(panic) = sweep.await {
                    tracing::error!(%panic, "a sweep panicked: please report this");
                }
            }
        })
    };
    loop {
        let taken = async {
            // The slot first, so that a key waits in the queue, where it can still be joined with later news.
            let slot = slots.clone().acquire_owned().await;
            (slot, cx.queue.next().await)
        };
        let (slot, key) = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            taken = taken => taken,
        };
        let cx = cx.clone();
        passes.spawn(async move {
            let _slot = slot;
            let started = cx.clock.now();
            // In a task of its own, so that a panic is the end of this pass and of nothing else.
            let pass = tokio::spawn({
                let (cx, key) = (cx.clone(), key.clone());
                async move { reconcile(&key, &cx).await }
            });
            let (result, again) = match pass.await {
                Ok(Ok(next)) => next,
                Ok(Err(error)) => {
                    let delay = cx.retry.failed(&key, error.class(), None, cx.clock.jitter());
                    tracing::warn!(service = %key, %error, retry_in = ?delay, "cannot write to the API server");
                    ("error", Some(delay))
                }
                Err(panic) => {
                    let delay = cx.retry.failed(&key, RetryClass::Refused, None, cx.clock.jitter());
                    tracing::error!(service = %key, %panic, retry_in = ?delay, "a pass panicked: please report this");
                    ("panic", Some(delay))
                }
            };
            let label = ResultLabel { result };
            cx.metrics.reconciles.get_or_create(&label).inc();
            cx.metrics.reconcile_seconds.get_or_create(&label).observe((cx.clock.now() - started).as_secs_f64());
            cx.queue.done(&key);
            if let Some(delay) = again {
                cx.queue.add_after(key, delay);
            }
        });
    }
    passes.close();
    passes.wait().await;
    drop(sweeps);
}

fn admin(
    metrics: &Metrics,
    queue: &Arc<Queue>,
    feeds: &Arc<OnceLock<Feeds>>,
    heard: Option<Arc<AtomicBool>>,
    sink: &events::Sink,
    clock: &Clock,
) -> Admin {
    let (metrics, queue, clock, sink) = (metrics.clone(), queue.clone(), clock.clone(), sink.clone());
    let (watched, registry) = (feeds.clone(), metrics.registry.clone());
    let refresh = move || {
        let (waiting, running) = queue.depth();
        metrics.queue_waiting.set(signed(waiting as u64));
        metrics.queue_running.set(signed(running as u64));
        metrics.events_dropped.set(signed(sink.dropped()));
        for (kind, age) in watched.get().into_iter().flat_map(|feeds| feeds.ages(&clock)) {
            metrics.watch_age.get_or_create(&KindLabel { kind }).set(signed(age));
        }
    };
    let feeds = feeds.clone();
    // A standby that reads the lease is ready: it can take over.
    let ready = move || match (feeds.get(), &heard) {
        (Some(feeds), _) => feeds.awaited().map_or(Ok(()), |kind| Err(format!("the first list of kind {kind}"))),
        (None, Some(heard)) if heard.load(Ordering::Acquire) => Ok(()),
        (None, _) => Err("an answer from the API server about the lease".to_owned()),
    };
    Admin { registry, refresh: Arc::new(refresh), ready: Arc::new(ready) }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

//! Keeps sockets and probers equal to the view of the cloud.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::balance::Balancers;
use super::judge::Judge;
use super::sockets::Socket;
use super::view::{Front, Probe, Target, Transport, View};
use super::{probe, tcp, udp};
use crate::app::App;
use crate::config::Config;

/// Many changes come in bursts; one look serves them all.
const SETTLE: Duration = Duration::from_millis(5);
const FIRST_RETRY: Duration = Duration::from_millis(20);
const LAST_RETRY: Duration = Duration::from_secs(1);

/// Upper bounds that speed tests up.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    probe: Duration,
    tcp_idle: Duration,
    udp_idle: Duration,
    drain: Duration,
}

/// A task that ends with its owner.
struct Task(JoinHandle<()>);

struct Running {
    target: watch::Sender<Arc<Target>>,
    _task: Task,
}

/// Runs until dropped; all sockets close then.
pub async fn run(app: Arc<App>, limits: Limits) {
    let mut changes = app.changes();
    let mut fronts: BTreeMap<Front, Running> = BTreeMap::new();
    let mut probers: BTreeMap<String, (Probe, Task)> = BTreeMap::new();
    let balancers: Arc<Balancers> = Arc::default();
    loop {
        changes.mark_unchanged();
        let view = limits.apply(View::of(&app.cloud()));
        probers.retain(|id, (running, _)| view.probes.get(id) == Some(running));
        for (id, wanted) in view.probes {
            let start = || Task(tokio::spawn(watch_member(app.clone(), id.clone(), wanted.clone())));
            probers.entry(id.clone()).or_insert_with(|| (wanted.clone(), start()));
        }
        fronts.retain(|front, _| {
            let wanted = view.fronts.contains_key(front);
            if !wanted {
                app.sockets.remove(front);
            }
            wanted
        });
        balancers.note(view.fronts.values().filter_map(|target| target.pool.as_ref()), Instant::now());
        for (front, wanted) in view.fronts {
            match fronts.get(&front) {
                Some(running) => _ = running.target.send_if_modified(|target| replace(target, wanted)),
                None => _ = fronts.insert(front.clone(), start(&app, &balancers, front, wanted)),
            }
        }
        if changes.changed().await.is_err() {
            return;
        }
        sleep(SETTLE).await;
    }
}

impl Limits {
    pub fn of(config: &Config) -> Self {
        Self {
            probe: config.max_probe_interval.unwrap_or(Duration::MAX),
            tcp_idle: config.max_tcp_idle.unwrap_or(Duration::MAX),
            udp_idle: config.max_udp_idle.unwrap_or(Duration::MAX),
            drain: config.max_drain.unwrap_or(Duration::MAX),
        }
    }

    fn apply(self, mut view: View) -> View {
        for probe in view.probes.values_mut() {
            probe.delay = probe.delay.min(self.probe);
            probe.timeout = probe.timeout.min(self.probe);
        }
        for (front, target) in &mut view.fronts {
            let target = Arc::make_mut(target);
            target.idle = target.idle.min(match front.transport {
                Transport::Tcp => self.tcp_idle,
                Transport::Udp => self.udp_idle,
            });
            if let Some(drain) = target.pool.as_mut().and_then(|pool| pool.drain.as_mut()) {
                *drain = self.drain.min(*drain);
            }
        }
        view
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn replace(target: &mut Arc<Target>, wanted: Arc<Target>) -> bool {
    let differs = *target != wanted;
    if differs {
        *target = wanted;
    }
    differs
}

fn start(app: &App, balancers: &Arc<Balancers>, front: Front, target: Arc<Target>) -> Running {
    let balancers = balancers.clone();
    let socket = app.sockets.add(&front);
    let (sender, target) = watch::channel(target);
    let task = tokio::spawn(async move {
        match front.transport {
            Transport::Tcp => {
                let listener = bound(&front, &socket, tokio::net::TcpListener::bind).await;
                tcp::run(listener, tcp::Front { address: front.address, target, balancers, socket }).await;
            }
            Transport::Udp => {
                let bound = bound(&front, &socket, tokio::net::UdpSocket::bind).await;
                udp::run(bound, target, balancers, socket).await;
            }
        }
    });
    Running { target: sender, _task: Task(task) }
}

/// Binds, however long it takes: the address may arrive later, or its last user leave.
async fn bound<S, F: Future<Output = io::Result<S>>>(
    front: &Front,
    socket: &Socket,
    bind: impl Fn(std::net::SocketAddr) -> F,
) -> S {
    let mut retry = FIRST_RETRY;
    loop {
        match bind(front.address).await {
            Ok(listening) => {
                socket.set_state("listening");
                tracing::info!(address = %front.address, protocol = ?front.transport, listener = front.listener_id, "listening");
                return listening;
            }
            Err(error) => {
                socket.set_state(&format!("cannot bind {}: {error}", front.address));
                if retry == FIRST_RETRY {
                    tracing::warn!(address = %front.address, listener = front.listener_id, %error, "cannot bind, will retry");
                }
            }
        }
        sleep(retry).await;
        retry = (retry * 2).min(LAST_RETRY);
    }
}

/// Probes one member for ever and reports what is new.
async fn watch_member(app: Arc<App>, id: String, wanted: Probe) {
    let mut judge = Judge::new(wanted.up_after, wanted.down_after);
    loop {
        let health = probe::probe(&wanted).await;
        let up = health == crate::state::Health::Online;
        if judge.note(up).is_some() {
            let news = app.cloud().set_health(&id, health);
            if news {
                tracing::info!(member = id, address = %wanted.address, ?health, "member health changed");
                app.wake();
            }
        }
        sleep(wanted.delay).await;
    }
}

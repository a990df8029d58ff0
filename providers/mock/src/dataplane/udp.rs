//! UDP: a session per client address, each with its own socket towards a member.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::balance::{Balancers, Lease};
use super::sockets::{Opened, Socket};
use super::view::{Backend, Target};

const DATAGRAM: usize = 65_536;
/// Marks a session whose member refused: the next datagram opens a new one.
const DEAD: u64 = u64::MAX;

/// What the sessions of one front share.
struct Front {
    socket: Arc<UdpSocket>,
    balancers: Arc<Balancers>,
    counters: Arc<Socket>,
    started: Instant,
}

/// One client's way to one member.
struct Session {
    upstream: Arc<UdpSocket>,
    lease: Lease,
    /// Milliseconds since the front started, of the last datagram either way.
    last: Arc<AtomicU64>,
    answers: JoinHandle<()>,
    _open: Opened,
}

/// Serves one front until dropped.
pub async fn run(
    socket: UdpSocket,
    mut target: watch::Receiver<Arc<Target>>,
    balancers: Arc<Balancers>,
    counters: Arc<Socket>,
) {
    let front = Front { socket: Arc::new(socket), balancers, counters, started: Instant::now() };
    let mut sessions: HashMap<SocketAddr, Session> = HashMap::new();
    let mut buffer = vec![0; DATAGRAM];
    let mut current = target.borrow_and_update().clone();
    let mut sweep = sweeper(current.idle);
    loop {
        tokio::select! {
            received = front.socket.recv_from(&mut buffer) => {
                // An error here is the echo of an answer nobody wanted; the front goes on.
                let Ok((length, client)) = received else { continue };
                if !front.forward(&mut sessions, &current, client, &buffer[..length]).await {
                    sessions.remove(&client);
                }
            }
            changed = target.changed() => {
                if changed.is_err() {
                    return;
                }
                let before = std::mem::replace(&mut current, target.borrow_and_update().clone());
                // A datagram has no connection to keep: sessions leave a member as soon as it is out, or drained.
                let now = Instant::now();
                sessions.retain(|_, session| session.may_stay(&current, now));
                if current.idle != before.idle {
                    sweep = sweeper(current.idle);
                }
            }
            _ = sweep.tick() => {
                let oldest = millis(front.started).saturating_sub(u64::try_from(current.idle.as_millis()).unwrap_or(DEAD));
                let now = Instant::now();
                sessions.retain(|_, session| {
                    session.is_alive()
                        && session.last.load(Ordering::Relaxed) >= oldest
                        && session.may_stay(&current, now)
                });
            }
        }
    }
}

impl Front {
    /// Sends a datagram to the client's member; false if the session is of no use any more.
    async fn forward(
        &self,
        sessions: &mut HashMap<SocketAddr, Session>,
        target: &Target,
        client: SocketAddr,
        datagram: &[u8],
    ) -> bool {
        if sessions.get(&client).is_some_and(|session| !session.is_alive()) {
            sessions.remove(&client);
        }
        let session = match sessions.entry(client) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => match self.open(target, client).await {
                Some(session) => vacant.insert(session),
                None => return true,
            },
        };
        session.last.store(millis(self.started), Ordering::Relaxed);
        self.counters.count(datagram.len() as u64, 0);
        session.upstream.send(datagram).await.is_ok()
    }

    async fn open(&self, target: &Target, client: SocketAddr) -> Option<Session> {
        let Some(lease) = self.balancers.pick(target, client.ip(), Instant::now()) else {
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let upstream = connect(lease.backend.address)
            .await
            .inspect_err(|error| tracing::warn!(%error, member = %lease.backend.address, "no UDP session"))
            .ok()?;
        let upstream = Arc::new(upstream);
        let last = Arc::new(AtomicU64::new(millis(self.started)));
        let answers = tokio::spawn(answers(
            upstream.clone(),
            client,
            self.socket.clone(),
            self.counters.clone(),
            last.clone(),
            self.started,
        ));
        Some(Session { upstream, lease, last, answers, _open: self.counters.open() })
    }
}

impl Session {
    fn is_alive(&self) -> bool {
        self.last.load(Ordering::Relaxed) != DEAD
    }

    fn may_stay(&self, target: &Target, now: Instant) -> bool {
        let members = target.pool.iter().flat_map(|pool| &pool.members);
        self.lease.drains(now) || members.into_iter().any(|member| self.goes_to(member))
    }

    /// The weight of a member may change without disturbing its sessions.
    fn goes_to(&self, member: &Backend) -> bool {
        member.id == self.lease.backend.id && member.address == self.lease.backend.address
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.answers.abort();
    }
}

fn sweeper(idle: Duration) -> tokio::time::Interval {
    let mut sweep = interval((idle / 4).clamp(Duration::from_millis(10), Duration::from_secs(10)));
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    sweep
}

async fn connect(member: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr =
        if member.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(member).await?;
    Ok(socket)
}

/// Carries a member's datagrams back to the client.
async fn answers(
    upstream: Arc<UdpSocket>,
    client: SocketAddr,
    front: Arc<UdpSocket>,
    socket: Arc<Socket>,
    last: Arc<AtomicU64>,
    started: Instant,
) {
    let mut buffer = vec![0; DATAGRAM];
    loop {
        match upstream.recv(&mut buffer).await {
            Ok(length) => {
                last.store(millis(started), Ordering::Relaxed);
                socket.count(0, length as u64);
                let _ = front.send_to(&buffer[..length], client).await;
            }
            // Refused by ICMP.
            Err(_) => return last.store(DEAD, Ordering::Relaxed),
        }
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(DEAD - 1)
}

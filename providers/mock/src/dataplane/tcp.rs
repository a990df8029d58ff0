//! TCP: accept, end TLS where that is the listener's job, choose a member, relay.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::balance::{Balancers, Lease};
use super::relay::relay;
use super::service::{Ends, Service};
use super::sockets::Socket;
use super::view::Target;
use super::{http, tls};

/// How long members may take to accept, and both sides to agree on TLS.
pub const CONNECT: Duration = Duration::from_secs(5);
/// The first byte of whoever speaks TLS.
const HANDSHAKE: u8 = 0x16;

/// One front, for those who come.
#[derive(Clone)]
pub struct Front {
    pub address: SocketAddr,
    pub target: watch::Receiver<Arc<Target>>,
    pub balancers: Arc<Balancers>,
    pub socket: Arc<Socket>,
}

/// How one gets in.
enum Door {
    Open,
    Secured(TlsAcceptor),
    /// The certificate is of no use.
    Broken,
}

/// Serves one front until dropped; its connections end with it.
pub async fn run(listener: TcpListener, mut front: Front) {
    let mut connections = JoinSet::new();
    let mut target = front.target.borrow_and_update().clone();
    let mut door = Door::of(&target, &front.socket);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, peer)) => {
                    // Those that have ended are cleared away when somebody comes: each by itself would be a wake-up.
                    while connections.try_join_next().is_some() {}
                    front.admit(client, peer, &target, &door, &mut connections);
                }
                Err(error) => {
                    // Typically too many open files; the next attempt may succeed.
                    tracing::warn!(%error, "cannot accept");
                    sleep(Duration::from_millis(50)).await;
                }
            },
            changed = front.target.changed() => {
                if changed.is_err() {
                    return;
                }
                let before = std::mem::replace(&mut target, front.target.borrow_and_update().clone());
                if before.service.tls() != target.service.tls() {
                    door = Door::of(&target, &front.socket);
                }
            }
        }
    }
}

impl Door {
    fn of(target: &Target, socket: &Socket) -> Self {
        let Some(wanted) = target.service.tls() else { return Self::Open };
        match tls::acceptor(wanted) {
            Ok(acceptor) => {
                socket.set_state("listening");
                Self::Secured(acceptor)
            }
            Err(error) => {
                tracing::warn!(error, "no TLS");
                socket.set_state(&format!("no TLS: {error}"));
                Self::Broken
            }
        }
    }
}

impl Front {
    fn admit(&self, client: TcpStream, peer: SocketAddr, target: &Target, door: &Door, connections: &mut JoinSet<()>) {
        let ends = Ends { client: peer, front: self.address };
        match (&target.service, door) {
            (_, Door::Broken) => reset(client),
            (Service::Plain, _) => match self.pick(target, peer) {
                Some(lease) => _ = connections.spawn(forward(client, lease, target.idle, self.socket.clone())),
                None => reset(client),
            },
            _ if !target.access.admits(peer.ip()) => {
                self.socket.refused.fetch_add(1, Ordering::Relaxed);
                reset(client);
            }
            (_, Door::Open) => _ = connections.spawn(self.clone().requests(client, ends)),
            (Service::Http(_), Door::Secured(acceptor)) => {
                _ = connections.spawn(self.clone().secured_requests(client, ends, acceptor.clone()));
            }
            (Service::Tls(_), Door::Secured(acceptor)) => {
                _ = connections.spawn(self.clone().unwrap_tls(client, peer, acceptor.clone()));
            }
        }
    }

    fn pick(&self, target: &Target, peer: SocketAddr) -> Option<Lease> {
        let picked = self.balancers.pick(target, peer.ip(), Instant::now());
        if picked.is_none() {
            self.socket.refused.fetch_add(1, Ordering::Relaxed);
        }
        picked
    }

    async fn requests(self, client: TcpStream, ends: Ends) {
        let _ = client.set_nodelay(true);
        let _open = self.socket.open();
        http::serve(client, self, ends).await;
    }

    async fn secured_requests(self, mut client: TcpStream, ends: Ends, acceptor: TlsAcceptor) {
        let _ = client.set_nodelay(true);
        let _open = self.socket.open();
        let mut first = [0];
        if matches!(client.peek(&mut first).await, Ok(1)) && first[0] != HANDSHAKE {
            // Who goes away now has missed nothing but the reason.
            let _ = http::refuse_plain(&mut client).await;
            return;
        }
        if let Ok(Ok(stream)) = timeout(CONNECT, acceptor.accept(client)).await {
            if stream.get_ref().1.alpn_protocol() == Some(tls::HTTP2) {
                http::serve_http2(stream, self, ends).await;
            } else {
                http::serve(stream, self, ends).await;
            }
        }
    }

    /// TLS outside, what is in it to a member, in TLS of its own if the pool wants that.
    async fn unwrap_tls(self, client: TcpStream, peer: SocketAddr, acceptor: TlsAcceptor) {
        let _ = client.set_nodelay(true);
        let _open = self.socket.open();
        let Ok(Ok(client)) = timeout(CONNECT, acceptor.accept(client)).await else { return };
        let target = self.target.borrow().clone();
        let Some(lease) = self.pick(&target, peer) else { return };
        let address = lease.backend.address;
        let Ok(Ok(member)) = timeout(CONNECT, TcpStream::connect(address)).await else { return };
        let _ = member.set_nodelay(true);
        if target.pool.as_ref().is_some_and(|pool| pool.tls) {
            if let Ok(Ok(member)) = timeout(CONNECT, tls::to_member(member, address.ip())).await {
                self.copy(client, member, lease).await;
            }
        } else {
            self.copy(client, member, lease).await;
        }
    }

    async fn copy(
        &self,
        mut client: impl AsyncRead + AsyncWrite + Unpin,
        mut member: impl AsyncRead + AsyncWrite + Unpin,
        mut lease: Lease,
    ) {
        tokio::select! {
            copied = copy_bidirectional(&mut client, &mut member) => {
                if let Ok((bytes_in, bytes_out)) = copied {
                    self.socket.count(bytes_in, bytes_out);
                }
            }
            () = lease.ended() => {}
        }
    }
}

async fn forward(mut client: TcpStream, mut lease: Lease, idle: Duration, socket: Arc<Socket>) {
    let _open = socket.open();
    let mut member = match timeout(CONNECT, TcpStream::connect(lease.backend.address)).await {
        Ok(Ok(member)) => member,
        // As with a real one: no second try with another member, that is what health checks are for.
        _ => return reset(client),
    };
    let relayed = tokio::select! {
        relayed = relay(&mut client, &mut member, idle, &socket) => relayed.is_ok(),
        () = lease.ended() => false,
    };
    if !relayed {
        reset(client);
        reset(member);
    }
}

/// Closes so that the other side sees a reset, not an orderly end.
fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
}

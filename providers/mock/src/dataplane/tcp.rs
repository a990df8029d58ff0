//! TCP: accept, choose a member, relay.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::balance::{Balancers, Lease};
use super::relay::relay;
use super::sockets::Socket;
use super::view::Target;

const CONNECT: Duration = Duration::from_secs(5);

/// Serves one front until dropped; its connections end with it.
pub async fn run(
    listener: TcpListener,
    target: watch::Receiver<Arc<Target>>,
    balancers: Arc<Balancers>,
    socket: Arc<Socket>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, peer)) => admit(client, peer, &target, &balancers, &socket, &mut connections),
                Err(error) => {
                    // Typically too many open files; the next attempt may succeed.
                    tracing::warn!(%error, "cannot accept");
                    sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

fn admit(
    client: TcpStream,
    peer: SocketAddr,
    target: &watch::Receiver<Arc<Target>>,
    balancers: &Balancers,
    socket: &Arc<Socket>,
    connections: &mut JoinSet<()>,
) {
    let target = target.borrow().clone();
    match balancers.pick(&target, peer.ip(), Instant::now()) {
        Some(lease) => _ = connections.spawn(forward(client, lease, target.idle, socket.clone())),
        None => {
            socket.refused.fetch_add(1, Ordering::Relaxed);
            reset(client);
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

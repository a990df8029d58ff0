//! TCP: accept, choose a member, copy both ways.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::balance::{Balancers, Lease};
use super::sockets::Socket;
use super::view::Target;

const CONNECT: Duration = Duration::from_secs(5);
const BUFFER: usize = 32 * 1024;

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
        Some(lease) => _ = connections.spawn(forward(client, lease, socket.clone())),
        None => {
            socket.refused.fetch_add(1, Ordering::Relaxed);
            reset(client);
        }
    }
}

async fn forward(mut client: TcpStream, mut lease: Lease, socket: Arc<Socket>) {
    let _open = socket.open();
    let mut member = match timeout(CONNECT, TcpStream::connect(lease.backend.address)).await {
        Ok(Ok(member)) => member,
        // As with a real one: no second try with another member, that is what health checks are for.
        _ => return reset(client),
    };
    let _ = client.set_nodelay(true);
    let _ = member.set_nodelay(true);
    tokio::select! {
        copied = copy_bidirectional_with_sizes(&mut client, &mut member, BUFFER, BUFFER) => match copied {
            Ok((bytes_in, bytes_out)) => socket.count(bytes_in, bytes_out),
            Err(_) => reset(client),
        },
        () = lease.ended() => reset(client),
    }
}

/// Closes so that the client sees a reset, not an orderly end.
fn reset(client: TcpStream) {
    let _ = client.set_zero_linger();
}

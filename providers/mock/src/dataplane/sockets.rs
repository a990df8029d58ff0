//! The state and the traffic of every front, for the ledger.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::view::{Front, Transport};

/// All fronts.
#[derive(Default)]
pub struct Sockets(Mutex<BTreeMap<Front, Arc<Socket>>>);

/// One front's state and counters.
#[derive(Default)]
pub struct Socket {
    state: Mutex<String>,
    /// TCP connections or UDP sessions, ever.
    pub connections: AtomicU64,
    pub active: AtomicU64,
    pub bytes_in: AtomicU64,
    pub bytes_out: AtomicU64,
    /// Connections there was no member for.
    pub refused: AtomicU64,
}

/// A front as it is shown.
#[derive(Debug, Serialize)]
pub struct Shown {
    pub listener_id: String,
    pub protocol: Transport,
    pub address: SocketAddr,
    /// `listening`, or why not.
    pub state: String,
    pub connections: u64,
    pub active: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub refused: u64,
}

impl Sockets {
    pub fn add(&self, front: &Front) -> Arc<Socket> {
        let socket = Arc::new(Socket::default());
        socket.set_state("starting");
        self.lock().insert(front.clone(), socket.clone());
        socket
    }

    pub fn remove(&self, front: &Front) {
        self.lock().remove(front);
    }

    pub fn list(&self) -> Vec<Shown> {
        let shown = |(front, socket): (&Front, &Arc<Socket>)| {
            let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            Shown {
                listener_id: front.listener_id.clone(),
                protocol: front.transport,
                address: front.address,
                state: socket.state.lock().unwrap_or_else(PoisonError::into_inner).clone(),
                connections: get(&socket.connections),
                active: get(&socket.active),
                bytes_in: get(&socket.bytes_in),
                bytes_out: get(&socket.bytes_out),
                refused: get(&socket.refused),
            }
        };
        self.lock().iter().map(shown).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Front, Arc<Socket>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Socket {
    pub fn set_state(&self, state: &str) {
        state.clone_into(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts a connection until the guard is dropped.
    pub fn open(self: &Arc<Self>) -> Opened {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.active.fetch_add(1, Ordering::Relaxed);
        Opened(self.clone())
    }

    pub fn count(&self, bytes_in: u64, bytes_out: u64) {
        self.bytes_in.fetch_add(bytes_in, Ordering::Relaxed);
        self.bytes_out.fetch_add(bytes_out, Ordering::Relaxed);
    }
}

/// A connection that is counted as active.
pub struct Opened(Arc<Socket>);

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

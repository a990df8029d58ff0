//! A listener, and the place that it shares with its pool.

use std::fmt;

use ferrolb_provider::Protocol;
use serde::Serialize;

/// A listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listener {
    /// Which port.
    pub key: PoolKey,
}

/// Which listener, and with it which pool: its protocol and port. Found objects may have no such place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum PoolKey {
    /// `TCP:80`
    Port(Protocol, u16),
    /// One of ours that no Service can have asked for; the cloud's id.
    Stray(String),
}

impl fmt::Display for PoolKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(protocol, port) => write!(f, "{protocol}:{port}"),
            Self::Stray(id) => write!(f, "stray:{id}"),
        }
    }
}

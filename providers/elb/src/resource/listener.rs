//! A listener, and the place that it shares with its pool.

use std::fmt;

use ferrolb_provider::{Change, Protocol};
use serde::Serialize;

use crate::settings::differing;
use crate::spec::{ElbProtocol, Settings};

/// A listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listener {
    /// Which port.
    pub key: PoolKey,
    /// What it speaks; `None`: found with something that we never ask for.
    pub protocol: Option<ElbProtocol>,
    /// Its other fields; wished: only what the user named.
    pub settings: Settings,
}

impl Listener {
    /// The protocol of a listener cannot be changed.
    pub(super) fn change(&self, seen: &Self) -> Change {
        if self.protocol != seen.protocol {
            return Change::Replace("protocol");
        }
        match differing(&self.settings, &seen.settings) {
            fields if fields.is_empty() => Change::None,
            fields => Change::Update(fields),
        }
    }
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

//! Protocols of listeners and pools, and which fit together.

use serde::{Deserialize, Serialize};

/// A protocol as listeners and pools name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Protocol {
    Tcp,
    Udp,
    Http,
    Https,
    TerminatedHttps,
    Quic,
    Tls,
    Ip,
    Grpc,
}

impl Protocol {
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
            Self::TerminatedHttps => "TERMINATED_HTTPS",
            Self::Quic => "QUIC",
            Self::Tls => "TLS",
            Self::Ip => "IP",
            Self::Grpc => "GRPC",
        }
    }

    /// UDP and QUIC share one space of ports, everything else the other.
    pub fn is_datagram(self) -> bool {
        matches!(self, Self::Udp | Self::Quic)
    }

    pub fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Https | Self::TerminatedHttps | Self::Grpc)
    }

    pub fn needs_certificate(self) -> bool {
        matches!(self, Self::Https | Self::TerminatedHttps | Self::Tls | Self::Quic)
    }

    /// Whether a listener of this protocol may use a pool of that one.
    pub fn accepts(self, pool: Self) -> bool {
        match self {
            Self::Udp => matches!(pool, Self::Udp | Self::Quic),
            Self::Tcp => pool == Self::Tcp,
            Self::Http => pool == Self::Http,
            Self::Https | Self::TerminatedHttps => matches!(pool, Self::Http | Self::Https | Self::Grpc),
            Self::Tls => matches!(pool, Self::Tls | Self::Tcp),
            Self::Quic => matches!(pool, Self::Quic | Self::Http),
            Self::Ip => pool == Self::Ip,
            Self::Grpc => false,
        }
    }
}

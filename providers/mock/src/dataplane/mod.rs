//! Real forwarding: for every listener with an address there is a socket, for every monitored member
//! a probe.
//!
//! ```text
//! Cloud ─ changed ─► run: View::of(cloud) ─┬─► front per (protocol, address:port) ── watch<Arc<Target>>
//!                     ▲                    │      tcp: accept (► TLS) ► balance ► relay
//!                     │                    │      http: accept (► TLS) ► balance each request
//!                     │ verdicts           │      udp: session per client ► balance
//!                     └── prober per member┘
//!
//! Cloud ─ changed ─► gateway: DNAT rules ──► nftables (the kernel rewrites destinations)
//! ```
//!
//! A front reads one shared snapshot, its target; so a change of one listener never disturbs another,
//! and established TCP connections outlive the member they go to, for as long as the pool's drain says if it has
//! one. They end with their listener.

mod access;
mod announce;
mod balance;
mod cookies;
mod gateway;
mod http;
mod judge;
mod nftables;
mod probe;
mod relay;
mod run;
mod service;
mod sockets;
mod tcp;
mod tls;
mod udp;
mod view;

pub use announce::announce;
pub use gateway::{Gateway, run as rewrite};
pub use run::{Limits, run};
pub use sockets::Sockets;

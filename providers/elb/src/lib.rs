//! The Huawei-style cloud as a FerroLB provider: ELB v3 (v2 to create shared balancers) and EIP.
//!
//! ```text
//!   Options ── parse ──► ElbSpec ┐                       keys: every annotation, what it means, whether we act on it
//!                                ├─ model ─► [ElbResource]
//!   Desired ─────────────────────┘                │ plan, order and retries: the engine's
//!                                                 ▼
//!   cloud ◄── client ◄── apply (one Step = one call)
//!     │         ▲  send: limiter, deadline, signature, error class, one log line
//!     │         └─ Transport (the network, or a simulator)
//!     └──────► JSON ── observe ──► Seen<ElbResource> ── status ──► Serving
//!
//!   loadbalancer/main ◄─ eip/main              (created and bound in one call, outlives the balancer)
//!        ▲
//!   listener/TCP:80 ◄─ pool/TCP:80 ◄─┬─ member/TCP:80/10.0.0.7:30080
//!                                    └─ healthmonitor/TCP:80
//! ```
//!
//! The owner mark ([`mark`]) travels in each create call: in the description of balancers, listeners and pools, in
//! the alias of EIPs; members and monitors are owned through their pool. Names are for people and find nothing.
//!
//! ≠ Kubernetes types, retries, order of calls.

mod apply;
mod autocreate;
mod body;
mod client;
mod config;
mod docs;
mod drift;
mod flavor;
mod health_check;
mod json;
pub mod keys;
mod list;
pub mod mark;
mod members;
mod model;
mod observe;
mod parse;
mod provider;
mod refuse;
mod resource;
mod spec;
mod status;

pub use client::{
    Clock, Credentials, CredentialsError, CredentialsSource, FileCredentials, HttpTransport, Method, Request, Response,
    StaticCredentials, SystemClock, Transport, TransportError,
};
pub use config::{ElbConfig, Limits};
pub use docs::markdown;
pub use parse::{Parsed, parse};
pub use provider::Elb;
pub use resource::{
    Binding, Eip, ElbResource, FoundBalancer, HealthMonitor, Listener, LoadBalancer, Member, MemberHealth, NewBalancer,
    Pool, PoolKey,
};
pub use spec::{Algorithm, Autocreate, Balancer, Class, ElbSpec, HealthCheck, Probe, PublicIp};

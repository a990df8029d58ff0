//! The Huawei-style cloud as a FerroLB provider: ELB v3 (v2 to create shared balancers), EIP, and NAT v2.
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
//!        ├── association/… ─► address/main     (the user's EIP instead: marked by tags, bound and unbound)
//!        ▲
//!   listener/TCP:80 ◄─ pool/TCP:80 ◄─┬─ member/TCP:80/10.0.0.7:30080
//!                                    └─ healthmonitor/TCP:80
//!
//!   ipgroup/main ◄─ every listener              (only used: those whom `spec.loadBalancerSourceRanges` lets in)
//!
//!   natgateway/main ◄─┬─ dnatrule/TCP:80       class dnat: one rule, one port of one EIP to one node
//!   address/main ◄────┘                        the user's EIP, or eip/main
//! ```
//!
//! The owner mark ([`mark`]) travels in each create call: in the description of balancers, listeners, groups, pools and rules, in
//! the alias of EIPs, or in tags where the EIP is the user's; members and monitors are owned through their pool. Names are for people and find nothing.
//!
//! ≠ Kubernetes types, retries, order of calls.

mod apply;
mod autocreate;
mod body;
mod client;
mod config;
mod dnat;
mod docs;
mod drift;
mod eip_option;
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
mod resource;
mod settings;
mod spec;
mod status;
mod stranger;
mod tags;

pub use client::{
    Agency, CallRecord, Clock, Credentials, CredentialsError, CredentialsSource, FileCredentials, HttpTransport, Keys,
    Method, Observer, Request, Response, StaticCredentials, SystemClock, Transport, TransportError, User,
};
pub use config::{ElbConfig, Limits};
pub use docs::markdown;
pub use parse::{Parsed, parse};
pub use provider::Elb;
pub use resource::{
    Access, Association, Binding, DnatRule, Eip, ElbResource, FoundBalancer, FoundFlavor, Groups, HealthMonitor,
    IpGroup, Listener, LoadBalancer, Member, MemberHealth, NatGateway, NewBalancer, Pool, PoolKey, PublicAddress,
    Target,
};
pub use spec::{
    Algorithm, Autocreate, Balancer, Bandwidth, Class, ElbProtocol, ElbSpec, Flavor, HealthCheck, PortSpec, Probe,
    PublicIp, Settings, Tags,
};

//! The objects of the cloud and the rules for changing them. Pure: no HTTP, no clock (`now` is an
//! argument), no randomness but the seed.
//!
//! ```text
//! Cloud ─┬─ loadbalancers ◄── listeners (loadbalancer_id)
//!        ├─ ipgroups ◄─────── listeners (access)
//!        ├─ whitelists ─────► listeners of shared load balancers
//!        ├─ pools ◄────────── listeners (default_pool_id)
//!        │    ├─ members            inside the pool, as in the paths of the API
//!        │    └─ healthmonitor_id ─► monitors
//!        ├─ eips ── bound ─► loadbalancers, nat_gateways
//!        ├─ nat_gateways ◄─── dnat_rules ──► eips, network interfaces of servers
//!        ├─ jobs: what was ordered and may take a while
//!        ├─ network: one VPC and its subnets, from the configuration
//!        └─ health: what the data plane last saw of each member (not stored)
//! ```

mod access;
mod bandwidth;
mod certificate;
mod cloud;
mod eip;
mod health;
mod ipgroup;
mod job;
mod l7policy;
mod listener;
mod listener_fields;
mod loadbalancer;
mod member;
mod monitor;
mod nat;
mod network;
mod nic;
mod pool;
mod protocol;
mod quota;
mod refusal;
mod store;
mod stored;
mod tags;
mod whitelist;

pub use access::{Access, Account};
pub use bandwidth::{BandwidthPatch, BandwidthUse};
pub use certificate::{Certificate, CertificatePatch, CertificateType, SecurityPolicy, SecurityPolicyPatch};
pub use cloud::{Cloud, Setup, Tag};
pub use eip::{Bandwidth, Bound, Eip, EipPatch, NewEip};
pub use health::Health;
pub use ipgroup::{AccessControl, AccessList, IpEntry, IpGroup, IpGroupPatch};
pub use job::{Job, JobKind};
pub use l7policy::{L7Action, L7Policy, L7Rule, L7RuleType};
pub use listener::{Listener, ListenerPatch, NewListener};
pub use loadbalancer::{Cascade, EipWish, LoadBalancer, LoadBalancerPatch, NewLoadBalancer};
pub use member::{Deleted, Member, MemberKey, MemberPatch, NewMember};
pub use monitor::{Codes, Monitor, MonitorPatch, MonitorType, NewMonitor};
pub use nat::{
    DnatRule, NatGateway, NatGatewayPatch, NatProtocol, NatRefusal, NatTarget, NewNatGateway, Ports, RuleWish,
};
pub use network::{Subnet, Vpc};
pub use nic::Nic;
pub use pool::{Algorithm, NewPool, Persistence, Pool, PoolPatch};
pub use protocol::Protocol;
pub use quota::Quotas;
pub use refusal::Refusal;
pub use store::{Row, Store};
pub use stored::{Stored, Tagged};
pub use whitelist::Whitelist;

#[cfg(test)]
mod tests;

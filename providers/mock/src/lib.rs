//! A mock of a Huawei-style cloud (ELB v2 and v3, EIP v1 and v3, bandwidths, NAT v2, the needed part of VPC and
//! IAM) with a real data plane. It shares no code with the client it is used to test, so that the two cannot be
//! wrong in the same way.
//!
//! ```text
//! signed call ─► server ─► pipeline ─► auth ─► faults ─► api ─► state ──────► state file
//!                             │                  │        ▲        │ changed
//!                             ▼                  ▼        │        ▼
//!                           calls              holds      │    dataplane: listeners on VIPs and EIPs,
//!                             ▲                  ▲        │    balancing, health checks
//! /_ferrolb/… ─► admin ───────┴──────────────────┴────────┘
//! ```
//!
//! ```no_run
//! # async fn demo() -> std::io::Result<()> {
//! let cloud = ferrolb_mock::start(ferrolb_mock::Config::default()).await?;
//! println!("endpoint http://{}, key {}", cloud.api_addr, ferrolb_mock::ACCESS_KEY);
//! cloud.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! The admin paths under `/_ferrolb/` are not signed: bind the API to addresses you trust.

// The biggest answers are one `json!` of more than forty fields.
#![recursion_limit = "256"]

mod admin;
mod api;
mod app;
mod auth;
mod calls;
mod config;
mod dataplane;
mod embedded;
mod faults;
mod holds;
mod pipeline;
mod server;
mod state;

pub use config::{
    ACCESS_KEY, Clock, Config, DOMAIN_ID, DOMAIN_NAME, NAT_GATEWAY_ID, NODE_SUBNET_ID, NODE_SUBNET_NEUTRON_ID,
    PROJECT_ID, REGION, SECRET_KEY, VIP_SUBNET_ID, VIP_SUBNET_NEUTRON_ID, VPC_ID,
};
pub use embedded::{Answered, Cloud};
pub use faults::{Fault, FaultPlan, Match, Rule};
pub use server::{Handle, start};

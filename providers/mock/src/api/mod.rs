//! The REST surface: which paths exist, what their JSON looks like, how refusals are worded.
//!
//! A handler is an ordinary function from (cloud, request) to an answer. It does no I/O and never
//! waits; so the fault plan can run it early, late or not at all, and a test needs no socket.
//!
//! ```text
//! Request ─► route::find ─► handler(&mut Context, &Request) ─► Answer
//!                             │ fields: typed reading of bodies    ▲
//!                             │ list:   filters and pages          │ answer: status, codes, envelopes
//!                             └────────► state ────────────────────┘
//! ```

mod answer;
mod bandwidths;
mod batch;
mod catalogue;
mod certificates;
mod crud;
mod eip;
mod eip_v1;
mod eip_v3;
mod elb_v2;
mod fields;
mod iam;
mod ipgroups;
mod l7policies;
mod ledger;
mod legacy;
mod list;
mod listeners;
mod loadbalancers;
mod members;
mod monitors;
mod nat;
mod neutron;
mod pools;
mod request;
mod route;
mod statuses;
mod tags;
mod vpc;
mod whitelists;
mod wire;

pub use answer::Answer;
pub use ledger::ledger;
pub use request::{Context, Query};
pub use route::{Found, dispatch, find, unknown};

//! The mock over loopback: signed calls, faults, restarts, and real traffic through it.
//!
//! The client here signs with code of its own and speaks HTTP over a bare socket, so that a test can
//! see a closed connection and go away in the middle of a call.
#![allow(clippy::unwrap_used)]

mod balancing;
mod batch;
mod client;
mod coding;
mod dataplane;
mod eip;
mod elb;
mod faults;
mod golden;
mod http;
mod ipgroups;
mod nat;
mod paging;
mod ranges;
mod relay;
mod restart;
mod signing;
mod tls;
mod wire;

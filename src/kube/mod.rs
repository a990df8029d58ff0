//! All Kubernetes input and output; the only room that names `kube::Client`.
//!
//! ≠ what a load balancer is.

pub mod client;
pub mod events;
pub mod feed;
pub mod feeds;
pub mod lease;
pub mod write;

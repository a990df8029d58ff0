//! The custom resources of FerroLB, group `ferrolb.io`, version `v1alpha1`.
//!
//! ```text
//!   Rust struct ──derive──► schema and CEL rules ──generate──► yaml/*.yaml ──► the chart, kubectl
//!        │
//!        └──► what core and controller read
//! ```
//!
//! A rule that guards a field stands beside the field, so that the API server refuses what this code would not
//! understand: no webhook is needed. The files under `yaml/` are generated; a test compares them.
//!
//! ≠ reconciling, a Kubernetes client.

mod class;
mod manifest;

pub use class::{LoadBalancerClass, LoadBalancerClassSpec};
pub use manifest::{GROUP, generate};

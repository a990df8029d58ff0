//! FerroLB: working Services of type LoadBalancer.
//!
//! This crate is the wiring. What a load balancer should be is decided in `ferrolb-core`; how it is made, in the
//! providers behind `ferrolb-provider`.
//!
//! ```text
//! cli ─► controller ─► core (pure) ─► Driver ─► a provider
//!             │
//!             └─► kube (all Kubernetes I/O)
//! ```

pub mod cli;
pub mod clock;
pub mod controller;
pub mod flight;
pub mod kube;
pub mod serve;
pub mod telemetry;

//! A real Kubernetes cluster on one machine, in network namespaces: no Docker, no image registry,
//! nothing that listens on the host.
//!
//! ```text
//!  client 10.200.0.100   control plane 10.200.0.1 (owns the bridge)     n1 10.200.0.11     n2 10.200.0.12
//!  ┌──────────────┐      ┌───────────────────────────────────────┐      ┌─────────────┐    ┌────────────
//!  │ curl, web udp│      │ etcd, API server, controller manager, │      │ containerd, │    │ the same
//!  │              │      │ scheduler; kubectl and helm run here  │      │ kubelet,    │    │
//!  └──────┬───────┘      └──────────────────┬────────────────────┘      │ kube-proxy  │    │
//!         │                                 │                           └──────┬──────┘    └─────┬──────
//!         └──────────────────────────────── br0 ───────────────────────────────┴─────────────────┘
//! ```
//!
//! Each box is one network namespace, `flb.<lab>.<box>`, so labs run side by side with the same addresses
//! and ports. Pods get 10.244.N.0/24 behind node N, Services 10.96.0.0/16.
//!
//! [`Lab::start`] builds what is missing (once per machine, see [`build`]), removes what killed runs left
//! behind, brings the cluster up and waits until it is ready; dropping the [`Lab`] takes all of it away.
//! Instead of kubelets a lab can have *light* nodes, which are API objects only: a thousand of them cost
//! nothing, and nobody repairs the faults that a test plays on them.
//!
//! The crate knows nothing about load balancers and depends on no other crate of the project.

mod access;
mod archive;
mod binaries;
pub mod build;
mod cgroup;
mod components;
mod config;
mod control_plane;
mod dns;
mod faults;
mod image;
mod lab;
mod light;
mod metrics;
mod net;
mod node;
mod prerequisites;
mod process;
mod registry;
mod render;
mod teardown;
mod traffic;
mod wait;
mod wrappers;

pub use config::{Config, Nodes, ProxyMode};
pub use image::{ImageSpec, WEB_IMAGE};
pub use lab::Lab;
pub use light::LightPod;
pub use metrics::Metrics;
pub use net::Where;
pub use prerequisites::{ensure as ensure_prerequisites, ensure_program};
pub use process::Running;
pub use registry::{Listed, list};
pub use teardown::{remove, remove_leftovers};
pub use wait::wait_for;

//! An API server in this process: the part of one that a controller can see, over `kube::Client`.
//!
//! ```text
//! kube::Client ─► serve (latency, faults) ─┬─► store: objects, versions, history ◄── users, directly
//!                                          │     ├ service: defaults, node ports, what a type flip wipes
//!                                          │     └ fields: who owns what (server-side apply)
//!                                          └─► watch: streams with bookmarks, cuts, silence
//! ```

pub mod fields;
pub mod route;
pub mod serve;
pub mod service;
pub mod store;
pub mod watch;

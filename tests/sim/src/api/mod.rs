//! An API server in this process: the part of one that a controller can see, over `kube::Client`.
//!
//! ```text
//! kube::Client ─► serve (latency, faults) ─┬─► dispatch ─┬─► store: objects, versions, history ◄── users, directly
//!                                          │             │     ├ metadata, service, class: defaults and rules
//!                                          │             │     └ fields: who owns what (server-side apply)
//!                                          │             └─► lists: pages, selectors
//!                                          └─► watch: streams with bookmarks, cuts, silence
//! ```

pub mod class;
pub mod dispatch;
pub mod fields;
pub mod lists;
pub mod metadata;
pub mod refusal;
pub mod route;
pub mod select;
pub mod serve;
pub mod service;
pub mod slice;
pub mod store;
pub mod watch;

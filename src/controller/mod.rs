//! Keeps the cloud as the cluster says.
//!
//! ```text
//! feeds ─► World ─► affected keys ─► Queue ─► reconcile ─► Driver (the provider's engine)
//!                                      ▲           │
//!                                      └── retry ──┴──► Writer: finalizer, status, events
//! ```
//!
//! ≠ cloud field names.

pub mod claims;
pub mod context;
pub mod queue;
pub mod reconcile;
pub mod retry;
pub mod rounds;
pub mod run;
pub mod sweep;

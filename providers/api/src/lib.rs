//! The contract between FerroLB and a load balancer backend.
//!
//! ```text
//!             Desired                       what is wanted, in neutral words
//!                │ Provider::model (pure)
//!                ▼
//!          [Resource, …] ── Provider::list ──► [Seen, …]
//!                └──────────────┬───────────────┘
//!                          plan (pure)      parents first, oldest wins, surplus goes, foreign stays
//!                               ▼
//!                          Step, Step, …  ── Provider::apply, one call each
//!                               ▼
//!                     Provider::status (pure) ──► Serving
//! ```
//!
//! The [`Engine`] is the only loop. A backend is a [`Provider`]: five functions without control flow. Identity is
//! an *owner mark* that the backend puts into each create call (a tag, a description: whatever the object has);
//! nothing is ever found by its name.
//!
//! ≠ Kubernetes types, tokio, clocks, sleeping, vendor words.
//!
//! # How to write a provider
//!
//! 1. One type for all your cloud's objects (an enum, usually) with [`Resource`]: its [`Slot`], what it hangs on, and
//!    [`Resource::change`]. Compare only fields that you set; what the cloud fills in would differ for ever.
//! 2. [`Provider::model`] makes them from a [`Desired`]. Its options are annotations; tell all [`Problem`]s at once.
//! 3. [`Provider::list`] finds by mark, all pages, also what hangs in the wrong place; a list that is cut short makes
//!    duplicates. A found object gives the same slot as the wished one, so keep what tells it in the mark.
//! 4. [`Provider::apply`] does one [`Step`] with one call. Map errors by what they *mean*: whatever may have taken
//!    effect is [`ProviderError::Ambiguous`], everything else promises that it did not and will not.
//! 5. [`Provider::status`] and [`Provider::owners`].
//!
//! What the cloud must give: a mark set by the create call itself, and a bound on how late a call that was given up
//! may still be applied plus how far its lists lag. [`Engine::new`] takes a time longer than both together.
//!
//! Then let `conformance` (a feature) try to break it; `examples/tinycloud` is a
//! tutorial with a provider for an imaginary cloud, its server, and its report.
//!
//! # A provider, whole
//!
//! One kind of object, kept in memory:
//!
//! ```
#![doc = include_str!("../examples/memory.rs")]
//! ```

mod conflict;
#[cfg(feature = "conformance")]
pub mod conformance;
mod desired;
mod driver;
mod engine;
mod error;
mod memory;
mod outcome;
mod plan;
mod provider;
mod resource;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod toy;

pub use conflict::{Claim, Conflict, Holder};
pub use desired::{
    ALLOW_INTERRUPTION, Backend, BackendKind, Desired, Family, Options, Owner, Port, Protocol, TrafficPolicy,
};
pub use driver::{BoxFuture, Driver};
pub use engine::{Engine, Host};
pub use error::{Detail, Problem, ProviderError, RetryClass};
pub use outcome::{Failure, Outcome, Wait};
pub use plan::{Item, Plan, Step, Verb, plan};
pub use provider::{Address, Health, IpMode, Model, Provider, Serving};
pub use resource::{Change, Id, Resource, Seen, Slot, State};

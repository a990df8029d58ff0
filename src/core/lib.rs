//! What a load balancer should be, decided from Kubernetes objects.
//!
//! ```text
//!   watch events ──► World::apply_* ──► Change ──► affected ──► keys of the Services to look at
//!                      │ facts, indexes
//!                      ▼
//!   Service ──► claim ──► desired ──► NotOurs │ Refused │ Release │ Provide(Desired)
//!              whose?       │ backends, ranges                        │
//!                                                                     ▼  (the engine works, elsewhere)
//!   status.loadBalancer, conditions, events ◄── report ◄───────── Outcome
//!                                                 │
//!                                             conditions: the one table of reasons
//! ```
//!
//! Everything here is a function of its arguments: the same world gives the same answer, so a test is a table and
//! the simulator needs no stand-in for this room. User input that cannot be carried out is a value
//! ([`Problem`](ferrolb_provider::Problem)), never an error that loops.
//!
//! ≠ kube client, tokio, files, environment, the time of day.

mod affected;
mod backends;
mod claim;
mod conditions;
mod desired;
mod facts;
mod ranges;
mod routing;
mod status;
mod world;

#[cfg(test)]
mod builders;

pub use affected::{affected, relevant};
pub use claim::{
    Claim, FINALIZER, GROUP_PREFIX, PROVIDER_ANNOTATION, Settings, claim, has_finalizer, has_leftovers, holder,
    never_claimed, our_conditions, owner, published, unknown_class,
};
pub use conditions::{EventWhen, Reason, Row, Severity, Status, markdown};
pub use desired::{Decision, desired};
pub use facts::{Class, Endpoint, Node, Slice, SlicePort};
pub use jiff::Timestamp;
pub use status::{Event, Pass, Report, equal, report};
pub use world::{Change, Key, World};

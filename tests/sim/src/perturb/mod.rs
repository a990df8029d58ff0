//! Systematic perturbation: a script of users runs once undisturbed, and then again for each thing that can go wrong at
//! each thing that happened. Every run must end where the first one ended.
//!
//! ```text
//! learn    every effective write of the controller (API server, cloud), every watch event that was told
//! plan     write  × {crash before it, crash after it with the answer never seen}
//!          event  × held back until a later one has overwritten it, so that only the newest is ever seen
//!          write  × kind: crash after it, and the next process's watch of the kind tells nothing for two minutes
//! act      at exactly that write or event, found by its name and count, never by the clock
//! judge    end state, numbers of creations and deletions, the invariants
//! ```
//!
//! Time travel proper, a list older than what was told before, cannot happen: the feeds list with no resource version,
//! and such a list is never older than the moment it is asked for. What can be old is what a watch tells, hence the
//! third kind of plan.

pub mod deed;
pub mod judge;
mod plans;
mod script;
pub mod tap;
mod workloads;

pub use plans::all;

//! Walks through what a user may wish, after Acto: chains of edits, a third of them wrong, with quiet after each.
//!
//! * After a right step the Service is ready and the cloud is as wished; after a wrong one nothing was written to the
//!   cloud, and the condition says why. Where only a part cannot be had, like a dedicated load balancer in the place of
//!   a shared one, the condition says so and the rest is done. From wrong to right it always recovers.
//! * At the end everything is as if the last wish had been the first: two paths to one wish end alike, but for
//!   identities and addresses.

mod chain;
mod goal;
mod walk;

pub use walk::all;

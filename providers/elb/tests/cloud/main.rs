//! The provider against the mock cloud, through the engine.
#![allow(clippy::unwrap_used)]

mod access;
mod adopt;
mod backends;
mod dnat;
mod edits;
mod faults;
mod harness;
mod lent;
mod lifecycle;
mod listeners;
mod made;
mod ranges;
mod repair;
mod sharing;
mod singles;
mod stays;
mod tokens;

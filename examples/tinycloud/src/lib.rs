//! An example: a provider for an imaginary cloud, the cloud, and the proof that the one can be trusted with the other.
//!
//! ```text
//!   provider   TinyProvider ── HTTP ──►  server   TinyCloud: balancers and rules, virtual time, faults
//!        ▲                                  ▲
//!        └───────────── subject ────────────┘   what ferrolb_provider::conformance is told
//! ```
//!
//! `README.md` beside this crate is the tutorial. `cargo run -p ferrolb-example-tinycloud` prints the report.

mod provider;
mod server;
mod subject;

pub use provider::{Mark, TinyProvider, TinyResource};
pub use server::{Request, State, TinyCloud};
pub use subject::{TinySubject, TinyWorld};

//! The conformance kit: does a provider keep its side of the contract, whatever goes wrong?
//!
//! ```text
//!   Subject (yours)            run()                                    Report
//!   ─ empty_cloud() ─► Cloud ─► cases: samples × faults × every call ─► case  verdict  detail
//!                       │           │
//!                       │           └─ Life: an Engine over a Mortal provider, as a controller would drive it
//!                       └─ provider(), now(), pause(), calls(), objects(), set_fault(), set_lag(), add_foreign()
//! ```
//!
//! The [`Engine`](crate::Engine) has the protocol that leaks nothing, but it holds only if the provider does its
//! part: the mark travels in the create call, lists are whole, errors say what is known about the effect, a deletion
//! that failed is not called done. Each of these is easy to get nearly right. The kit lets a provider live through a
//! lost request, a lost answer, a late effect and the death of its process at *every* call of creation, change and
//! deletion, each time in a cloud of its own, and judges by what is in the cloud in the end.
//!
//! An author implements [`Subject`] and [`Cloud`] for a test cloud (a mock, a simulator, an empty account), says what
//! that cloud can be made to do ([`Facts`]) and prints the [`Report`] of [`run`]. What the cloud cannot be made to do
//! is reported as not checked, never as passed. The crate `ferrolb-example-tinycloud` shows it whole.
//!
//! ≠ provider knowledge, clocks, runtimes: time is the subject's.

mod cases;
mod churn;
mod faults;
mod life;
mod mortal;
mod neighbours;
mod report;
mod samples;
mod subject;
mod trial;

pub use cases::{run, run_to_first_failure};
pub use report::{CaseReport, Report, Verdict};
pub use samples::{backend, nodes, owner, port, sample};
pub use subject::{Budgets, Call, Calls, Cloud, Facts, Fault, Object, Subject};

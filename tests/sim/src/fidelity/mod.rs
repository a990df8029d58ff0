//! Whether the simulated API server answers as a real one does: a table of scripts, played to either through the same
//! client, and what they answered in a form that can be compared.
//!
//! ```text
//!   cases/* (name, script) ─► script (steps) ─► play (kube::Client of either server) ─► normal (masks) ─► one JSON line
//! ```
//!
//! Nobody wrote down what is right: the real server says it. `make prove P=fidelity` plays all to both and compares.

mod cases;
mod normal;
mod play;
mod script;

pub use play::run;

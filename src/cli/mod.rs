//! The command line: one file per subcommand; flags become typed options, then one call.
//!
//! Flags that a chart or a unit file would set have an environment twin (`FERROLB_…`).
//!
//! ≠ decisions.

mod cloud;
mod command;
mod controller;
mod crds;
mod mock_cloud;

pub use command::run;

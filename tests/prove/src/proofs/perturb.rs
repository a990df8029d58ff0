//! What a fault-free run does, done again with one perturbation at every place where one can hurt, after Sieve
//! (OSDI '22). The end, and the number of creations and deletions, must be those of the fault-free run.

mod mask;
mod plan;
mod real;
mod simulated;
mod workload;

use anyhow::Result;

use crate::harness::{Alone, Light};
use crate::report::Report;

/// In the simulator, many; then some of them with the real binary and the real API server.
pub fn run(bed: &Light, report: &mut Report) -> Result<()> {
    simulated::run(&Alone::default(), report)?;
    real::run(bed, report)
}

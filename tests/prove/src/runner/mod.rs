//! Which proofs run on which bed, what comes of it, and where it is written down.

mod machine;
mod product;
mod record;
mod run;
mod suite;

pub use machine::{cargo, root};
pub use product::{build as build_product, build_simulator, build_simulator_of};
pub use run::{bench, list, run};
pub use suite::test;

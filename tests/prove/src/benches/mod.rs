//! All benches: figures without a bound that anybody promised, so that changes can be seen.

mod provisioning;

use crate::proofs::{Proof, Run};

/// All of them.
pub const ALL: &[Proof] = &[Proof {
    name: "provisioning",
    about: "a burst of Services: time to address, rate, and the raw limits beside it",
    run: Run::Light(provisioning::run),
}];

//! All benches: figures, so that changes can be seen, and few bounds.

mod dataplane;
mod provisioning;

use crate::proofs::{Proof, Run};

/// All of them.
pub const ALL: &[Proof] = &[
    Proof {
        name: "dataplane",
        about: "TCP through the mock's data plane and through HAProxy: bytes and connections per second, and their price",
        run: Run::Alone(dataplane::run),
    },
    Proof {
        name: "provisioning",
        about: "a burst of Services: time to address, rate, and the raw limits beside it",
        run: Run::Light(provisioning::run),
    },
];

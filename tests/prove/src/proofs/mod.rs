//! All proofs, in the order in which they run on their bed.

mod address;
mod annotations;
mod bad_input;
mod budgets;
mod chart;
mod classic_bugs;
mod conformance;
mod crash;
mod delete;
mod dnat;
mod faults;
mod fidelity;
mod moves;
mod paused_leader;
mod perturb;
mod rbac;
mod replicas;
mod sdk;
mod sharing;
mod sim;
mod soak;
mod walks;
mod watch;

use anyhow::Result;

use crate::harness::{Alone, Full, Light};
use crate::report::Report;

/// One proof.
pub struct Proof {
    /// What it is called by.
    pub name: &'static str,
    /// What it shows, in one line.
    pub about: &'static str,
    /// How, and on which bed.
    pub run: Run,
}

/// The bed a proof needs, and the proof itself.
#[derive(Clone, Copy)]
pub enum Run {
    /// No cluster: programs of the project by themselves.
    Alone(fn(&Alone, &mut Report) -> Result<()>),
    /// A control plane, light nodes, controller and cloud as processes.
    Light(fn(&Light, &mut Report) -> Result<()>),
    /// Three real nodes and the chart.
    Full(fn(&Full, &mut Report) -> Result<()>),
}

/// Those that take hours, and run only when they are named.
pub const ON_DEMAND: &[Proof] = &[Proof {
    name: "soak",
    about: "a million create/delete pairs at 10 % faults: no double address, no leak, no foreign touch",
    run: Run::Alone(soak::run),
}];

/// All the others.
pub const ALL: &[Proof] = &[
    Proof {
        name: "sim",
        about: "the unmodified controller in simulated worlds full of trouble breaks no invariant",
        run: Run::Alone(sim::run),
    },
    Proof {
        name: "watch",
        about: "a watch that is lost without a word hides changes for less than 150 s",
        run: Run::Alone(watch::run),
    },
    Proof {
        name: "conformance",
        about: "the providers keep the contract whatever goes wrong, and the kit finds the classic mistakes",
        run: Run::Alone(conformance::run),
    },
    Proof {
        name: "sdk",
        about: "the vendor's own SDK drives every kind of object of the mock cloud through its life",
        run: Run::Alone(sdk::run),
    },
    Proof {
        name: "fidelity",
        about: "the simulated API server answers as a real one does",
        run: Run::Light(fidelity::run),
    },
    Proof {
        name: "classic-bugs",
        about: "the mistakes that such controllers are known for, put in on purpose, are found by the simulator",
        run: Run::Alone(classic_bugs::run),
    },
    Proof {
        name: "walks",
        about: "whatever a user asked for before, right or wrong, the cloud is as the last wish says",
        run: Run::Alone(walks::run),
    },
    Proof {
        name: "delete",
        about: "a deleted Service leaves nothing of ours and everything of others",
        run: Run::Light(delete::run),
    },
    Proof {
        name: "bad-input",
        about: "what cannot be done costs no call and is said in words that help",
        run: Run::Light(bad_input::run),
    },
    Proof {
        name: "annotations",
        about: "every key of the reference page does what the page says, with right, odd and wrong values",
        run: Run::Light(annotations::run),
    },
    Proof {
        name: "sharing",
        about: "twenty Services want the ports of one load balancer: one holder each, and an heir at once when it goes",
        run: Run::Light(sharing::run),
    },
    Proof {
        name: "budgets",
        about: "calls per operation, and silence when nothing changes",
        run: Run::Light(budgets::run),
    },
    Proof {
        name: "faults",
        about: "what the user sees when the cloud fails, and how long until it works again",
        run: Run::Light(faults::run),
    },
    Proof {
        name: "crash",
        about: "a controller killed at any of its cloud calls leaks nothing and changes no address",
        run: Run::Light(crash::run),
    },
    Proof {
        name: "perturb",
        about: "killed, deaf or behind at every place where it can hurt, it ends as if nothing had been",
        run: Run::Light(perturb::run),
    },
    Proof {
        name: "paused-leader",
        about: "a leader that was paused makes no cloud call after its deadline",
        run: Run::Light(paused_leader::run),
    },
    Proof {
        name: "chart",
        about: "the chart renders what an API server takes and the program understands, and helps with what is wrong",
        run: Run::Light(chart::run),
    },
    Proof {
        name: "rbac",
        about: "the controller cannot write Services, only their status",
        run: Run::Light(rbac::run),
    },
    Proof {
        name: "address",
        about: "the example of CCE gets its addresses, and traffic reaches every pod",
        run: Run::Full(address::run),
    },
    Proof {
        name: "moves",
        about: "pods move and traffic follows, without a call to the cloud",
        run: Run::Full(moves::run),
    },
    Proof {
        name: "dnat",
        about: "rules of a NAT gateway follow readiness with real packets, within a second and by one call each",
        run: Run::Full(dnat::run),
    },
    Proof {
        name: "replicas",
        about: "two replicas: take-over, upgrade, uninstall and reinstall keep addresses",
        run: Run::Full(replicas::run),
    },
];

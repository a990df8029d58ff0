//! From what a fault-free run did to the list of perturbations.

use std::fmt;

use super::workload::Workload;
use crate::harness::{Hold, Nth, Passed};

/// One step of a fault-free run.
#[derive(Debug, Default)]
pub struct Recorded {
    /// The state after it, masked, as text.
    pub state: String,
    /// Effective writes to the API server.
    pub writes: Vec<Passed>,
    /// Events told.
    pub events: Vec<Passed>,
    /// Effective writes to the cloud: which of all writes of the run, and its kind.
    pub cloud: Vec<(usize, String)>,
}

/// A perturbation during one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its index.
    pub step: usize,
    /// What is done.
    pub deed: Deed,
}

/// What is done to the controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// SIGKILL when it writes to the API server, then a restart.
    KillAtApi(Hold),
    /// SIGKILL at the n-th of its writes to the cloud, then a restart.
    KillAtCloud { nth: usize, kind: String, after: bool },
    /// It is not told of an event, but of the next one of that object.
    Unheard { event: Nth, then: Then },
    /// It is restarted before the step, and told of this resource what was before the step, until it has nothing more
    /// to do.
    OldView(&'static str),
}

/// What makes the next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The user changes something that does not matter.
    Touch,
    /// The user's next step, which comes without waiting for an answer to this one.
    NextStep,
}

/// All perturbations of a workload.
pub fn all(workload: &Workload, run: &[Recorded]) -> Vec<Plan> {
    let mut plans = Vec::new();
    let ours: Vec<&str> = run.iter().flat_map(|step| &step.writes).map(|write| write.version.as_str()).collect();
    for (step, recorded) in run.iter().enumerate().filter(|(step, _)| workload.perturbed.contains(step)) {
        let mut add = |deed| plans.push(Plan { step, deed });
        for write in &recorded.writes {
            add(Deed::KillAtApi(Hold::Before(write.what.clone())));
            add(Deed::KillAtApi(Hold::After(write.what.clone())));
        }
        for (nth, kind) in &recorded.cloud {
            for after in [false, true] {
                add(Deed::KillAtCloud { nth: *nth, kind: kind.clone(), after });
            }
        }
        let later = |event: &Nth| {
            let all = run.iter().flat_map(|step| &step.events);
            all.into_iter().any(|other| other.what.what == event.what && other.what.nth > event.nth)
        };
        for event in recorded.events.iter().filter(|event| later(&event.what)) {
            add(Deed::Unheard { event: event.what.clone(), then: Then::Touch });
            // What the controller itself caused tells it nothing; what the user did may be over before it is heard.
            let next = workload.steps.get(step + 1);
            let overwritten = next.is_some_and(|next| next.changes == workload.steps[step].changes);
            if overwritten && !ours.contains(&event.version.as_str()) {
                add(Deed::Unheard { event: event.what.clone(), then: Then::NextStep });
            }
        }
        for resource in workload.steps[step].changes {
            add(Deed::OldView(resource));
        }
    }
    plans
}

impl Deed {
    /// One word for what kind of perturbation it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::KillAtApi(_) => "kill-at-api-write",
            Self::KillAtCloud { .. } => "kill-at-cloud-write",
            Self::Unheard { .. } => "event-held-back",
            Self::OldView(_) => "restart-with-old-view",
        }
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KillAtApi(Hold::Before(write)) => write!(f, "killed before {} #{}", write.what, write.nth),
            Self::KillAtApi(Hold::After(write)) => write!(f, "killed after {} #{}", write.what, write.nth),
            Self::KillAtApi(other) => write!(f, "killed at {other:?}"),
            Self::KillAtCloud { nth, kind, after } => {
                write!(f, "killed {} {kind} (cloud write {nth})", if *after { "after" } else { "before" })
            }
            Self::Unheard { event, then } => {
                let then = match then {
                    Then::Touch => "",
                    Then::NextStep => ", next step meanwhile",
                };
                write!(f, "event {} of {} held back{then}", event.nth, event.what)
            }
            Self::OldView(resource) => write!(f, "restarted with the {resource} of before"),
        }
    }
}

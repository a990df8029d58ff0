//! One trial: a phase of a Service's life with one thing that goes wrong, and the judgement of what is there after.

use std::fmt;

use super::life::{Kit, Life, Shape, Wish};
use super::samples;
use super::subject::{Call, Cloud, Fault, Subject};
use crate::Desired;

/// During what it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Creation,
    /// The user deletes the Service after the first pass.
    GivenUp,
    Change,
    Deletion,
}

impl Phase {
    pub const ALL: [Self; 4] = [Self::Creation, Self::GivenUp, Self::Change, Self::Deletion];
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Creation => "creation",
            Self::GivenUp => "creation given up",
            Self::Change => "change",
            Self::Deletion => "deletion",
        })
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    /// The process dies after this list or step.
    Death(usize),
    /// The n-th call meets a fault, and the process goes on, or dies of it.
    Call {
        nth: usize,
        fault: Fault,
        name: String,
        dies: bool,
    },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no fault"),
            Self::Death(n) => write!(f, "the process dies after operation {n}"),
            Self::Call { nth, fault, name, dies } => {
                let what = match fault {
                    Fault::Before => "is lost",
                    Fault::After => "is applied and its answer lost",
                    Fault::Late => "is applied late",
                    Fault::Throttle => "is one too many",
                };
                write!(f, "call {nth} ({name}) {what}{}", if *dies { ", the process dies" } else { "" })
            }
        }
    }
}

/// The wishes of a trial, and what they look like when nothing goes wrong.
pub(super) struct Story {
    pub first: Desired,
    pub second: Desired,
    first_shape: Shape,
    second_shape: Shape,
}

impl Story {
    pub async fn new<S: Subject>(kit: &Kit<'_, S>) -> Result<Self, String> {
        let (first, second) = (kit.subject.fit(samples::tcp_and_udp()), kit.subject.fit(samples::changed()));
        let (first_shape, second_shape) = (kit.shape_of(&first).await?, kit.shape_of(&second).await?);
        Ok(Self { first, second, first_shape, second_shape })
    }
}

impl<S: Subject> Kit<'_, S> {
    /// What a creation without trouble makes.
    pub async fn shape_of(&self, want: &Desired) -> Result<Shape, String> {
        let mut life = Life::begin(self).await;
        life.first_seen(&want.owner);
        life.live(Wish::Have(want)).await?;
        Ok(life.shape(&want.owner).await)
    }
}

/// What a trial did.
#[derive(Debug)]
pub(super) struct Played {
    /// Its calls while something could go wrong.
    pub calls: Vec<Call>,
    /// Its lists and steps while something could go wrong.
    pub operations: usize,
    /// Whether a pass died or failed.
    pub hurt: bool,
}

/// Plays one trial in a cloud of its own. An error says what is wrong in the end.
pub(super) async fn play<S: Subject>(
    kit: &Kit<'_, S>,
    story: &Story,
    phase: Phase,
    trouble: &Trouble,
    lag: bool,
) -> Result<Played, String> {
    let Story { first, second, first_shape, second_shape } = story;
    let owner = &first.owner;
    let mut life = Life::begin(kit).await;
    life.cloud.add_foreign(first).await;
    let strangers = life.strangers(owner).await;
    if lag {
        life.cloud.set_lag(true).await;
    }
    life.first_seen(owner);
    if matches!(phase, Phase::Change | Phase::Deletion) {
        life.live(Wish::Have(first)).await.map_err(|why| format!("before anything went wrong: {why}"))?;
    }
    if matches!(phase, Phase::Creation | Phase::GivenUp) {
        life.at_most = Some(first_shape.clone());
    }
    life.cloud.calls().await;
    life.fate.count_anew();
    life.hurts.clear();
    match trouble {
        Trouble::None => {}
        Trouble::Death(n) => life.fate.die_after(*n),
        Trouble::Call { nth, fault, dies, .. } => {
            if *dies {
                life.fate.die_of_errors();
            }
            life.cloud.set_fault(Some((*nth, *fault))).await;
        }
    }
    match phase {
        Phase::Creation => drop(life.live(Wish::Have(first)).await?),
        Phase::Change => drop(life.live(Wish::Have(second)).await?),
        Phase::Deletion => drop(life.live(Wish::Gone(owner)).await?),
        Phase::GivenUp => {
            if life.pass(Wish::Have(first)).await.is_none() {
                life.restart();
            }
        }
    }
    let operations = life.fate.operations();
    let (calls, hurt) = (life.cloud.calls().await, !life.hurts.is_empty());
    match phase {
        Phase::Creation => life.at_rest(first, first_shape).await?,
        Phase::Change => life.at_rest(second, second_shape).await?,
        Phase::Deletion => life.nothing_left(owner).await?,
        Phase::GivenUp => {
            life.live(Wish::Gone(owner)).await?;
            life.nothing_left(owner).await?;
        }
    }
    life.untouched(owner, &strangers).await?;
    Ok(Played { calls, operations, hurt })
}

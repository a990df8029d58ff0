//! The steps of a walk, from a seed.

use super::goal::{Goal, SERVICE};
use crate::dice::Dice;
use crate::perturb::deed::{Deed, Ports};
use crate::wish::Wish;

const PORTS: [Ports; 5] = [
    &[(80, "TCP")],
    &[(80, "TCP"), (443, "TCP")],
    &[(80, "TCP"), (53, "UDP")],
    &[(443, "TCP"), (53, "UDP"), (53, "TCP")],
    &[(8080, "TCP")],
];
const RIGHT: [Wish; 6] = [Wish::Union, Wish::Performance, Wish::Private, Wish::Adopt, Wish::Dnat, Wish::DnatShared];
const WRONG: [Wish; 3] = [Wish::BadJson, Wish::BadClass, Wish::Nothing];

/// The chain of a seed: a Service comes, and is edited four to ten times.
pub fn of(seed: u64) -> Vec<Deed> {
    let mut dice = Dice::new(seed, "walk");
    let mut chain = vec![create(&mut dice)];
    let length = 4 + dice.below(7);
    let mut goal = Goal::default();
    goal.step(&chain[0]);
    while (chain.len() as u64) < length {
        let deed = if !goal.exists { create(&mut dice) } else { any(&mut dice, &goal) };
        goal.step(&deed);
        chain.push(deed);
    }
    chain
}

fn create(dice: &mut Dice) -> Deed {
    Deed::Create(SERVICE, wish(dice), ports(dice))
}

fn any(dice: &mut Dice, goal: &Goal) -> Deed {
    if !goal.is_balanced() {
        return Deed::Type(SERVICE, "LoadBalancer");
    }
    let number = 1 + dice.below(5);
    match dice.below(20) {
        0..=8 => Deed::Wish(SERVICE, wish(dice)),
        9..=12 => Deed::Ports(SERVICE, ports(dice)),
        13 => Deed::Type(SERVICE, "ClusterIP"),
        14 => Deed::Policy(SERVICE, if dice.chance(0.5) { "Local" } else { "Cluster" }),
        15 => Deed::Node(number, true),
        // One stays, so that there is somebody to take the traffic.
        16 => Deed::Node(number.max(2), false),
        17..=18 => Deed::Excluded(number.max(2), dice.chance(0.6)),
        _ => Deed::Delete(SERVICE),
    }
}

/// Right or, with the turns from shared to dedicated, a wrong one in every third case.
fn wish(dice: &mut Dice) -> Wish {
    let from: &[Wish] = if dice.chance(0.3) { &WRONG } else { &RIGHT };
    dice.pick(from).copied().unwrap_or(Wish::Union)
}

fn ports(dice: &mut Dice) -> Ports {
    dice.pick(&PORTS).copied().unwrap_or(PORTS[0])
}

//! What the steps of a walk add up to.

use crate::perturb::deed::{Deed, Ports};
use crate::wish::Wish;

/// The Service that a walk is about.
pub const SERVICE: &str = "a/web";

/// Everything that was asked for, and what follows from it.
#[derive(Clone, Debug)]
pub struct Goal {
    pub exists: bool,
    wish: Wish,
    ports: Ports,
    balanced: bool,
    local: bool,
    gold: bool,
    nodes: [bool; 5],
    excluded: [bool; 5],
    /// The wish that the load balancer was made for, where there is one.
    made: Option<Wish>,
}

/// Where a walk begins: the furnished world without a Service.
impl Default for Goal {
    fn default() -> Self {
        Self {
            exists: false,
            wish: Wish::Nothing,
            ports: &[],
            balanced: false,
            local: false,
            gold: true,
            nodes: [true, true, true, false, false],
            excluded: [false; 5],
            made: None,
        }
    }
}

impl Goal {
    /// Takes a step. One that cannot be done, like deleting what is not there, changes nothing.
    pub fn step(&mut self, deed: &Deed) {
        match *deed {
            Deed::Create(_, wish, ports) if !self.exists => {
                (self.exists, self.balanced, self.local, self.made) = (true, true, false, None);
                (self.wish, self.ports) = (wish, ports);
            }
            Deed::Delete(_) => (self.exists, self.made) = (false, None),
            Deed::Wish(_, wish) if self.exists => self.wish = wish,
            Deed::Ports(_, ports) if self.exists => self.ports = ports,
            Deed::Type(_, kind) if self.exists => self.balanced = kind == "LoadBalancer",
            Deed::Policy(_, policy) if self.exists && self.balanced => self.local = policy == "Local",
            Deed::Gold(gold) => self.gold = gold,
            Deed::Node(number, there) => {
                self.excluded[number as usize - 1] &= there && self.nodes[number as usize - 1];
                self.nodes[number as usize - 1] = there;
            }
            Deed::Excluded(number, excluded) if self.nodes[number as usize - 1] => {
                self.excluded[number as usize - 1] = excluded;
            }
            _ => {}
        }
        if !self.balanced {
            // The policy goes with the type.
            (self.made, self.local) = (None, false);
        }
        if self.is_right() {
            self.made = Some(self.wish);
        }
    }

    /// Whether a load balancer is asked for.
    pub fn is_balanced(&self) -> bool {
        self.exists && self.balanced
    }

    /// Whether the input is right in itself. Where only a part of it cannot be had, the rest is done.
    pub fn can_be_read(&self) -> bool {
        self.wish.is_right()
    }

    /// Whether all that is asked for can be had: a load balancer cannot turn from a shared one into a dedicated one.
    pub fn is_right(&self) -> bool {
        let dedicated = |wish: Wish| wish == Wish::Performance;
        let own = |wish: &Wish| *wish != Wish::Adopt && !wish.is_dnat();
        let turns = |made: Wish| dedicated(made) != dedicated(self.wish) && own(&self.wish);
        self.is_balanced() && self.wish.is_right() && !self.made.filter(own).is_some_and(turns)
    }

    /// The shortest way to the same from the beginning.
    pub fn directly(&self) -> Vec<Deed> {
        let start = Self::default();
        let numbers = 1..=self.nodes.len();
        let changed = numbers.clone().filter(|n| start.nodes[n - 1] != self.nodes[n - 1]);
        let mut deeds: Vec<Deed> = changed.map(|n| Deed::Node(n as u64, self.nodes[n - 1])).collect();
        let excluded = numbers.filter(|n| self.excluded[n - 1]);
        deeds.extend(excluded.map(|n| Deed::Excluded(n as u64, true)));
        deeds.push(Deed::Create(SERVICE, self.wish, self.ports));
        if self.local {
            deeds.push(Deed::Policy(SERVICE, "Local"));
        }
        deeds
    }

    /// What is missing for a right end.
    pub fn correction(&self) -> Vec<Deed> {
        let mut deeds = Vec::new();
        if !self.exists {
            deeds.push(Deed::Create(SERVICE, Wish::Union, &[(80, "TCP")]));
        } else if !self.balanced {
            deeds.push(Deed::Type(SERVICE, "LoadBalancer"));
        }
        let mut then = self.clone();
        deeds.iter().for_each(|deed| then.step(deed));
        if !then.is_right() {
            deeds.push(Deed::Wish(SERVICE, then.made.unwrap_or(Wish::Union)));
        }
        deeds
    }
}

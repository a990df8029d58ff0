//! For the tests only: the objects of a small cloud, complete enough to hold every rule of the contract.
//!
//! ```text
//! lb ◄─ listener ◄─ pool ◄─┬─ member   natural key, four in one call
//!  ▲    natural key        └─ monitor
//!  ├── eip (outlives the lb)
//!  ├── lent (replaces the eip)
//!  ├── rule (moves)
//!  └── guarded ─► group (only used)
//! ```

use std::net::{IpAddr, Ipv4Addr};

use serde::Serialize;

use crate::{Change, Holder, Id, Resource, Seen, Slot, State};

/// The address of every `eip`.
pub(crate) const EIP: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// The value of what is missed.
pub(crate) const PRECIOUS: u8 = 99;

/// One object. `value` can be updated, `shape` only replaced, `fixed` never changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Toy {
    pub kind: &'static str,
    pub what: String,
    pub value: u8,
    pub shape: u8,
    pub fixed: u8,
    pub adopted: Option<Id>,
    /// Only found: whether a member passes its check.
    pub serves: Option<bool>,
}

/// `lb/main`, `eip/main`, `lent/main`, `rule/80`, `listener/80`, `pool/80`, `monitor/80`, `member/80:7`, `group/main`, `guarded/80`.
pub(crate) fn toy(slot: &str) -> Toy {
    let kinds = ["lb", "eip", "lent", "rule", "listener", "pool", "monitor", "member", "group", "guarded"];
    let (kind, what) = slot.split_once('/').unwrap();
    Toy {
        kind: kinds.into_iter().find(|k| *k == kind).unwrap(),
        what: what.to_owned(),
        value: 0,
        shape: 0,
        fixed: 0,
        adopted: None,
        serves: None,
    }
}

impl Toy {
    pub fn value(self, value: u8) -> Self {
        Self { value, ..self }
    }

    pub fn shape(self, shape: u8) -> Self {
        Self { shape, ..self }
    }

    pub fn fixed(self, fixed: u8) -> Self {
        Self { fixed, ..self }
    }

    pub fn adopt(self, id: &str) -> Self {
        let adopted = Some(Id(id.to_owned()));
        Self { adopted, ..self }
    }

    /// As found, ours and ready, as old as its id says.
    pub fn seen(self, id: &str, parents: &[&str]) -> Seen<Self> {
        Seen {
            id: Id(id.to_owned()),
            resource: self,
            parents: parents.iter().map(|p| Id((*p).to_owned())).collect(),
            owned: true,
            created: id.to_owned(),
            state: State::Ready,
        }
    }
}

impl Resource for Toy {
    fn slot(&self) -> Slot {
        Slot::new(self.kind, &self.what)
    }

    fn parents(&self) -> Vec<Slot> {
        let port = self.what.split(':').next().unwrap();
        match self.kind {
            "lb" | "group" => vec![],
            "guarded" => vec![Slot::new("lb", "main"), Slot::new("group", "main")],
            "eip" | "lent" | "rule" | "listener" => vec![Slot::new("lb", "main")],
            "pool" => vec![Slot::new("listener", port)],
            _ => vec![Slot::new("pool", port)],
        }
    }

    fn place(&self) -> Vec<Slot> {
        let mut parents = self.parents();
        parents.retain(|parent| parent.kind() != "group");
        parents
    }

    fn change(&self, seen: &Self) -> Change {
        if self.fixed != seen.fixed {
            Change::Forbidden("the fixed field cannot change".into())
        } else if self.shape != seen.shape {
            Change::Replace("shape")
        } else if self.value != seen.value {
            Change::Update(vec!["value"])
        } else {
            Change::None
        }
    }

    fn addresses(&self) -> Vec<IpAddr> {
        if self.kind == "eip" { vec![EIP] } else { Vec::new() }
    }

    fn adopted(&self) -> Option<Id> {
        self.adopted.clone()
    }

    fn serves(&self) -> Option<bool> {
        self.serves
    }

    fn collides(&self, stranger: &Self) -> bool {
        self.kind == "listener" && self.slot() == stranger.slot()
    }

    fn holder(&self) -> Option<Holder> {
        (self.kind == "listener").then(|| Holder::Stranger(self.slot().to_string()))
    }

    fn has_natural_key(&self) -> bool {
        matches!(self.kind, "listener" | "member")
    }

    fn batch(&self) -> usize {
        if self.kind == "member" { 4 } else { 1 }
    }

    fn outlives_parents(&self) -> bool {
        self.kind == "eip"
    }

    fn irreplaceable(&self) -> Option<String> {
        (self.value == PRECIOUS).then(|| format!("{} is precious", self.kind))
    }

    fn replaces(&self, seen: &Self) -> bool {
        (self.kind, seen.kind) == ("lent", "eip")
    }

    fn moves(&self) -> bool {
        matches!(self.kind, "eip" | "rule")
    }
}

/// Repeatable random numbers (splitmix64).
pub(crate) struct Random(pub u64);

impl Random {
    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    /// True once in `n`.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

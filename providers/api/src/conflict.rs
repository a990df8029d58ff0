//! Places that only one owner can have, and who has them.

use std::fmt;

use serde::Serialize;

use crate::{Id, Owner, Slot};

/// A place that only one owner can have: a natural key under objects that several use, such as a port of a load
/// balancer that the user brought.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Claim {
    /// The objects that several use, in the order of [`Resource::parents`](crate::Resource::parents).
    pub on: Vec<Id>,
    /// The place under it.
    pub slot: Slot,
}

/// Who is in the way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Holder {
    /// Another owner, of this cluster or of another one.
    Owner(Owner),
    /// Something that bears no mark of ours: its kind, name and id, in words.
    Stranger(String),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner(owner) => write!(f, "{}/{}", owner.namespace, owner.name),
            Self::Stranger(words) => f.write_str(words),
        }
    }
}

/// Somebody else is in the way of a step; it is taken by itself when they are gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Conflict {
    /// What cannot be made, or not be deleted.
    pub slot: Slot,
    /// What it hangs on, or itself where it cannot be deleted.
    pub on: Id,
    /// Who is in the way.
    pub holder: Holder,
}

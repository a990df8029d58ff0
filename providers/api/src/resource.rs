//! One cloud object: as wished ([`Resource`]) and as found ([`Seen`]).

use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

use crate::Holder;

/// The place of an object in the model of one owner, `kind/what`, for instance `listener/TCP:80`.
///
/// It says what the object is *for* and is the same in every pass; the cloud's id is an [`Id`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Slot(String);

impl Slot {
    /// A slot of a kind. `what` is unique among the owner's objects of that kind.
    pub fn new(kind: &str, what: impl fmt::Display) -> Self {
        Self(format!("{kind}/{what}"))
    }

    /// The part before the first slash.
    pub fn kind(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id that the cloud gave to an object. We never make one up.
///
/// Unique among all objects of a provider: where a cloud numbers each kind by itself, put the kind in front.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Id(pub String);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One cloud object as wished: its slot, the slots that must exist before it, and its fields.
///
/// The same type describes an object as found, so it may have fields that only the cloud fills in;
/// [`Resource::change`] ignores those.
pub trait Resource: Clone + fmt::Debug + Serialize + Send + Sync + 'static {
    /// Which place in the model it takes.
    fn slot(&self) -> Slot;

    /// Objects that must be there before this one can be created.
    fn parents(&self) -> Vec<Slot> {
        Vec::new()
    }

    /// Of the parents those under which it has its place: a natural key holds below them, and where they change it is
    /// made anew unless it [`moves`](Self::moves). The others it only uses (a listener an address group): an update,
    /// asked for with `parents`, can make it use another.
    fn place(&self) -> Vec<Slot> {
        self.parents()
    }

    /// What must be done to `seen` so that it becomes `self`.
    fn change(&self, seen: &Self) -> Change;

    /// Found: the addresses that go back to the cloud when this object is deleted, and to somebody else perhaps.
    fn addresses(&self) -> Vec<IpAddr>;

    /// `Some` for an object that belongs to the user: it is looked up, used, and never changed or deleted.
    fn adopted(&self) -> Option<Id> {
        None
    }

    /// True where the cloud refuses a second object of the same key or answers "exists" (a member's address and
    /// port, a listener's port), so that repeating a create whose fate is unknown makes no duplicate.
    fn has_natural_key(&self) -> bool {
        false
    }

    /// Whether `stranger`, an object under the same parents that is not ours, takes the place of this one, so that it
    /// need not even be tried to create it.
    fn collides(&self, stranger: &Self) -> bool {
        let _ = stranger;
        false
    }

    /// For an object as found: whose it is, where it can be in the way of others. What is not ours and has a holder
    /// also keeps the object that it hangs on from being deleted.
    fn holder(&self) -> Option<Holder> {
        None
    }

    /// How many objects of this kind under the same parents one call can create, update or delete. "Not found" from
    /// a call for several counts as a failure, because it does not tell which; the next list does.
    fn batch(&self) -> usize {
        1
    }

    /// True for an object that cannot be deleted while its parent uses it (an EIP bound to a load balancer),
    /// so that the parent goes first. Usually children go first. It also outlives a parent that is replaced: the
    /// plan then asks to update its `parents` ([`Item::fields`](crate::Item::fields)), nothing else moves.
    fn outlives_parents(&self) -> bool {
        false
    }

    /// Found: whether clients are served by it now, by the cloud's own check; `None` where nobody can tell. While none of
    /// those that stay serves, those that do are deleted only after a minute.
    fn serves(&self) -> Option<bool> {
        None
    }

    /// Why this object is missed, for people (`the address 203.0.113.7 could not be had again`); `None` where another
    /// one does as well. Where the owner goes on without it, it is deleted only when the owner says so
    /// ([`ALLOW_INTERRUPTION`](crate::ALLOW_INTERRUPTION)), and so is what hangs on it: clients may still use it.
    fn irreplaceable(&self) -> Option<String> {
        None
    }

    /// Whether this does the work of `seen`, which has another slot, and takes its place: under a parent of both there
    /// is room for one of them only (an EIP at a load balancer). Making this puts `seen` out of service, so where that
    /// one is [`irreplaceable`](Self::irreplaceable) it waits for the owner's word, too. Nothing is deleted before what
    /// replaces it is there; after that nobody misses it.
    fn replaces(&self, seen: &Self) -> bool {
        let _ = seen;
        false
    }

    /// True where a call for it may have an effect that does not bear our mark (a binding, which the mark of the EIP
    /// announces): nothing is done about it while an earlier call may still take effect.
    fn waits_for_the_list(&self) -> bool {
        false
    }

    /// Found: what its deletion leaves in the cloud, at the owner's wish and for people and without its
    /// id (`EIP 203.0.113.7`): the object is only let go of. Our mark is taken off it, so that it is nobody's of ours any more.
    fn stays(&self) -> Option<String> {
        None
    }

    /// Found: the same, where another one has its place. One that was made twice by accident was never wished to stay.
    fn into_double(self) -> Self {
        self
    }

    /// True for an object that an update can hang on other parents (a DNAT rule, on another address), so that it need
    /// not be made anew: the plan asks to update its `parents`.
    fn moves(&self) -> bool {
        self.outlives_parents()
    }
}

/// The difference between an object as wished and as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// None.
    None,
    /// These fields are to be set; traffic goes on.
    Update(Vec<&'static str>),
    /// This field can only be had by deleting the object and creating it anew; traffic is interrupted.
    Replace(&'static str),
    /// This cannot be had without destroying what the user relies on; the text says what to do instead.
    Forbidden(String),
}

/// One cloud object as found.
#[derive(Clone, Debug, Serialize)]
pub struct Seen<R> {
    /// The cloud's id.
    pub id: Id,
    /// Its fields.
    pub resource: R,
    /// Ids of the objects it hangs on now, of each kind in [`Resource::parents`]; empty for what is unbound.
    pub parents: Vec<Id>,
    /// Bears our owner mark. What does not is never changed or deleted.
    pub owned: bool,
    /// Creation time in a form that sorts by age; the oldest of several wins.
    pub created: String,
    /// Whether it can be used.
    pub state: State,
}

/// Whether a cloud object can be used yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum State {
    /// It can.
    Ready,
    /// Not yet; the cloud's own word for it.
    Pending(String),
    /// Not, and waiting does not help; the cloud's own word for it.
    Failed(String),
}

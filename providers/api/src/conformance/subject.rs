//! What an author tells the kit, and what the kit asks of the author's test cloud.
//!
//! Implementations are test code: where the cloud itself cannot be reached they may panic.

use std::future::Future;
use std::time::Duration;

use crate::{Desired, Owner, Provider};

/// A kind of provider that can be tested.
pub trait Subject: Sync {
    /// Its test cloud.
    type Cloud: Cloud;

    /// What the cloud can be made to do and what the provider promises.
    fn facts(&self) -> Facts;

    /// A cloud with nothing in it, no fault and no lag. Those that are alive at one time (as many as
    /// [`Facts::concurrency`]) must not see each other's objects.
    fn empty_cloud(&self) -> impl Future<Output = Self::Cloud> + Send;

    /// Makes one of the kit's samples acceptable: options that the provider needs, addresses that the cloud knows.
    /// The owner, the ports and the number of backends must stay.
    fn fit(&self, sample: Desired) -> Desired {
        sample
    }

    /// Wishes that are wrong in the provider's own options, made from a right one. None: not checked.
    fn wrong(&self, sample: &Desired) -> Vec<Desired> {
        let _ = sample;
        Vec::new()
    }

    /// The wish to use an object that belongs to the user, by the id that [`Cloud::add_foreign`] gave. `None`: the
    /// provider has no adoption.
    fn adopting(&self, sample: &Desired, id: &str) -> Option<Desired> {
        let _ = (sample, id);
        None
    }

    /// The same, but with a port on which that object serves somebody else. `None`: cannot happen on this cloud.
    fn clashing(&self, sample: &Desired, id: &str) -> Option<Desired> {
        let _ = (sample, id);
        None
    }
}

/// One test cloud. Only what `provider` gives is under test; the rest sees the cloud as it is, at once and unhindered.
pub trait Cloud: Sync {
    /// What is tested.
    type Provider: Provider;

    /// The provider as a new process would make it: nothing is remembered from earlier ones.
    fn provider(&self) -> Self::Provider;

    /// The time on its clock, since some fixed moment.
    fn now(&self) -> Duration;

    /// Lets this much time pass on that clock. A virtual clock makes the kit fast.
    fn pause(&self, time: Duration) -> impl Future<Output = ()> + Send;

    /// The provider's calls since the last question, in their order, those that met a fault included.
    fn calls(&self) -> impl Future<Output = Vec<Call>> + Send;

    /// Everything that exists now, also what is not `owner`'s.
    fn objects(&self, owner: &Owner) -> impl Future<Output = Vec<Object>> + Send;

    /// Lets the `n`-th call from now on (from 1) go wrong, once. `None` takes back what has not happened yet; effects
    /// under way stay so. Only faults of [`Facts::faults`] are asked for.
    fn set_fault(&self, fault: Option<(usize, Fault)>) -> impl Future<Output = ()> + Send;

    /// From now on lists lag behind, or do not. Asked for only with [`Facts::list_lag`].
    fn set_lag(&self, on: bool) -> impl Future<Output = ()> + Send;

    /// Adds objects of somebody else, as like as can be to those that the provider makes for `like` (same names,
    /// other mark or none). Returns the id of the one that a user could ask to use; `None` where that cannot be had.
    fn add_foreign(&self, like: &Desired) -> impl Future<Output = Option<String>> + Send;
}

/// What the cloud can be made to do, and what the provider promises.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Longer than the cloud may still apply a call that was given up, plus the lag of its lists.
    pub settle: Duration,
    /// The faults that [`Cloud::set_fault`] knows.
    pub faults: Vec<Fault>,
    /// Whether [`Cloud::set_lag`] works.
    pub list_lag: bool,
    /// Two objects made this far apart can be told by age.
    pub age_resolution: Duration,
    /// Whether the provider can send traffic to pods without a node port.
    pub direct: bool,
    /// How many clouds the kit may use at one time.
    pub concurrency: usize,
    /// Most calls that the provider promises to need. `None`: not checked.
    pub budgets: Option<Budgets>,
}

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not applied, and the connection is lost.
    Before,
    /// It is applied, and the answer is lost.
    After,
    /// The connection is lost, and it is applied later, within [`Facts::settle`].
    Late,
    /// It is refused as one too many, in the cloud's own words for that.
    Throttle,
}

/// One call of the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Method and path, or the operation's name.
    pub name: String,
    /// It can change something.
    pub write: bool,
}

/// One object of the cloud.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// The cloud's word for what it is.
    pub kind: String,
    /// The cloud's id.
    pub id: String,
    /// It bears the mark of the owner that was asked for, itself or through what it is part of.
    pub ours: bool,
    /// All its fields; equal texts mean that nobody touched it. Not looked at where it is ours.
    pub content: String,
}

/// How many calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// That change nothing.
    pub reads: usize,
    /// That can change something.
    pub writes: usize,
}

/// Most calls for one port with three backends.
#[derive(Clone, Copy, Debug)]
pub struct Budgets {
    /// Until everything is there.
    pub create: Calls,
    /// For a pass that finds all as wished.
    pub steady: Calls,
    /// Until one backend more is there.
    pub add_backend: Calls,
    /// Until everything is gone.
    pub release: Calls,
}

//! Who may have an object of a rare kind: an IP address group, an EIP of the user's. Most Services never ask for one,
//! and would pay for the question in each pass.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferrolb_provider::Owner;

use super::Found;
use crate::resource::ElbResource;

/// For how long after it was last wished or seen one is looked for, though lists show none: longer than any cloud takes
/// to show what was made.
const WATCH: Duration = Duration::from_mins(10);

/// Whether to look for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Together with everything else.
    Now,
    /// Once it is known that the owner has anything: a new Service should not pay for the question.
    IfAny,
    /// There is none.
    No,
}

/// Who may have objects of one kind.
pub(crate) struct KindOwners {
    is_one: fn(&ElbResource) -> bool,
    /// By UID from when on a list without one is to be believed; `None` after such a list.
    known: Mutex<BTreeMap<String, Option<Duration>>>,
}

impl KindOwners {
    pub(crate) fn of(is_one: fn(&ElbResource) -> bool) -> Self {
        Self { is_one, known: Mutex::default() }
    }

    /// Whether `owner` may have one: it asks for it, it goes, or this process cannot know yet that there is none.
    pub(crate) fn may_have(&self, owner: &Owner, model: &[ElbResource]) -> Look {
        match self.known().get(&owner.uid) {
            _ if model.is_empty() || model.iter().any(self.is_one) => Look::Now,
            Some(Some(_)) => Look::Now,
            Some(None) => Look::No,
            None => Look::IfAny,
        }
    }

    /// Keeps in mind what was seen by whoever looked as [`KindOwners::may_have`] said.
    pub(crate) fn note(&self, owner: &Owner, model: &[ElbResource], seen: &[Found], now: Duration) {
        let mut known = self.known();
        let believed = known.get(&owner.uid).copied();
        if model.is_empty() {
            known.remove(&owner.uid);
        } else if model.iter().any(self.is_one) || seen.iter().any(|s| (self.is_one)(&s.resource)) {
            known.insert(owner.uid.clone(), Some(now + WATCH));
        } else if believed.flatten().is_some_and(|from| now >= from)
            || believed.is_none() && seen.iter().any(|s| s.owned)
        {
            known.insert(owner.uid.clone(), None);
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Option<Duration>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use ferrolb_provider::{Id, State};

    use super::*;
    use crate::resource::IpGroup;

    #[test]
    fn a_group_is_looked_for_until_it_is_certain_that_there_is_none() {
        let owners = KindOwners::of(|r| matches!(r, ElbResource::IpGroup(_)));
        let owner = Owner { cluster: "c".into(), uid: "u".into(), namespace: "n".into(), name: "s".into() };
        let other = [ElbResource::LoadBalancer(Default::default())];
        let group = [ElbResource::IpGroup(IpGroup::default())];
        let at = Duration::from_secs;
        let one = [ElbResource::LoadBalancer(Default::default())].map(|resource| Found {
            id: Id("lb".into()),
            resource,
            parents: Vec::new(),
            owned: true,
            created: String::new(),
            state: State::Ready,
        });
        owners.note(&owner, &other, &[], at(0));
        assert_eq!(owners.may_have(&owner, &other), Look::IfAny, "an earlier process may have made one");
        owners.note(&owner, &other, &one, at(1));
        assert_eq!(owners.may_have(&owner, &other), Look::No);
        assert_eq!(owners.may_have(&owner, &group), Look::Now);
        assert_eq!(owners.may_have(&owner, &[]), Look::Now);
        owners.note(&owner, &group, &one, at(3));
        owners.note(&owner, &other, &one, at(4));
        assert_eq!(owners.may_have(&owner, &other), Look::Now, "it may show late");
        // For ten minutes nobody could look (simulator, seeds 2384 and 2562): it may still be there.
        owners.note(&owner, &group, &one, at(5));
        assert_eq!(owners.may_have(&owner, &other), Look::Now);
        owners.note(&owner, &other, &one, at(700));
        assert_eq!(owners.may_have(&owner, &other), Look::No);
    }
}

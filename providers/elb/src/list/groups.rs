//! Who may have an IP address group. Most Services never ask for one, and would pay for the question with a call in
//! each pass.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferrolb_provider::Owner;

use super::Found;
use crate::resource::ElbResource;

/// How long one is looked for after it was last wished or seen: longer than any cloud takes to show what was made.
const WATCH: Duration = Duration::from_mins(10);

/// Whether to look for a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Together with everything else.
    Now,
    /// Once it is known that the owner has anything: a new Service should not pay for the question.
    IfAny,
    /// There is none.
    No,
}

/// By UID until when a group is looked for.
#[derive(Default)]
pub(crate) struct GroupOwners(Mutex<BTreeMap<String, Duration>>);

impl GroupOwners {
    /// Whether `owner` may have one: it asks for it, it goes, or this process cannot know yet that there is none.
    pub(crate) fn may_have(&self, owner: &Owner, model: &[ElbResource], now: Duration) -> Look {
        match self.until().get(&owner.uid) {
            _ if model.is_empty() || asks(model) => Look::Now,
            Some(until) if now < *until => Look::Now,
            Some(_) => Look::No,
            None => Look::IfAny,
        }
    }

    /// Keeps in mind what was seen.
    pub(crate) fn note(&self, owner: &Owner, model: &[ElbResource], seen: &[Found], now: Duration) {
        if model.is_empty() {
            self.until().remove(&owner.uid);
        } else if asks(model) || seen.iter().any(|s| matches!(s.resource, ElbResource::IpGroup(_))) {
            self.until().insert(owner.uid.clone(), now + WATCH);
        } else if seen.iter().any(|s| s.owned) {
            self.until().entry(owner.uid.clone()).or_insert(now);
        }
    }

    fn until(&self) -> MutexGuard<'_, BTreeMap<String, Duration>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn asks(model: &[ElbResource]) -> bool {
    model.iter().any(|r| matches!(r, ElbResource::IpGroup(_)))
}

#[cfg(test)]
mod tests {
    use ferrolb_provider::{Id, State};

    use super::*;
    use crate::resource::IpGroup;

    #[test]
    fn a_group_is_looked_for_until_it_is_certain_that_there_is_none() {
        let owners = GroupOwners::default();
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
        assert_eq!(owners.may_have(&owner, &other, at(1)), Look::IfAny, "an earlier process may have made one");
        owners.note(&owner, &other, &one, at(1));
        assert_eq!(owners.may_have(&owner, &other, at(2)), Look::No);
        assert_eq!(owners.may_have(&owner, &group, at(3)), Look::Now);
        assert_eq!(owners.may_have(&owner, &[], at(3)), Look::Now);
        owners.note(&owner, &group, &one, at(3));
        owners.note(&owner, &other, &one, at(4));
        assert_eq!(owners.may_have(&owner, &other, at(5)), Look::Now, "it may show late");
        assert_eq!(owners.may_have(&owner, &other, at(604)), Look::No);
    }
}

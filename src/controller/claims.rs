//! Places that only one Service can have, such as a port of a load balancer that several share: who asked first, and
//! who waits for whom.
//!
//! The cloud decides who *has* a place, since it refuses a second object there; this table decides only who may try
//! where nobody has it, so that it is the same one after a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ferrolb_core::Key;
use ferrolb_provider::{Claim, Conflict, Holder, Owner, Slot};
use k8s_openapi::api::core::v1::Service;

/// The table.
#[derive(Default)]
pub struct Claims(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    asked: BTreeMap<Claim, BTreeSet<Claimant>>,
    /// By the one that is waited for.
    waiting: BTreeMap<Key, BTreeSet<Key>>,
}

/// Sorted by who comes first: creation time, then UID.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Claimant {
    since: String,
    uid: String,
    owner: Owner,
}

impl Claims {
    /// Notes that `owner`, made at `since`, asks for these places and no others; returns those with an elder claimant.
    pub fn ask(&self, owner: &Owner, since: String, claims: &[Claim]) -> BTreeMap<Slot, Owner> {
        let mut inner = self.lock();
        inner.drop_claims(owner);
        let claimant = Claimant { since, uid: owner.uid.clone(), owner: owner.clone() };
        let mut elders = BTreeMap::new();
        for claim in claims {
            let all = inner.asked.entry(claim.clone()).or_default();
            if let Some(elder) = all.first().filter(|first| **first < claimant) {
                elders.insert(claim.slot.clone(), elder.owner.clone());
            }
            all.insert(claimant.clone());
        }
        elders
    }

    /// Notes whom the Service waits for, if anybody in `cluster`.
    pub fn wait(&self, key: &Key, cluster: &str, conflicts: &[Conflict]) {
        for conflict in conflicts {
            if let Holder::Owner(owner) = &conflict.holder
                && owner.cluster == cluster
            {
                let holder = Key::new(&owner.namespace, &owner.name);
                self.lock().waiting.entry(holder).or_default().insert(key.clone());
            }
        }
    }

    /// Those that wait for the Service, which may have left what they wait for. They wait no longer: a look of theirs
    /// notes them anew.
    pub fn waiting_for(&self, key: &Key) -> BTreeSet<Key> {
        self.lock().waiting.remove(key).unwrap_or_default()
    }

    /// Forgets what the Service asked for.
    pub fn forget(&self, key: &Key) {
        self.lock().drop_where(|owner| owner.namespace == key.namespace && owner.name == key.name);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn drop_claims(&mut self, owner: &Owner) {
        self.drop_where(|other| other.cluster == owner.cluster && other.uid == owner.uid);
    }

    fn drop_where(&mut self, gone: impl Fn(&Owner) -> bool) {
        self.asked.retain(|_, all| {
            all.retain(|claimant| !gone(&claimant.owner));
            !all.is_empty()
        });
    }
}

/// When a Service was made, in a form that sorts.
pub fn since(service: &Service) -> String {
    service.metadata.creation_timestamp.as_ref().map(|time| time.0.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferrolb_provider::Id;

    fn owner(name: &str) -> Owner {
        Owner { cluster: "c".into(), uid: format!("uid-{name}"), namespace: "n".into(), name: name.into() }
    }

    fn claim(port: u16) -> Claim {
        Claim { on: vec![Id("lb".into())], slot: Slot::new("listener", port) }
    }

    #[test]
    fn whoever_is_older_comes_first_whenever_it_asks() {
        let claims = Claims::default();
        let ask = |name: &str, since: &str| claims.ask(&owner(name), since.into(), &[claim(80)]);
        assert!(ask("young", "2026-01-02").is_empty(), "nobody else has asked yet");
        assert!(ask("old", "2026-01-01").is_empty());
        assert_eq!(ask("young", "2026-01-02").into_values().collect::<Vec<_>>(), [owner("old")]);
        assert_eq!(ask("twin", "2026-01-01").into_values().collect::<Vec<_>>(), [owner("old")], "then the UID");
        claims.forget(&Key::new("n", "old"));
        assert_eq!(ask("young", "2026-01-02").into_values().collect::<Vec<_>>(), [owner("twin")]);
        assert!(claims.ask(&owner("twin"), "2026-01-01".into(), &[claim(81)]).is_empty());
        assert!(ask("young", "2026-01-02").is_empty(), "the other one asks for another port now");
    }

    #[test]
    fn who_waits_is_told_once() {
        let claims = Claims::default();
        let (key, holder) = (Key::new("n", "late"), Key::new("n", "early"));
        let conflict = |holder| Conflict { slot: claim(80).slot, on: Id("lb".into()), holder };
        let conflicts = [conflict(Holder::Owner(owner("early"))), conflict(Holder::Stranger("listener 1".into()))];
        claims.wait(&key, "elsewhere", &conflicts);
        assert!(claims.waiting_for(&holder).is_empty(), "a Service of that name in another cluster");
        claims.wait(&key, "c", &conflicts);
        assert_eq!(claims.waiting_for(&holder), BTreeSet::from([key]));
        assert!(claims.waiting_for(&holder).is_empty());
    }
}

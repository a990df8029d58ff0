//! One cloud and the controller that drives it: passes, rests between them, deaths, and what must hold in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::mortal::{Fate, Mortal};
use super::subject::{Calls, Cloud, Facts, Object, Subject};
use crate::{Desired, Engine, Host, Outcome, Owner, RetryClass, Wait};

/// After so many passes it is clear that there is no end.
const PASSES: usize = 60;

/// What all cases have in common.
pub(super) struct Kit<'a, S> {
    pub subject: &'a S,
    pub facts: Facts,
}

/// A controller beside which there is no other, on the cloud's time.
struct Leader<'a, C>(&'a C);

impl<C: Cloud> Host for Leader<'_, C> {
    fn now(&self) -> Duration {
        self.0.now()
    }

    fn may_write(&self) -> bool {
        true
    }
}

/// What is to become of an owner.
#[derive(Clone, Copy)]
pub(super) enum Wish<'a> {
    Have(&'a Desired),
    Gone(&'a Owner),
}

/// How many objects of each kind an owner has.
pub(super) type Shape = BTreeMap<String, usize>;

/// The life of one cloud.
pub(super) struct Life<'a, S: Subject> {
    kit: &'a Kit<'a, S>,
    pub cloud: S::Cloud,
    pub fate: Fate,
    engine: Engine<Mortal<<S::Cloud as Cloud>::Provider>>,
    /// The addresses that a user was told.
    told: BTreeMap<Owner, BTreeSet<IpAddr>>,
    /// What passes died of or which calls failed in them.
    pub hurts: Vec<String>,
    /// There must never be more of a kind than this, not even for a while.
    pub at_most: Option<Shape>,
}

impl<'a, S: Subject> Life<'a, S> {
    /// The first process on an empty cloud.
    pub async fn begin(kit: &'a Kit<'a, S>) -> Self {
        let cloud = kit.subject.empty_cloud().await;
        let (fate, engine) = process(kit, &cloud);
        Self { kit, cloud, fate, engine, told: BTreeMap::new(), hurts: Vec::new(), at_most: None }
    }

    /// The next process, which remembers nothing.
    pub fn restart(&mut self) {
        (self.fate, self.engine) = process(self.kit, &self.cloud);
    }

    /// Says that the owner was written down by this process a moment ago.
    pub fn first_seen(&self, owner: &Owner) {
        self.engine.first_seen(owner);
    }

    /// The provider under test.
    pub fn provider(&self) -> &<S::Cloud as Cloud>::Provider {
        &self.engine.provider().inner
    }

    /// One pass. `None`: the process died in it.
    pub async fn pass(&mut self, wish: Wish<'_>) -> Option<Outcome> {
        let host = Leader(&self.cloud);
        let outcome = match wish {
            Wish::Have(want) => self.fate.outlive(self.engine.reconcile(want, &host)).await,
            Wish::Gone(owner) => self.fate.outlive(self.engine.release(owner, &host)).await,
        };
        match &outcome {
            Some(outcome) => self.hurts.extend(outcome.failures.iter().map(|f| f.error.to_string())),
            None => self.hurts.push("the process died".to_owned()),
        }
        outcome
    }

    /// Passes until the cloud is as wished and that is certain. Another process takes over from one that dies.
    pub async fn live(&mut self, wish: Wish<'_>) -> Result<Outcome, String> {
        let gone = matches!(wish, Wish::Gone(_));
        self.passes(wish, |outcome| outcome.settled && (gone || outcome.look_again.is_none())).await
    }

    /// Passes until the cloud is as wished, for all that one can see.
    pub async fn settle(&mut self, wish: Wish<'_>) -> Result<Outcome, String> {
        self.passes(wish, |outcome| outcome.settled).await
    }

    async fn passes(&mut self, wish: Wish<'_>, done: impl Fn(&Outcome) -> bool) -> Result<Outcome, String> {
        let mut last = String::new();
        let owner = match wish {
            Wish::Have(want) => &want.owner,
            Wish::Gone(owner) => owner,
        };
        for _ in 0..PASSES {
            self.not_too_many(owner).await?;
            let Some(outcome) = self.pass(wish).await else {
                self.restart();
                continue;
            };
            if let Some(problem) = outcome.problems.first() {
                return Err(format!("a right wish is refused: {problem}"));
            }
            if matches!(wish, Wish::Have(_)) {
                self.hear(owner, &outcome)?;
            }
            if done(&outcome) {
                return Ok(outcome);
            }
            last = words(&outcome);
            self.rest(&outcome).await;
        }
        Err(format!("does not come to rest: {last}"))
    }

    /// A second object in a first one's place is a second bill, and maybe a second address.
    async fn not_too_many(&self, owner: &Owner) -> Result<(), String> {
        let Some(most) = &self.at_most else { return Ok(()) };
        let is = self.shape(owner).await;
        match is.iter().find(|(kind, count)| most.get(*kind).is_none_or(|most| *count > most)) {
            Some((kind, count)) => Err(format!("for a while there are {count} {kind}, more than are wished")),
            None => Ok(()),
        }
    }

    /// An address that a user was told stays.
    fn hear(&mut self, owner: &Owner, outcome: &Outcome) -> Result<(), String> {
        let addresses: BTreeSet<IpAddr> =
            outcome.serving.iter().flat_map(|s| &s.addresses).map(|address| address.ip).collect();
        let told = self.told.entry(owner.clone()).or_default();
        if !addresses.is_empty() {
            if !told.is_subset(&addresses) {
                return Err(format!("the address changed under the user, from {told:?} to {addresses:?}"));
            }
            *told = addresses;
        }
        Ok(())
    }

    /// Lets time pass until a pass makes sense again, by what the outcome says.
    async fn rest(&self, outcome: &Outcome) {
        let now = self.cloud.now();
        let soon = self.soon();
        let mut pauses: Vec<Duration> = outcome.look_again.iter().map(|at| at.saturating_sub(now)).collect();
        if !outcome.settled {
            pauses.extend(outcome.waits.iter().map(|w| w.until.map_or(soon, |at| at.saturating_sub(now))));
            pauses.extend(outcome.retry().map(|class| match class {
                RetryClass::Ambiguous => self.kit.facts.settle,
                RetryClass::Throttled => outcome.retry_after().unwrap_or(soon),
                _ => soon,
            }));
        }
        self.cloud.pause(pauses.into_iter().min().unwrap_or(soon).max(Duration::from_millis(1))).await;
    }

    /// When to ask again for something that just takes a while.
    fn soon(&self) -> Duration {
        self.kit.facts.settle / 16
    }

    /// Calls since the last question.
    pub async fn count(&self) -> Calls {
        let calls = self.cloud.calls().await;
        let writes = calls.iter().filter(|c| c.write).count();
        Calls { reads: calls.len() - writes, writes }
    }

    /// What is there of an owner.
    pub async fn shape(&self, owner: &Owner) -> Shape {
        let mut shape = Shape::new();
        for object in self.cloud.objects(owner).await.into_iter().filter(|o| o.ours) {
            *shape.entry(object.kind).or_default() += 1;
        }
        shape
    }

    /// What is there and not this owner's.
    pub async fn strangers(&self, owner: &Owner) -> BTreeSet<Object> {
        self.cloud.objects(owner).await.into_iter().filter(|o| !o.ours).collect()
    }

    /// Ids of what is there of an owner.
    pub async fn ids(&self, owner: &Owner) -> BTreeSet<String> {
        self.cloud.objects(owner).await.into_iter().filter(|o| o.ours).map(|o| o.id).collect()
    }

    /// After everything late must have come, another process finds nothing to do, and there is neither less nor more
    /// than a creation without trouble makes.
    pub async fn at_rest(&mut self, want: &Desired, shape: &Shape) -> Result<(), String> {
        self.cloud.set_fault(None).await;
        self.cloud.pause(self.kit.facts.settle).await;
        let is = self.shape(&want.owner).await;
        if is != *shape {
            return Err(format!("there is {is:?} instead of {shape:?}"));
        }
        self.restart();
        self.count().await;
        let outcome = self.pass(Wish::Have(want)).await.ok_or("died")?;
        self.hear(&want.owner, &outcome)?;
        let writes = self.count().await.writes;
        if writes > 0 || !outcome.settled {
            return Err(format!("a further pass makes {writes} writes: {}", words(&outcome)));
        }
        Ok(())
    }

    /// After everything late must have come, nothing of the owner is there.
    pub async fn nothing_left(&mut self, owner: &Owner) -> Result<(), String> {
        self.cloud.set_fault(None).await;
        self.cloud.pause(self.kit.facts.settle).await;
        self.told.remove(owner);
        let left = self.shape(owner).await;
        if left.is_empty() { Ok(()) } else { Err(format!("leaked {left:?}")) }
    }

    /// What was not this owner's is as it was, and no more came.
    pub async fn untouched(&self, owner: &Owner, before: &BTreeSet<Object>) -> Result<(), String> {
        let after = self.strangers(owner).await;
        let known: BTreeSet<&String> = before.iter().map(|o| &o.id).collect();
        if let Some(new) = after.iter().find(|o| !known.contains(&o.id)) {
            return Err(format!("{} {} bears no mark of its owner", new.kind, new.id));
        }
        match before.iter().find(|o| !after.contains(o)) {
            Some(lost) => Err(format!("{} {} is not the owner's and was touched", lost.kind, lost.id)),
            None => Ok(()),
        }
    }
}

fn process<S: Subject>(kit: &Kit<'_, S>, cloud: &S::Cloud) -> (Fate, Engine<Mortal<<S::Cloud as Cloud>::Provider>>) {
    let fate = Fate::default();
    let mortal = Mortal { inner: cloud.provider(), fate: fate.clone() };
    (fate, Engine::new(mortal, kit.facts.settle, cloud.now()))
}

/// What a pass did and lacks.
pub(super) fn words(outcome: &Outcome) -> String {
    let failures = outcome.failures.iter().map(|f| f.error.to_string());
    let waits = outcome.waits.iter().map(|Wait { slot, reason, .. }| format!("{slot} waits: {reason}"));
    let left = outcome.remaining.iter().map(|slot| format!("{slot} is still there"));
    let said: Vec<String> = outcome.applied.iter().cloned().chain(failures).chain(waits).chain(left).collect();
    if said.is_empty() { "nothing is said".to_owned() } else { said.join("; ") }
}

//! The one loop for every backend: model → list → plan → apply → status, and the protocol that leaks nothing.
//!
//! A cloud has no idempotency tokens, so a create whose answer is lost may have made an object, or may make it a
//! little later. Hence, besides the owner mark in every create and the list before it:
//!
//! * after an ambiguous answer, and for every owner after a start, nothing is created before the *settle time* is
//!   over, because the list does not yet tell the truth (objects with a natural key are exempt);
//! * what this process created, changed or deleted lies over the list until the list must show it;
//! * a release is complete only when a list begun after the settle time shows nothing.
//!
//! ≠ vendor branches, sleeping, retries: the caller decides when to call again, from the [`Outcome`].

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::memory::{Effect, Memory};
use crate::outcome::{Failure, Wait};
use crate::plan::goes_before;
use crate::{
    ALLOW_INTERRUPTION, Claim, Conflict, Desired, Detail, Holder, Id, Item, Model, Outcome, Owner, Plan, Problem,
    Provider, ProviderError, Resource, Seen, Slot, State, Step, Verb, plan,
};

/// What the engine asks of the process that runs it.
pub trait Host: Send + Sync {
    /// Time since some fixed moment; never goes back.
    fn now(&self) -> Duration;

    /// Whether a call that starts now and takes its full deadline is still ours to make (leadership).
    fn may_write(&self) -> bool;

    /// Notes that `owner` asks for these places, and for no others any more. Returns those that somebody else asked
    /// for before: they are left to them unless `owner` has them already.
    fn claim(&self, owner: &Owner, claims: &[Claim]) -> BTreeMap<Slot, Owner> {
        let _ = (owner, claims);
        BTreeMap::new()
    }
}

/// So long those that serve are kept while their successors do not: several rounds of a usual health check. Successors
/// that never serve must not keep a node for ever that is to leave the cluster.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs one provider. Passes for one owner must not overlap; those for different owners may.
pub struct Engine<P: Provider> {
    provider: P,
    settle: Duration,
    began: Duration,
    memory: Mutex<Memories<P::Resource>>,
}

/// By cluster and UID: names do not identify, and a mark may not hold them.
type Memories<R> = BTreeMap<(String, String), Memory<R>>;

impl<P: Provider> Engine<P> {
    /// `settle` must exceed the time in which the cloud may still apply a call that was given up, plus the lag of
    /// its lists. `began` is when this process became the one that may write ([`Host::now`]).
    pub fn new(provider: P, settle: Duration, began: Duration) -> Self {
        Self { provider, settle, began, memory: Mutex::new(BTreeMap::new()) }
    }

    /// The provider itself.
    pub fn provider(&self) -> &P {
        &self.provider
    }

    /// Says that `owner` was first written down by this very process a moment ago, so that no call of an earlier
    /// process can be in flight and the settle time after a start need not be waited for.
    pub fn first_seen(&self, owner: &Owner) {
        self.memory().entry(identity(owner)).or_default();
    }

    /// One pass that makes the cloud as `want` says.
    pub async fn reconcile(&self, want: &Desired, host: &dyn Host) -> Outcome {
        match self.provider.model(want) {
            Err(problems) => Outcome { problems, ..Outcome::default() },
            Ok(Model { resources, warnings }) => {
                let elders = host.claim(&want.owner, &claims(&resources));
                let mut outcome = self.pass(&want.owner, &resources, Some(want), elders, host).await;
                outcome.warnings.splice(0..0, warnings);
                outcome
            }
        }
    }

    /// One pass that deletes everything of `owner`. Complete when [`Outcome::settled`].
    pub async fn release(&self, owner: &Owner, host: &dyn Host) -> Outcome {
        let mut outcome = self.pass(owner, &[], None, BTreeMap::new(), host).await;
        if !host.may_write() {
            // Whoever may write now could have a call in flight that we know nothing of.
            outcome.permit_lost = true;
            outcome.settled = false;
        }
        // The memory stays until the list must show what was deleted: the owner may want a load balancer again.
        self.prune(host.now());
        outcome
    }

    /// Forgets what makes no difference any more.
    fn prune(&self, now: Duration) {
        if now >= self.began + self.settle {
            self.memory().retain(|_, memory| !memory.is_idle(now));
        }
    }

    /// The plan for `want`, without carrying it out.
    ///
    /// # Errors
    /// Problems of the input, or the failure of the list call.
    pub async fn plan(&self, want: &Desired) -> Result<Plan<P::Resource>, Result<Vec<Problem>, ProviderError>> {
        let model = self.provider.model(want).map_err(Ok)?;
        let seen = self.provider.list(&want.owner, &model.resources).await.map_err(Err)?;
        Ok(plan(&model.resources, &seen))
    }

    async fn pass(
        &self,
        owner: &Owner,
        model: &[P::Resource],
        want: Option<&Desired>,
        elders: BTreeMap<Slot, Owner>,
        host: &dyn Host,
    ) -> Outcome {
        // Not the moment of the answer: what took effect in between is not in it.
        let listed_at = host.now();
        self.with_memory(owner, |m| m.open(listed_at, self.settle));
        let seen = match self.provider.list(owner, model).await {
            Ok(seen) => seen,
            Err(error) => return Outcome::failed(error),
        };
        let seen = self.with_memory(owner, |m| m.overlay(seen, listed_at));
        let mut plan = plan(model, &seen);
        if want.is_none_or(Desired::allows_interruption) {
            plan.steps.append(&mut plan.held);
        }
        let warnings = held(&plan.held);
        let given_back = |steps: &[Step<P::Resource>]| -> BTreeSet<IpAddr> {
            steps.iter().filter(|step| step.verb == Verb::Delete).flat_map(addresses).collect()
        };
        let going = given_back(&plan.steps);
        let published = want.map(|want| want.published.as_slice()).unwrap_or_default();
        let withdrawn = published.iter().any(|address| going.contains(address));
        let mut run = Run {
            engine: self,
            owner,
            elders,
            listed_at,
            live: seen.into_iter().map(|s| (s.id.clone(), s)).collect(),
            present: plan.kept,
            undeleted: Vec::new(),
            held_groups: BTreeSet::new(),
            swapping: false,
            blocked: BTreeSet::new(),
            unmade: Vec::new(),
            // What is only held is not promised any more either.
            unpromised: going.into_iter().chain(unserved(&plan.held)).collect(),
            outcome: Outcome { problems: plan.refusals, warnings, withdrawn, ..Outcome::default() },
        };
        for (slot, id) in plan.missing {
            run.outcome.problems.push(Problem {
                option: slot.to_string(),
                at: String::new(),
                message: format!("{id} does not exist"),
                valid: "name one that exists in this project and region".to_owned(),
            });
        }
        for step in plan.steps {
            if run.step(step, host).await.is_break() {
                break;
            }
        }
        run.finish(model)
    }

    fn memory(&self) -> MutexGuard<'_, Memories<P::Resource>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_memory<T>(&self, owner: &Owner, f: impl FnOnce(&mut Memory<P::Resource>) -> T) -> T {
        f(self.memory().entry(identity(owner)).or_insert_with(|| Memory::since(self.began + self.settle)))
    }
}

fn identity(owner: &Owner) -> (String, String) {
    (owner.cluster.clone(), owner.uid.clone())
}

/// The state of one pass while its steps are carried out.
struct Run<'a, P: Provider> {
    engine: &'a Engine<P>,
    owner: &'a Owner,
    /// Who asked before for places that the owner asks for.
    elders: BTreeMap<Slot, Owner>,
    /// When the list was asked for.
    listed_at: Duration,
    /// Everything known to exist.
    live: BTreeMap<Id, Seen<P::Resource>>,
    /// What takes which slot.
    present: BTreeMap<Slot, Seen<P::Resource>>,
    /// Objects that should have gone and did not: what must go after them, or take their place, waits.
    undeleted: Vec<Seen<P::Resource>>,
    /// Kinds and parents of which a create or update failed or had to wait: nothing of them is deleted, so that a
    /// pool does not lose its old members before it has the new ones.
    held_groups: BTreeSet<(String, Vec<Slot>)>,
    /// Something that serves is kept for its successors.
    swapping: bool,
    /// What waits for something else.
    blocked: BTreeSet<Slot>,
    /// What could not be made or changed: what it replaces stays.
    unmade: Vec<P::Resource>,
    /// The addresses of what is asked for no longer.
    unpromised: BTreeSet<IpAddr>,
    outcome: Outcome,
}

impl<P: Provider> Run<'_, P> {
    async fn step(&mut self, mut step: Step<P::Resource>, host: &dyn Host) -> std::ops::ControlFlow<()> {
        use std::ops::ControlFlow::{Break, Continue};
        // What takes the place of something puts it out of service.
        if self.outcome.withdrawn && (step.verb == Verb::Delete || step.interrupts) {
            self.wait(step.items[0].slot.clone(), "clients are to be told first that its address is gone");
            self.hold(step);
            return Continue(());
        }
        if !self.may_go(&mut step) || self.in_conflict(&step) || self.awaits_successors(&step) {
            self.hold(step);
            return Continue(());
        }
        if !host.may_write() {
            self.outcome.permit_lost = true;
            return Break(());
        }
        self.engine.with_memory(self.owner, Memory::begin_write);
        let answer = self.engine.provider.apply(self.owner, &step).await;
        let until = host.now() + self.engine.settle;
        self.outcome.writes += 1;
        self.outcome.vacated |= step.verb != Verb::Create;
        let effect = match &answer {
            Ok(_) => Effect::Known,
            Err(ProviderError::Ambiguous(_)) => Effect::Unknown,
            Err(_) => Effect::None,
        };
        self.engine.with_memory(self.owner, |m| m.end_write(until, effect));
        match answer {
            Ok(objects) => {
                self.outcome.applied.push(step.to_string());
                self.succeeded(&step, objects, until);
                Continue(())
            }
            // Of several, it may be one that is gone and the others that are not.
            Err(ProviderError::NotFound(_)) if step.verb == Verb::Delete && step.items.len() == 1 => {
                self.vanished(&step, until);
                Continue(())
            }
            Err(error) => {
                let stop = matches!(error, ProviderError::Throttled { .. } | ProviderError::Denied(_));
                self.failed(step, error, until);
                if stop { Break(()) } else { Continue(()) }
            }
        }
    }

    /// Whether everything that the step needs is in place; fills in its parents.
    fn may_go(&mut self, step: &mut Step<P::Resource>) -> bool {
        let first = &step.items[0];
        let until = self.engine.with_memory(self.owner, |m| m.settle_until());
        let is_early = self.listed_at < until;
        if is_early && first.resource.waits_for_the_list() {
            self.wait_until(first.slot.clone(), until, "nothing is done about it");
            return false;
        }
        if step.verb == Verb::Delete {
            let has_heir_to_come = |s: &Seen<P::Resource>| self.unmade.iter().any(|heir| heir.replaces(&s.resource));
            if step.items.iter().filter_map(|i| i.seen.as_ref()).any(has_heir_to_come) {
                return false;
            }
            // What could not be moved away still hangs on it.
            let is_stuck = |o: &Seen<P::Resource>| o.owned && self.blocked.contains(&o.resource.slot());
            let mut left = self.live.values().filter(|o| is_stuck(o)).flat_map(|o| &o.parents);
            if left.any(|id| step.items.iter().filter_map(|i| i.seen.as_ref()).any(|s| s.id == *id)) {
                return false;
            }
            let is_replaced = |i: &Item<P::Resource>| self.present.contains_key(&i.slot);
            return (group(first).is_none_or(|group| !self.held_groups.contains(&group))
                || step.items.iter().all(is_replaced))
                && !step
                    .items
                    .iter()
                    .filter_map(|i| i.seen.as_ref())
                    .any(|s| self.undeleted.iter().any(|other| goes_before(other, s)));
        }
        for slot in first.resource.parents() {
            match self.present.get(&slot) {
                Some(parent) if parent.state == State::Ready => step.parents.push(parent.clone()),
                _ => return false,
            }
        }
        if step.verb == Verb::Update {
            return true;
        }
        let old_is_there = |i: &Item<P::Resource>| {
            let mut old = self.undeleted.iter();
            old.any(|s| s.resource.slot() == i.slot)
        };
        if step.items.iter().any(old_is_there) {
            return false;
        }
        if is_early && !first.resource.has_natural_key() {
            self.wait_until(first.slot.clone(), until, "nothing is created");
            return false;
        }
        true
    }

    /// Whether the step deletes what serves while nothing of what stays in its place serves yet.
    fn awaits_successors(&mut self, step: &Step<P::Resource>) -> bool {
        let Some(group) = group(&step.items[0]).filter(|_| step.verb == Verb::Delete) else { return false };
        let is_peer = |s: &&Seen<P::Resource>| (s.resource.slot().kind().to_owned(), s.resource.parents()) == group;
        let mut stay = self.present.values().filter(is_peer).peekable();
        let any = stay.peek().is_some();
        if !any || stay.any(|s| s.resource.serves() == Some(true)) {
            return false;
        }
        if !step.items.iter().any(|i| i.resource.serves() == Some(true)) {
            return false;
        }
        let until = self.engine.with_memory(self.owner, |m| m.swap_until(self.listed_at, PATIENCE));
        let waits = self.listed_at < until;
        if waits {
            self.swapping = true;
            self.wait(step.items[0].slot.clone(), "nothing that stays in its place passes its health check yet");
        }
        waits
    }

    /// Notes what cannot be done yet. The cause is told where it arose.
    fn hold(&mut self, step: Step<P::Resource>) {
        self.blocked.extend(step.items.iter().map(|i| i.slot.clone()));
        if step.verb == Verb::Delete {
            self.undeleted.extend(step.items.into_iter().filter_map(|i| i.seen));
        } else {
            self.held_groups.extend(group(&step.items[0]));
            self.unmade.extend(step.items.into_iter().map(|i| i.resource));
        }
    }

    /// Notes who is in the way of the step, if anybody is: nothing is tried that the cloud would refuse, and nothing
    /// is deleted under what somebody else has hung on it.
    fn in_conflict(&mut self, step: &Step<P::Resource>) -> bool {
        let before = self.outcome.conflicts.len();
        for item in &step.items {
            let found = match (step.verb, &item.seen) {
                (Verb::Create, _) => self.taken(item, &step.parents),
                // It moves to where another one may be.
                (Verb::Update, _) if item.fields.contains(&"parents") => self.taken(item, &step.parents),
                // Nothing happens to those who use what stays.
                (Verb::Delete, Some(seen)) if seen.resource.stays().is_none() => {
                    self.strangers(&seen.id).next().map(|(_, holder)| (seen.id.clone(), holder))
                }
                _ => None,
            };
            let slot = item.slot.clone();
            self.outcome.conflicts.extend(found.map(|(on, holder)| Conflict { slot, on, holder }));
        }
        self.outcome.conflicts.len() > before
    }

    /// Who has the place under `parents` in which the item is to be created, or asked for it before.
    fn taken(&self, item: &Item<P::Resource>, parents: &[Seen<P::Resource>]) -> Option<(Id, Holder)> {
        let on = &parents.first()?.id;
        let taker = self.strangers(on).find(|(stranger, _)| item.resource.collides(stranger));
        let elder = || self.elders.get(&item.slot).cloned().map(Holder::Owner);
        let holder = taker.map(|(_, holder)| holder).or_else(elder)?;
        Some((on.clone(), holder))
    }

    /// What others have hung on an object, and whose it is.
    fn strangers<'a>(&'a self, on: &'a Id) -> impl Iterator<Item = (&'a P::Resource, Holder)> {
        let hanging = self.live.values().filter(move |s| !s.owned && s.parents.contains(on));
        hanging.filter_map(|s| Some((&s.resource, s.resource.holder()?)))
    }

    fn succeeded(&mut self, step: &Step<P::Resource>, objects: Vec<Seen<P::Resource>>, until: Duration) {
        if step.verb == Verb::Delete {
            for seen in step.items.iter().filter_map(|i| i.seen.as_ref()) {
                if objects.iter().any(|o| o.id == seen.id) {
                    self.undeleted.push(seen.clone());
                    self.wait(seen.resource.slot(), "another call is needed until it is deleted");
                } else {
                    self.live.remove(&seen.id);
                    let stays = seen.resource.stays();
                    self.outcome.left.extend(stays.map(|what| format!("{what} ({})", seen.id)));
                    self.engine.with_memory(self.owner, |m| m.deleted(seen, until));
                }
            }
        }
        for item in step.items.iter().filter(|_| step.verb != Verb::Delete) {
            if !objects.iter().any(|o| o.resource.slot() == item.slot) {
                self.wait(item.slot.clone(), "the answer to the call does not show it");
            }
        }
        for seen in objects {
            if step.verb != Verb::Delete {
                self.present.insert(seen.resource.slot(), seen.clone());
            }
            self.engine.with_memory(self.owner, |m| match step.verb {
                Verb::Create => m.created(seen.clone(), until),
                Verb::Update | Verb::Delete => m.updated(seen.clone(), until),
            });
            self.live.insert(seen.id.clone(), seen);
        }
    }

    fn vanished(&mut self, step: &Step<P::Resource>, until: Duration) {
        for seen in step.items.iter().filter_map(|i| i.seen.as_ref()) {
            self.live.remove(&seen.id);
            self.engine.with_memory(self.owner, |m| m.not_found(seen, until));
        }
    }

    fn failed(&mut self, step: Step<P::Resource>, error: ProviderError, until: Duration) {
        if step.verb == Verb::Update && step.items.len() == 1 && matches!(error, ProviderError::NotFound(_)) {
            self.vanished(&step, until);
            self.present.remove(&step.items[0].slot);
        }
        self.outcome.failures.push(Failure { slot: Some(step.items[0].slot.clone()), error });
        self.hold(step);
    }

    fn wait_until(&mut self, slot: Slot, until: Duration, what: &str) {
        let reason = format!("an earlier call may still take effect, so {what} until it must have");
        self.outcome.waits.push(Wait { slot, until: Some(until), reason });
    }

    fn wait(&mut self, slot: Slot, reason: &str) {
        self.outcome.waits.push(Wait { slot, until: None, reason: reason.to_owned() });
    }

    fn finish(mut self, model: &[P::Resource]) -> Outcome {
        for (slot, seen) in self.present.clone() {
            match &seen.state {
                State::Ready => {}
                State::Pending(word) => self.wait(slot, &format!("the cloud reports it as {word}")),
                // Waiting does not help, so it is no reason to look often.
                State::Failed(word) => {
                    let message = format!("the cloud reports it as {word}");
                    let detail = Detail { call: slot.to_string(), message, ..Detail::default() };
                    let error = ProviderError::Refused(detail);
                    self.outcome.failures.push(Failure { slot: Some(slot), error });
                }
            }
        }
        if !self.swapping {
            self.engine.with_memory(self.owner, Memory::end_swap);
        }
        let (settle_until, look_again) = self.engine.with_memory(self.owner, |m| (m.settle_until(), m.look_again()));
        if model.is_empty() && self.listed_at < settle_until {
            self.outcome.waits.push(Wait {
                slot: Slot::new("owner", &self.owner.uid),
                until: Some(settle_until),
                reason: "absence is certain only when no earlier call can still take effect".into(),
            });
        }
        let told = |o: &Outcome| {
            o.permit_lost
                || !(o.problems.is_empty() && o.failures.is_empty() && o.waits.is_empty() && o.conflicts.is_empty())
        };
        if !told(&self.outcome) {
            for slot in std::mem::take(&mut self.blocked) {
                self.wait(slot, "what it hangs on is not in the model");
            }
        }
        self.outcome.settled = !told(&self.outcome);
        self.outcome.look_again = (self.listed_at < look_again).then_some(look_again);
        if model.is_empty() {
            let ours = self.live.values().filter(|s| s.owned);
            self.outcome.remaining = ours.map(|s| s.resource.slot()).collect();
        } else {
            // What takes a place, and strangers; not what is on its way out.
            let kept: BTreeSet<&Id> = self.present.values().map(|s| &s.id).collect();
            self.live.retain(|id, s| !s.owned || kept.contains(id));
            let live: Vec<_> = self.live.into_values().collect();
            let mut serving = self.engine.provider.status(model, &live);
            // What went may still be shown by what it hung on, and the cloud may give its address to somebody else.
            self.engine.with_memory(self.owner, |m| self.unpromised.extend(m.given_back()));
            let stay: BTreeSet<IpAddr> = self.present.values().flat_map(|s| s.resource.addresses()).collect();
            serving.addresses.retain(|a| stay.contains(&a.ip) || !self.unpromised.contains(&a.ip));
            self.outcome.serving = Some(serving);
        }
        self.outcome
    }
}

/// The places of a model that only one owner can have: natural keys under what the user brought.
pub(crate) fn claims<R: Resource>(model: &[R]) -> Vec<Claim> {
    let shared: BTreeMap<Slot, Id> = model.iter().filter_map(|r| Some((r.slot(), r.adopted()?))).collect();
    let keyed = model.iter().filter(|r| r.has_natural_key());
    let claim = |r: &R| {
        let on: Vec<Id> = r.place().iter().map(|parent| shared.get(parent).cloned()).collect::<Option<_>>()?;
        (!on.is_empty()).then(|| Claim { on, slot: r.slot() })
    };
    keyed.filter_map(claim).collect()
}

/// The addresses of what a step changes.
fn addresses<R: Resource>(step: &Step<R>) -> Vec<IpAddr> {
    step.items.iter().filter_map(|item| item.seen.as_ref()).flat_map(|seen| seen.resource.addresses()).collect()
}

/// The addresses that nobody is promised though they stay for now: not those that serve until another one can come.
fn unserved<R: Resource>(held: &[Step<R>]) -> Vec<IpAddr> {
    let items = |is_deletion: bool| {
        held.iter().filter(move |step| (step.verb == Verb::Delete) == is_deletion).flat_map(|step| &step.items)
    };
    let alone = |seen: &&Seen<R>| !items(false).any(|heir| heir.resource.replaces(&seen.resource));
    items(true).filter_map(|item| item.seen.as_ref()).filter(alone).flat_map(|s| s.resource.addresses()).collect()
}

/// What stays though nobody asks for it, and how to let it go.
fn held<R: Resource>(steps: &[Step<R>]) -> Vec<Problem> {
    let items = steps.iter().flat_map(|step| &step.items);
    let held = |item: &Item<R>| {
        let (what, seen) = (item.resource.irreplaceable()?, item.seen.as_ref()?);
        let slot = &item.slot;
        Some(Problem {
            option: ALLOW_INTERRUPTION.to_owned(),
            at: String::new(),
            message: format!(
                "{slot} {} stays with all that hangs on it, though the Service asks for it no longer: {what}",
                seen.id
            ),
            valid: "\"true\" lets it go, once no client uses it any more".to_owned(),
        })
    };
    items.filter_map(held).collect()
}

/// What is exchanged together: one kind under the same parents, of which one does the work of another. That is so of
/// what comes in batches; a listener or rule does not stand in for that of another port.
fn group<R: Resource>(item: &Item<R>) -> Option<(String, Vec<Slot>)> {
    (item.resource.batch() > 1).then(|| (item.slot.kind().to_owned(), item.resource.parents()))
}

impl Outcome {
    /// That of a pass which could not even list.
    fn failed(error: ProviderError) -> Self {
        // A question has no effect that one would have to wait for.
        let error = match error {
            ProviderError::Ambiguous(detail) => ProviderError::Unavailable(detail),
            other => other,
        };
        Self { failures: vec![Failure { slot: None, error }], ..Self::default() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

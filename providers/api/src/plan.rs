//! From wished and found to steps. Pure; printable and serialisable, so that people see what will be done.
//!
//! Order: deletions that must make room for a replacement, then creations and updates with parents first, then the
//! remaining deletions with children first. So new backends are in before old ones go. What cannot be had again, and is
//! asked for no longer, goes only where that is allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::{Change, Id, Problem, Resource, Seen, Slot, State};

/// Steps that turn what was found into what is wished.
#[derive(Clone, Debug, Serialize)]
pub struct Plan<R> {
    /// In the order in which they are to be carried out.
    pub steps: Vec<Step<R>>,
    /// Steps for which the owner's word is needed, after all others: deletions of what is missed, and before them what
    /// takes its place.
    pub held: Vec<Step<R>>,
    /// Which found object takes which slot of the model.
    pub kept: BTreeMap<Slot, Seen<R>>,
    /// Wishes that would destroy what the user relies on; the rest of the plan goes on without them.
    pub refusals: Vec<Problem>,
    /// Adopted objects that are not there.
    pub missing: Vec<(Slot, Id)>,
}

/// One call: one verb over objects of one kind under the same parents.
#[derive(Clone, Debug, Serialize)]
pub struct Step<R> {
    /// What is done to the items.
    pub verb: Verb,
    /// At least one, at most [`Resource::batch`].
    pub items: Vec<Item<R>>,
    /// The objects that the items hang on, in the order of [`Resource::parents`]. Filled in by the engine just
    /// before the call, because their ids may be new; empty in a printed plan and for deletions.
    pub parents: Vec<Seen<R>>,
    /// Traffic stops between this step and the one that puts a replacement in place.
    pub interrupts: bool,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Verb {
    /// Makes a new object.
    Create,
    /// Changes fields of an object.
    Update,
    /// Deletes an object that bears our mark.
    Delete,
}

/// One object of a step.
#[derive(Clone, Debug, Serialize)]
pub struct Item<R> {
    /// Its place in the model.
    pub slot: Slot,
    /// As wished; for a deletion, as found.
    pub resource: R,
    /// As found: set for updates and deletions.
    pub seen: Option<Seen<R>>,
    /// For an update: the fields that differ; `parents` where it must be moved to [`Step::parents`].
    pub fields: Vec<&'static str>,
}

/// Plans the way from `seen` to `model`. Objects in `seen` without our mark are left alone.
pub fn plan<R: Resource>(model: &[R], seen: &[Seen<R>]) -> Plan<R> {
    let mut plan =
        Plan { steps: Vec::new(), held: Vec::new(), kept: BTreeMap::new(), refusals: Vec::new(), missing: Vec::new() };
    let mut replaced = BTreeSet::new();
    let mut makes: Vec<Item<R>> = Vec::new();
    let mut wished = BTreeSet::new();

    for want in by_parents(model) {
        let slot = want.slot();
        if !wished.insert(slot.clone()) {
            // The second would be surplus in the next pass, and so on for ever.
            plan.refuse(&slot, "is wished twice".to_owned());
            continue;
        }
        if let Some(id) = want.adopted() {
            match seen.iter().find(|s| s.id == id && s.resource.slot().kind() == slot.kind()) {
                Some(found) => drop(plan.kept.insert(slot, found.clone())),
                None => plan.missing.push((slot, id)),
            }
            continue;
        }
        let Some(found) = keep(want, seen, &plan.kept) else {
            makes.push(Item { slot, resource: want.clone(), seen: None, fields: Vec::new() });
            continue;
        };
        let mut fields = match want.change(&found.resource) {
            Change::None => Vec::new(),
            Change::Update(fields) => fields,
            Change::Replace(_) => {
                replaced.insert(found.id.clone());
                makes.push(Item { slot, resource: want.clone(), seen: None, fields: Vec::new() });
                continue;
            }
            Change::Forbidden(message) => {
                plan.refuse(&slot, message);
                plan.kept.insert(slot, found.clone());
                continue;
            }
        };
        if !hangs_on(&want.parents(), found, &plan.kept) {
            fields.push("parents");
        }
        if !fields.is_empty() {
            makes.push(Item { slot: slot.clone(), resource: want.clone(), seen: Some(found.clone()), fields });
        }
        plan.kept.insert(slot, found.clone());
    }

    let (early, late) = surplus(seen, &plan.kept, &replaced);
    let delete = |s: &Seen<R>| {
        let mut seen = s.clone();
        if is_double(s, &plan.kept) {
            seen.resource = seen.resource.into_double();
        }
        Item { slot: seen.resource.slot(), resource: seen.resource.clone(), seen: Some(seen), fields: Vec::new() }
    };
    let is_ready = |slot: &Slot| plan.kept.get(slot).is_some_and(|s| s.state == State::Ready);
    let to_be_made = |slot: &Slot| makes.iter().any(|item| item.slot == *slot);
    let in_place = model.iter().filter(|want| is_ready(&want.slot()) && !to_be_made(&want.slot()));
    let losses = losses(&late, &plan.kept, &in_place.collect::<Vec<_>>(), model.is_empty());
    let (mut held, late): (Vec<_>, Vec<_>) = late.into_iter().partition(|s| losses.contains(&s.id));
    // What takes the place of something that is held is held with it; where it cannot come yet, that one serves on.
    let (heirs, makes): (Vec<_>, Vec<_>) =
        makes.into_iter().partition(|heir| held.iter().any(|s| takes_place(&heir.resource, s, &plan.kept)));
    let (heirs, stuck): (Vec<_>, Vec<_>) =
        heirs.into_iter().partition(|heir| heir.resource.parents().iter().all(is_ready));
    held.retain(|s| !stuck.iter().any(|heir| takes_place(&heir.resource, s, &plan.kept)));
    batch(&mut plan.steps, early.into_iter().map(delete), true);
    batch(&mut plan.steps, makes.into_iter(), false);
    batch(&mut plan.steps, late.into_iter().map(delete), false);
    let held: Vec<_> = held.into_iter().map(delete).collect();
    batch(&mut plan.held, heirs.into_iter(), true);
    batch(&mut plan.held, held.into_iter(), true);
    plan
}

/// Whether `heir` can come only where `surplus` is.
fn takes_place<R: Resource>(heir: &R, surplus: &Seen<R>, kept: &BTreeMap<Slot, Seen<R>>) -> bool {
    let parents = heir.parents();
    let mut parents = parents.iter().filter_map(|slot| kept.get(slot));
    heir.replaces(&surplus.resource) && parents.any(|parent| surplus.parents.contains(&parent.id))
}

/// Of what is surplus, what is irreplaceable and has no other one of ours in its place, and what hangs on it. An owner
/// that goes wants nothing to stay.
fn losses<R: Resource>(
    surplus: &[&Seen<R>],
    kept: &BTreeMap<Slot, Seen<R>>,
    in_place: &[&R],
    all_goes: bool,
) -> BTreeSet<Id> {
    let has_heir = |s: &Seen<R>| in_place.iter().any(|heir| heir.replaces(&s.resource));
    let is_lost =
        |s: &Seen<R>| !all_goes && !is_double(s, kept) && !has_heir(s) && s.resource.irreplaceable().is_some();
    let mut lost: BTreeSet<Id> = surplus.iter().filter(|s| is_lost(s)).map(|s| s.id.clone()).collect();
    loop {
        let hangs_on_it = |s: &&&Seen<R>| !lost.contains(&s.id) && s.parents.iter().any(|p| lost.contains(p));
        let more: Vec<Id> = surplus.iter().filter(hangs_on_it).map(|s| s.id.clone()).collect();
        if more.is_empty() {
            return lost;
        }
        lost.extend(more);
    }
}

/// Whether what is surplus was made twice by accident, so that it never served anybody.
fn is_double<R: Resource>(surplus: &Seen<R>, kept: &BTreeMap<Slot, Seen<R>>) -> bool {
    kept.get(&surplus.resource.slot()).is_some_and(|other| other.owned)
}

/// The model with parents before children; what names an unknown parent comes last.
fn by_parents<R: Resource>(model: &[R]) -> Vec<&R> {
    let mut left: Vec<&R> = model.iter().collect();
    left.sort_by_key(|r| r.slot());
    let mut placed = BTreeSet::new();
    let mut ordered = Vec::with_capacity(left.len());
    loop {
        let (ready, waiting): (Vec<&R>, Vec<&R>) =
            left.into_iter().partition(|r| r.parents().iter().all(|p| placed.contains(p)));
        if ready.is_empty() {
            ordered.extend(waiting);
            return ordered;
        }
        placed.extend(ready.iter().map(|r| r.slot()));
        ordered.extend(ready);
        left = waiting;
    }
}

impl<R> Plan<R> {
    fn refuse(&mut self, slot: &Slot, message: String) {
        self.refusals.push(Problem { option: slot.to_string(), at: String::new(), message, valid: String::new() });
    }
}

/// The found object that takes the slot of `want`: ours, under the parents that we keep, the oldest; but rather one
/// that can stay than one that must be replaced.
fn keep<'a, R: Resource>(want: &R, seen: &'a [Seen<R>], kept: &BTreeMap<Slot, Seen<R>>) -> Option<&'a Seen<R>> {
    let slot = want.slot();
    seen.iter()
        .filter(|s| s.owned && s.resource.slot() == slot)
        // What can be moved to the right parents is not made anew.
        .filter(|s| want.moves() || hangs_on(&want.place(), s, kept))
        .min_by_key(|s| {
            let goes = matches!(want.change(&s.resource), Change::Replace(_));
            (goes, s.created.clone(), s.id.clone())
        })
}

/// Whether `found` hangs on the objects that take these slots.
fn hangs_on<R: Resource>(slots: &[Slot], found: &Seen<R>, kept: &BTreeMap<Slot, Seen<R>>) -> bool {
    slots.iter().all(|slot| kept.get(slot).is_some_and(|parent| found.parents.contains(&parent.id)))
}

/// What is ours and takes no slot, children first; apart from the rest what must go before its replacement comes.
fn surplus<'a, R: Resource>(
    seen: &'a [Seen<R>],
    kept: &BTreeMap<Slot, Seen<R>>,
    replaced: &BTreeSet<Id>,
) -> (Vec<&'a Seen<R>>, Vec<&'a Seen<R>>) {
    let used: BTreeSet<&Id> = kept.values().map(|s| &s.id).collect();
    let mut left: Vec<&Seen<R>> = seen.iter().filter(|s| s.owned && !used.contains(&s.id)).collect();
    left.sort_by_key(|s| (s.resource.slot(), s.id.clone()));
    let mut ordered: Vec<&Seen<R>> = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let (free, waiting): (Vec<_>, Vec<_>) = left.iter().partition(|s| !left.iter().any(|o| goes_before(o, s)));
        if free.is_empty() {
            ordered.extend(waiting);
            break;
        }
        ordered.extend(free);
        left = waiting;
    }
    let mut early_ids = replaced.clone();
    for s in ordered.iter().rev() {
        if s.parents.iter().any(|p| early_ids.contains(p)) && !s.resource.outlives_parents() {
            early_ids.insert(s.id.clone());
        }
    }
    ordered.into_iter().partition(|s| early_ids.contains(&s.id))
}

/// Whether `first` must be deleted before `then`.
pub(crate) fn goes_before<R: Resource>(first: &Seen<R>, then: &Seen<R>) -> bool {
    let hangs_on = |child: &Seen<R>, parent: &Seen<R>| child.parents.contains(&parent.id);
    (hangs_on(first, then) && !first.resource.outlives_parents())
        || (hangs_on(then, first) && then.resource.outlives_parents())
}

/// Joins neighbours that one call can do.
fn batch<R: Resource>(steps: &mut Vec<Step<R>>, items: impl Iterator<Item = Item<R>>, interrupts: bool) {
    let from = steps.len();
    for item in items {
        let verb = match (&item.seen, item.fields.is_empty()) {
            (None, _) => Verb::Create,
            (Some(_), false) => Verb::Update,
            (Some(_), true) => Verb::Delete,
        };
        let fits = |step: &&mut Step<R>| {
            let other = &step.items[0];
            step.verb == verb
                && step.items.len() < item.resource.batch()
                && other.slot.kind() == item.slot.kind()
                && other.resource.parents() == item.resource.parents()
                && other.seen.as_ref().map(|s| &s.parents) == item.seen.as_ref().map(|s| &s.parents)
        };
        match steps[from..].iter_mut().rev().take_while(|s| s.items[0].slot.kind() == item.slot.kind()).find(fits) {
            Some(step) => step.items.push(item),
            None => steps.push(Step { verb, items: vec![item], parents: Vec::new(), interrupts }),
        }
    }
}

impl<R: Resource> fmt::Display for Step<R> {
    /// `+ listener/TCP:80`, `~ pool/TCP:80 (algorithm)`, `- member/… and 2 more`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.verb {
            Verb::Create => '+',
            Verb::Update => '~',
            Verb::Delete => '-',
        };
        let Some(first) = self.items.first() else {
            return Ok(());
        };
        write!(f, "{sign} {}", first.slot)?;
        if !first.fields.is_empty() {
            write!(f, " ({})", first.fields.join(", "))?;
        }
        if self.items.len() > 1 {
            write!(f, " and {} more", self.items.len() - 1)?;
        }
        if self.verb == Verb::Delete && first.seen.as_ref().is_some_and(|seen| seen.resource.stays().is_some()) {
            write!(f, " [stays in the cloud]")?;
        }
        if self.interrupts {
            write!(f, " [interrupts traffic]")?;
        }
        Ok(())
    }
}

impl<R: Resource> fmt::Display for Plan<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (slot, id) in &self.missing {
            writeln!(f, "! {slot}: {id} does not exist")?;
        }
        for refusal in &self.refusals {
            writeln!(f, "! {refusal}")?;
        }
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        for step in &self.held {
            writeln!(f, "{step} [waits until allowed]")?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

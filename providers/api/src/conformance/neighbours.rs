//! What else is in the cloud: second sets of our own, other owners, strangers, and what the user lends us.

use super::life::{Kit, Life, Wish, words};
use super::report::{Judged, Miss};
use super::samples;
use super::subject::{Cloud, Subject};
use super::trial::Story;
use crate::{Desired, Owner, Provider, RetryClass};

/// A process that does not look before it creates makes a second set, or a part of one. The next removes it; the
/// oldest stays, and its address with it.
pub(super) async fn surplus<S: Subject>(kit: &Kit<'_, S>, story: &Story) -> Judged {
    let want = &story.first;
    let owner = &want.owner;
    let shape = kit.shape_of(want).await?;
    let mut second = Vec::new();
    // Operation 1 is the list; 2 is the first creation.
    for dies_after in [Some(2), None] {
        let mut life = Life::begin(kit).await;
        life.first_seen(owner);
        life.live(Wish::Have(want)).await?;
        let first = life.ids(owner).await;
        life.cloud.pause(kit.facts.age_resolution).await;
        life.restart();
        life.fate.be_blind();
        if let Some(n) = dies_after {
            life.fate.die_after(n);
        }
        life.first_seen(owner);
        life.pass(Wish::Have(want)).await;
        let more = life.ids(owner).await.len().saturating_sub(first.len());
        if more == 0 {
            return Err(Miss::NotChecked("the cloud takes no second object of one owner"));
        }
        second.push(more.to_string());
        life.restart();
        life.live(Wish::Have(want)).await.map_err(|why| format!("{more} surplus objects: {why}"))?;
        life.at_rest(want, &shape).await.map_err(|why| format!("{more} surplus objects: {why}"))?;
        if life.ids(owner).await != first {
            return Err(format!("{more} surplus objects: they stay, and older ones went").into());
        }
    }
    Ok(format!("{} surplus objects", second.join(" and ")))
}

/// Objects of somebody else that look like ours stay as they are through a whole life.
pub(super) async fn foreign<S: Subject>(kit: &Kit<'_, S>, story: &Story) -> Judged {
    let Story { first, second, .. } = story;
    let owner = &first.owner;
    let mut life = Life::begin(kit).await;
    life.cloud.add_foreign(first).await;
    let before = life.strangers(owner).await;
    if before.is_empty() {
        return Err(Miss::NotChecked("the subject adds no foreign object"));
    }
    // Not first seen: for all that is known, what is there might be ours.
    for wish in [Wish::Have(first), Wish::Have(second), Wish::Gone(owner)] {
        life.live(wish).await?;
        life.untouched(owner, &before).await?;
    }
    life.nothing_left(owner).await?;
    Ok(format!("{} foreign objects", before.len()))
}

/// A Service made again under its name and one of another cluster: each has its own, and they are told apart.
pub(super) async fn owners<S: Subject>(kit: &Kit<'_, S>) -> Judged {
    let first = kit.subject.fit(samples::one_port());
    let of = |owner: Owner| Desired { owner, ..first.clone() };
    let again = of(samples::owner(samples::SECOND));
    let elsewhere = of(Owner { cluster: "e15e0000-0000-4000-8000-00000000c0de".to_owned(), ..first.owner.clone() });
    let cluster = &first.owner.cluster;
    let mut life = Life::begin(kit).await;
    life.cloud.add_foreign(&first).await;
    named(&life, cluster, &[]).await?;
    for want in [&first, &again, &elsewhere] {
        life.first_seen(&want.owner);
        life.live(Wish::Have(want)).await?;
    }
    named(&life, cluster, &[&first, &again]).await?;
    named(&life, &elsewhere.owner.cluster, &[&elsewhere]).await?;
    let before = life.strangers(&first.owner).await;
    life.live(Wish::Gone(&first.owner)).await?;
    life.nothing_left(&first.owner).await?;
    life.untouched(&first.owner, &before).await?;
    named(&life, cluster, &[&again]).await?;
    Ok("3 owners".to_owned())
}

/// [`Provider::owners`] names these and no other.
async fn named<S: Subject>(life: &Life<'_, S>, cluster: &str, wishes: &[&Desired]) -> Result<(), String> {
    let found = life.provider().owners(cluster).await.map_err(|e| e.to_string())?;
    let mut found: Vec<&String> = found.iter().filter(|o| o.cluster == cluster).map(|o| &o.uid).collect();
    let mut wished: Vec<&String> = wishes.iter().map(|w| &w.owner.uid).collect();
    found.sort();
    wished.sort();
    if found != wished { Err(format!("owners() names {found:?} instead of {wished:?}")) } else { Ok(()) }
}

/// What the user lends is used, and is as before when we are gone; what is not there is a problem and no write.
pub(super) async fn adoption<S: Subject>(kit: &Kit<'_, S>) -> Judged {
    let sample = kit.subject.fit(samples::one_port());
    let owner = &sample.owner;
    let mut life = Life::begin(kit).await;
    let id = life.cloud.add_foreign(&sample).await;
    let Some((id, want)) = id.and_then(|id| kit.subject.adopting(&sample, &id).map(|want| (id, want))) else {
        return Err(Miss::NotChecked("the provider adopts nothing"));
    };
    let before = life.strangers(owner).await;
    life.first_seen(owner);
    let outcome = life.live(Wish::Have(&want)).await?;
    if outcome.serving.is_none_or(|s| s.addresses.is_empty()) {
        return Err(format!("no address is served on {id}").into());
    }
    let shape = life.shape(owner).await;
    life.at_rest(&want, &shape).await?;
    life.live(Wish::Gone(owner)).await?;
    life.nothing_left(owner).await?;
    life.untouched(owner, &before).await?;

    let Some(nothing) = kit.subject.adopting(&sample, "no-such-id") else {
        return Ok(format!("{id}, and back as it was"));
    };
    life.restart();
    life.count().await;
    let outcome = life.pass(Wish::Have(&nothing)).await.ok_or_else(|| "died".to_owned())?;
    let writes = life.count().await.writes;
    if outcome.problems.is_empty() || writes > 0 {
        return Err(format!("an id that names nothing: {} problems, {writes} writes", outcome.problems.len()).into());
    }
    Ok(format!("{id}, and back as it was; an id that names nothing"))
}

/// Where a stranger has what we are to have, that is said and left to people; the stranger keeps it.
pub(super) async fn clash<S: Subject>(kit: &Kit<'_, S>) -> Judged {
    let sample = kit.subject.fit(samples::one_port());
    let owner = &sample.owner;
    let mut life = Life::begin(kit).await;
    let id = life.cloud.add_foreign(&sample).await;
    let Some(want) = id.and_then(|id| kit.subject.clashing(&sample, &id)) else {
        return Err(Miss::NotChecked("the provider cannot clash with a stranger"));
    };
    let before = life.strangers(owner).await;
    life.first_seen(owner);
    for _ in 0..2 {
        let outcome = life.pass(Wish::Have(&want)).await.ok_or_else(|| "died".to_owned())?;
        let is_told = !(outcome.problems.is_empty() && outcome.conflicts.is_empty());
        if !is_told && outcome.retry() != Some(RetryClass::Refused) {
            return Err(format!("is told neither as refused nor as held: {}", words(&outcome)).into());
        }
        life.untouched(owner, &before).await?;
    }
    life.live(Wish::Gone(owner)).await?;
    life.nothing_left(owner).await?;
    life.untouched(owner, &before).await?;
    Ok("refused, and the stranger has it".to_owned())
}

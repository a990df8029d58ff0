//! Everything that can go wrong, at every call.

use futures::StreamExt;
use futures::stream;

use super::life::{Kit, Life, Wish, words};
use super::report::{Judged, Miss};
use super::samples;
use super::subject::{Call, Cloud, Fault, Subject};
use super::trial::{Phase, Story, Trouble, play};
use crate::{Desired, RetryClass};

/// The process dies after each list and each step of a phase.
pub(super) async fn deaths<S: Subject>(kit: &Kit<'_, S>, story: &Story, phase: Phase) -> Judged {
    let rehearsal = play(kit, story, phase, &Trouble::None, false).await?;
    every(kit, story, phase, (1..=rehearsal.operations).map(Trouble::Death).collect(), false).await
}

/// One fault at each call of a phase; the process goes on, or dies of it.
pub(super) async fn faults<S: Subject>(kit: &Kit<'_, S>, story: &Story, phase: Phase, fault: Fault) -> Judged {
    if !kit.facts.faults.contains(&fault) {
        return Err(Miss::NotChecked("the cloud cannot be made to do that"));
    }
    let troubles = troubles(kit, story, phase, fault, &[false, true]).await?;
    every(kit, story, phase, troubles, false).await
}

/// Lists that lag behind, alone and with a lost answer at each write of which the process dies.
pub(super) async fn lag<S: Subject>(kit: &Kit<'_, S>, story: &Story, phase: Phase) -> Judged {
    if !kit.facts.list_lag {
        return Err(Miss::NotChecked("the cloud's lists cannot be made to lag"));
    }
    let mut all = vec![Trouble::None];
    if kit.facts.faults.contains(&Fault::After) {
        all.extend(troubles(kit, story, phase, Fault::After, &[true]).await?);
    }
    every(kit, story, phase, all, true).await
}

/// A fault at each call that a phase makes when all goes well. What reads has no effect that could be late.
async fn troubles<S: Subject>(
    kit: &Kit<'_, S>,
    story: &Story,
    phase: Phase,
    fault: Fault,
    dies: &[bool],
) -> Result<Vec<Trouble>, String> {
    let rehearsal = play(kit, story, phase, &Trouble::None, false).await?;
    let calls = rehearsal.calls.into_iter().enumerate().filter(|(_, c)| c.write || fault == Fault::Before);
    let of = |(at, call): (usize, Call)| {
        dies.iter().map(move |dies| Trouble::Call { nth: at + 1, fault, name: call.name.clone(), dies: *dies })
    };
    Ok(calls.flat_map(of).collect())
}

/// Plays all of them, several at a time.
async fn every<S: Subject>(kit: &Kit<'_, S>, story: &Story, phase: Phase, troubles: Vec<Trouble>, lag: bool) -> Judged {
    if troubles.is_empty() {
        return Err("no call was made, so that nothing could go wrong".to_owned().into());
    }
    let runs = troubles.len();
    let results: Vec<_> = stream::iter(troubles)
        .map(|trouble| async move { (play(kit, story, phase, &trouble, lag).await, trouble) })
        // In order, so that a report reads the same every time.
        .buffered(kit.facts.concurrency.max(1))
        .collect()
        .await;
    let failures: Vec<String> =
        results.iter().filter_map(|(played, trouble)| Some(format!("{trouble}: {}", played.as_ref().err()?))).collect();
    if let Some(first) = failures.first() {
        return Err(format!("{} of {runs} runs; first: {first}", failures.len()).into());
    }
    let met = results.iter().filter(|(played, _)| played.as_ref().is_ok_and(|p| p.hurt)).count();
    if met == 0 && results.iter().any(|(_, trouble)| *trouble != Trouble::None) {
        return Err(format!("in none of {runs} runs did the fault show: does Cloud::set_fault work?").into());
    }
    Ok(format!("{runs} runs, {met} hurt"))
}

/// Every object bears its mark from the moment it is there: whatever call is the process's last, no object is left
/// that nobody could ever find again.
pub(super) async fn mark<S: Subject>(kit: &Kit<'_, S>) -> Judged {
    let want = kit.subject.fit(samples::tcp_and_udp());
    let run = async |fault: Option<(usize, Fault)>| {
        let mut life = Life::begin(kit).await;
        let strangers = life.strangers(&want.owner).await;
        life.first_seen(&want.owner);
        life.fate.die_of_errors();
        life.cloud.set_fault(fault).await;
        life.pass(Wish::Have(&want)).await;
        life.untouched(&want.owner, &strangers).await?;
        Ok::<_, String>(life.shape(&want.owner).await.len())
    };
    if run(None).await? == 0 {
        return Err("the first pass makes nothing".to_owned().into());
    }
    let calls = kit.first_pass(&want).await;
    let mut runs = 1;
    for fault in [Fault::Before, Fault::After].into_iter().filter(|f| kit.facts.faults.contains(f)) {
        for (at, call) in calls.iter().enumerate() {
            let trouble = Trouble::Call { nth: at + 1, fault, name: call.name.clone(), dies: true };
            run(Some((at + 1, fault))).await.map_err(|why| format!("{trouble}: {why}"))?;
            runs += 1;
        }
    }
    Ok(format!("{runs} runs"))
}

/// Told that it calls too often, it stops, says so, and comes up later.
pub(super) async fn throttle<S: Subject>(kit: &Kit<'_, S>) -> Judged {
    if !kit.facts.faults.contains(&Fault::Throttle) {
        return Err(Miss::NotChecked("the cloud cannot be made to do that"));
    }
    let want = kit.subject.fit(samples::tcp_and_udp());
    let calls = kit.first_pass(&want).await;
    for (at, call) in calls.iter().enumerate() {
        let trouble = Trouble::Call { nth: at + 1, fault: Fault::Throttle, name: call.name.clone(), dies: false };
        let judged = async {
            let mut life = Life::begin(kit).await;
            life.first_seen(&want.owner);
            life.cloud.set_fault(Some((at + 1, Fault::Throttle))).await;
            let outcome = life.pass(Wish::Have(&want)).await.ok_or("died")?;
            if outcome.retry() != Some(RetryClass::Throttled) {
                return Err(format!("is not told as throttled: {}", words(&outcome)));
            }
            // Questions asked together with it may be on their way; a write is not.
            if let Some(more) = life.cloud.calls().await.iter().skip(at + 1).find(|c| c.write) {
                return Err(format!("goes on all the same with {}", more.name));
            }
            life.live(Wish::Have(&want)).await.map(drop)
        };
        judged.await.map_err(|why| format!("{trouble}: {why}"))?;
    }
    Ok(format!("{} runs", calls.len()))
}

impl<S: Subject> Kit<'_, S> {
    /// The calls of a first pass without trouble.
    async fn first_pass(&self, want: &Desired) -> Vec<Call> {
        let mut life = Life::begin(self).await;
        life.first_seen(&want.owner);
        life.pass(Wish::Have(want)).await;
        life.cloud.calls().await
    }
}

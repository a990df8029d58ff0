//! Walking: each step, what it must come to, and the comparison with the direct way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::chain;
use super::goal::{Goal, SERVICE};
use crate::expect;
use crate::one;
use crate::perturb::deed::{self, Deed};
use crate::perturb::judge;
use crate::plan::Plan;
use crate::process;
use crate::sim::Sim;
use crate::users;

/// The quiet after each step: longer than the settle time and everything that hangs on it.
const QUIET: Duration = Duration::from_secs(120);

/// What was seen of a walk.
#[derive(Default)]
struct Walk {
    wrong: Vec<String>,
    steps: u64,
    /// Steps after which what is asked for cannot be had.
    wrong_steps: u64,
    /// From wrong to right.
    recoveries: u64,
    end: Vec<String>,
}

/// Walks the chains of many seeds. `only`: no more than these steps of each. True when all went as they must.
pub fn all(from: u64, count: u64, only: &[usize], jobs: usize, print: bool) -> bool {
    one::count_panics();
    let began = Instant::now();
    let (next, sum) = (AtomicU64::new(from), Mutex::new((Walk::default(), Vec::new())));
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + count {
                        return;
                    }
                    let walk = walk_both(seed, only, print);
                    let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                    sum.0.steps += walk.steps;
                    sum.0.wrong_steps += walk.wrong_steps;
                    sum.0.recoveries += walk.recoveries;
                    if !walk.wrong.is_empty() {
                        sum.1.push((seed, walk.wrong));
                    }
                }
            });
        }
    });
    let (sum, mut failed) = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    failed.sort();
    for (seed, wrong) in &failed {
        println!("chain {seed}:");
        wrong.iter().take(6).for_each(|line| println!("  {line}"));
    }
    for (seed, _) in failed.iter().take(3).filter(|_| only.is_empty()) {
        let steps = shrink(*seed);
        let words: Vec<String> = steps.iter().map(usize::to_string).collect();
        let chain = chain::of(*seed);
        steps.iter().for_each(|step| println!("  {step}: {:?}", chain[*step]));
        println!(
            "  replay: cargo run --profile fast -p ferrolb-sim -- --walks 1 --from {seed} --steps {} --trace",
            words.join(",")
        );
    }
    let panics = one::panics();
    panics.iter().for_each(|panics| println!("{panics}"));
    println!(
        "{count} chains, {} steps, {} of them wrong, {} recoveries, {} chains failed, {:.1} s",
        sum.steps,
        sum.wrong_steps,
        sum.recoveries,
        failed.len(),
        began.elapsed().as_secs_f64()
    );
    failed.is_empty() && panics.is_none()
}

/// The fewest steps of a chain that still fail, in their order.
fn shrink(seed: u64) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..chain::of(seed).len()).collect();
    let mut at = 0;
    while at < kept.len() && kept.len() > 1 {
        let mut fewer = kept.clone();
        fewer.remove(at);
        if walk_both(seed, &fewer, false).wrong.is_empty() {
            at += 1;
        } else {
            kept = fewer;
        }
    }
    kept
}

/// Walks a chain to a right end, then the direct way to the same end.
fn walk_both(seed: u64, only: &[usize], print: bool) -> Walk {
    let all = chain::of(seed).into_iter().enumerate();
    let mut chain: Vec<Deed> =
        all.filter(|(step, _)| only.is_empty() || only.contains(step)).map(|(_, deed)| deed).collect();
    let mut goal = Goal::default();
    chain.iter().for_each(|deed| goal.step(deed));
    for deed in goal.correction() {
        goal.step(&deed);
        chain.push(deed);
    }
    let mut walked = walk(seed, &chain, print);
    let direct = walk(seed, &goal.directly(), false);
    walked.wrong.extend(direct.wrong.iter().map(|wrong| format!("the direct way: {wrong}")));
    walked.wrong.extend(judge::difference(&direct.end, &walked.end));
    walked
}

fn walk(seed: u64, chain: &[Deed], print: bool) -> Walk {
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let walked = runtime.and_then(|runtime| {
        let walked = runtime.block_on(live(seed, chain, print));
        runtime.shutdown_background();
        walked
    });
    walked.unwrap_or_else(|error| Walk { wrong: vec![format!("cannot simulate: {error}")], ..Walk::default() })
}

async fn live(seed: u64, chain: &[Deed], print: bool) -> std::io::Result<Walk> {
    let sim = Sim::new(Plan::quiet(seed), print)?;
    users::furnish(&sim);
    tokio::spawn(process::replica(sim.clone(), 0));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (mut walk, mut goal) = (Walk::default(), Goal::default());
    for (number, deed) in chain.iter().enumerate() {
        let was = goal.clone();
        goal.step(deed);
        let before = sim.with(|s| s.tally.cloud_effects);
        deed.act(&sim).await;
        tokio::time::sleep(QUIET).await;
        let written = sim.with(|s| s.tally.cloud_effects) - before;
        walk.steps += 1;
        let mut say = |text: String| walk.wrong.push(format!("step {number} {deed:?}: {text}"));
        judge_step(&sim, &goal, written, &mut say);
        walk.wrong_steps += u64::from(goal.is_balanced() && !goal.is_right());
        walk.recoveries += u64::from(was.is_balanced() && !was.is_right() && goal.is_right());
    }
    sim.with(|s| {
        walk.wrong.extend(s.law.breaches.iter().cloned());
        walk.wrong.extend(expect::wrong(s));
        walk.end = judge::state(s);
    });
    Ok(walk)
}

/// What a step must have come to.
fn judge_step(sim: &Arc<Sim>, goal: &Goal, written: u64, say: &mut impl FnMut(String)) {
    let (status, reason, message) = sim.with(|s| ready(s.api.get(&deed::key(SERVICE))));
    if goal.is_right() && status != "True" {
        say(format!("right, and not ready: {reason}: {message}"));
    }
    if goal.is_balanced() && !goal.is_right() {
        if written > 0 && !goal.can_be_read() {
            say(format!("wrong, and yet {written} writes to the cloud"));
        }
        if status != "False" || message.is_empty() {
            say(format!("wrong, and the condition is {status} {reason}: {message}"));
        }
    }
    if !goal.is_balanced() && sim.with(|s| s.law.ledger.ours.len()) > 0 {
        say("nothing is asked for, and something is there".to_owned());
    }
}

/// Status, reason and message of the Service's condition `ferrolb.io/Ready`.
fn ready(service: Option<&serde_json::Value>) -> (String, String, String) {
    let conditions = service.and_then(|s| s["status"]["conditions"].as_array()).into_iter().flatten();
    let ready = conditions.into_iter().find(|c| c["type"] == "ferrolb.io/Ready");
    let text = |field: &str| ready.and_then(|c| c[field].as_str()).unwrap_or_default().to_owned();
    (text("status"), text("reason"), text("message"))
}

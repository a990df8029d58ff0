//! All plans of all workloads: made, run, judged, told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::script::{self, Run};
use super::tap::Act;
use super::workloads::{self, Workload};
use crate::api::store::Kind;
use crate::one;

/// What the controller watches.
const WATCHED: [Kind; 4] = [Kind::Service, Kind::Node, Kind::Slice, Kind::Class];

/// One run with one act.
struct Plan {
    id: String,
    act: Act,
}

/// Runs the plans of all workloads, or of the named one, or one of them. True when none diverged.
pub fn all(only: Option<&str>, plan: Option<&str>, jobs: usize, print: bool) -> bool {
    let began = Instant::now();
    one::count_panics();
    let workloads: Vec<&Workload> = workloads::ALL.iter().filter(|w| only.is_none_or(|name| name == w.name)).collect();
    if workloads.is_empty() {
        let known: Vec<&str> = workloads::ALL.iter().map(|w| w.name).collect();
        eprintln!("no such workload; there are {}", known.join(", "));
        return false;
    }
    println!(
        "{:<18} {:>6} {:>7} {:>6} {:>6} {:>6} {:>9}",
        "workload", "writes", "crashes", "held", "stale", "plans", "diverged"
    );
    let (mut total, mut diverged) = (0, 0);
    for workload in workloads {
        let reference = match script::run(workload.deeds, None, print && plan.is_none()) {
            Ok(reference) => reference,
            Err(error) => {
                eprintln!("cannot simulate: {error}");
                return false;
            }
        };
        let mut plans = plans(&reference);
        plans.retain(|p| plan.is_none_or(|id| id == p.id));
        let mut wrong = compare(workload, &plans, &reference, jobs, print && plan.is_some());
        wrong.extend(reference.breaches.iter().map(|breach| ("none".to_owned(), vec![breach.clone()])));
        let kind = |word: &str| plans.iter().filter(|p| p.id.starts_with(word)).count();
        println!(
            "{:<18} {:>6} {:>7} {:>6} {:>6} {:>6} {:>9}",
            workload.name,
            reference.writes.len(),
            kind("before") + kind("after"),
            kind("held"),
            kind("stale"),
            plans.len(),
            wrong.len()
        );
        for (id, differences) in &wrong {
            println!("  {} {id}:", workload.name);
            differences.iter().take(6).for_each(|line| println!("    {line}"));
            println!(
                "    replay: cargo run --profile fast -p ferrolb-sim -- --perturb --workload {} --plan {id} --trace",
                workload.name
            );
        }
        total += plans.len();
        diverged += wrong.len();
    }
    if let Some(panics) = one::panics() {
        println!("{panics}");
        diverged += 1;
    }
    println!("{total} plans, {diverged} diverged, {:.1} s", began.elapsed().as_secs_f64());
    total > 0 && diverged == 0
}

/// Everything that can go wrong in a run that went like this.
fn plans(reference: &Run) -> Vec<Plan> {
    let mut plans = Vec::new();
    for (n, write) in reference.writes.iter().enumerate() {
        for (word, after) in [("before", false), ("after", true)] {
            plans.push(Plan { id: format!("{word}-{n}"), act: Act::Crash { at: write.at.clone(), after } });
        }
        let later = &reference.told[write.events..];
        for kind in WATCHED.into_iter().filter(|kind| later.iter().any(|told| told.kind == *kind)) {
            let id = format!("stale-{n}-{}", kind.word());
            plans.push(Plan { id, act: Act::Stale { at: write.at.clone(), kind } });
        }
    }
    for (n, event) in reference.told.iter().enumerate() {
        let is_overwritten =
            reference.told[n + 1..].iter().any(|later| later.kind == event.kind && later.at.name == event.at.name);
        if is_overwritten {
            plans.push(Plan { id: format!("held-{n}"), act: Act::Hold { event: (event.kind, event.at.clone()) } });
        }
    }
    plans
}

/// Runs plans and gives those that diverged, with what differed.
fn compare(
    workload: &Workload,
    plans: &[Plan],
    reference: &Run,
    jobs: usize,
    print: bool,
) -> Vec<(String, Vec<String>)> {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let differences = match script::run(workload.deeds, Some(plan.act.clone()), print) {
                        Ok(run) => differences(workload, plan, reference, run),
                        Err(error) => vec![format!("cannot simulate: {error}")],
                    };
                    if !differences.is_empty() {
                        wrong.lock().unwrap_or_else(PoisonError::into_inner).push((plan.id.clone(), differences));
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn differences(workload: &Workload, plan: &Plan, reference: &Run, run: Run) -> Vec<String> {
    let mut found = run.breaches;
    if !run.fired {
        found.push(format!("never came to {:?}", plan.act));
    }
    found.extend(super::judge::difference(&reference.end, &run.end));
    // A controller that is late, or does not see everything, need not make what is not wanted any more.
    let fewer = workload.hurried || !matches!(plan.act, Act::Crash { .. });
    let counts = [("made", &reference.made, &run.made), ("deleted", &reference.gone, &run.gone)];
    for (what, wanted, found_counts) in counts {
        found.extend(off(what, wanted, found_counts, fewer));
    }
    found.extend(off("events", &reference.lives, &run.lives, false));
    found
}

fn off(what: &str, wanted: &BTreeMap<String, u64>, found: &BTreeMap<String, u64>, fewer: bool) -> Vec<String> {
    let kinds: std::collections::BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
    let of = |counts: &BTreeMap<String, u64>, kind: &String| counts.get(kind).copied().unwrap_or_default();
    let wrong = kinds.into_iter().filter(|kind| {
        let (wanted, found) = (of(wanted, kind), of(found, kind));
        found > wanted || (found < wanted && !fewer)
    });
    wrong.map(|kind| format!("{what}: {} {kind} instead of {}", of(found, kind), of(wanted, kind))).collect()
}

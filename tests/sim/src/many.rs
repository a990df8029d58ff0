//! Many runs, each in a process of its own: hash seeds and thread-local state then begin alike in each.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde_json::{Value, json};

use crate::Arguments;
use crate::plan::{Fault, Plan};

/// Failing seeds that are made smaller.
const SHRUNK: usize = 3;

/// Sums over runs.
#[derive(Default)]
struct Sum {
    runs: u64,
    /// Seconds.
    simulated: u64,
    pairs: u64,
    broken: Vec<(u64, Vec<String>)>,
    requests: u64,
    writes: u64,
    crashes: u64,
    users: u64,
    slowest: (u64, u64),
    faults: BTreeMap<String, u64>,
}

/// Runs seeds and prints the sums; shrinks the first that fail. True when none did.
pub fn run(arguments: &Arguments) -> bool {
    let began = Instant::now();
    let sum = all(arguments);
    let seconds = began.elapsed().as_secs_f64();
    // A soak is too long to be done twice.
    let twice = if arguments.pairs.is_some() { [].as_slice() } else { &[3, 8, 21] };
    let differing: Vec<u64> = twice.iter().copied().filter(|seed| !repeats(*seed)).collect();
    if arguments.json {
        println!("{}", line(&sum, arguments, &differing, seconds));
        return sum.broken.is_empty() && differing.is_empty();
    }
    tell(&sum, arguments.from, seconds);
    if !differing.is_empty() {
        println!("two processes made different traces of seeds {differing:?}");
    }
    for (seed, breaches) in sum.broken.iter().take(SHRUNK) {
        println!("shrinking seed {seed} …");
        println!("replay: {}", replay(&shrink(*seed, arguments, breaches)));
    }
    sum.broken.is_empty() && differing.is_empty()
}

/// The plan of a seed under these arguments, with less of it.
fn plan(seed: u64, arguments: &Arguments, without: BTreeSet<Fault>, services: Option<u64>) -> Plan {
    let plan = Plan::of(seed, arguments.minutes, without, services);
    match arguments.pairs {
        Some(pairs) => plan.soak(pairs),
        None => plan,
    }
}

fn all(arguments: &Arguments) -> Sum {
    let (from, seeds) = (arguments.from, arguments.seeds);
    let (next, sum) = (AtomicU64::new(from), Mutex::new(Sum::default()));
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + seeds {
                        return;
                    }
                    let result = child(&plan(seed, arguments, BTreeSet::new(), None));
                    sum.lock().unwrap_or_else(PoisonError::into_inner).add(seed, &result);
                }
            });
        }
    });
    let mut sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum.broken.sort();
    sum
}

impl Sum {
    fn add(&mut self, seed: u64, result: &Value) {
        let number = |key: &str| result[key].as_u64().unwrap_or_default();
        self.runs += 1;
        self.simulated += number("simulated");
        self.pairs += number("pairs");
        self.requests += number("requests");
        self.writes += number("writes");
        self.crashes += number("crashes");
        self.users += number("users");
        self.slowest = self.slowest.max((number("converged"), seed));
        for (fault, count) in result["faults"].as_object().into_iter().flatten() {
            *self.faults.entry(fault.clone()).or_default() += count.as_u64().unwrap_or_default();
        }
        let breaches = breaches(result);
        if !breaches.is_empty() {
            eprintln!("seed {seed}: {}", breaches.first().map(String::as_str).unwrap_or_default());
            self.broken.push((seed, breaches));
        }
    }
}

/// The sums for a program that reads them.
fn line(sum: &Sum, arguments: &Arguments, differing: &[u64], seconds: f64) -> Value {
    let broken = sum.broken.iter().enumerate().map(|(place, (seed, breaches))| {
        let plan = match place {
            0..SHRUNK => shrink(*seed, arguments, breaches),
            _ => plan(*seed, arguments, BTreeSet::new(), None),
        };
        json!({"seed": seed, "breaches": breaches, "replay": replay(&plan)})
    });
    let count = |fault: &Fault| sum.faults.get(fault.name()).copied().unwrap_or_default();
    let faults: BTreeMap<_, _> = Fault::ALL.iter().map(|fault| (fault.name(), count(fault))).collect();
    json!({
        "from": arguments.from, "seeds": sum.runs, "jobs": arguments.jobs, "seconds": seconds,
        "simulated_hours": sum.simulated as f64 / 3600.0, "pairs": sum.pairs,
        "requests": sum.requests, "writes": sum.writes, "crashes": sum.crashes, "users": sum.users,
        "longest_convergence": {"seconds": sum.slowest.0, "seed": sum.slowest.1},
        "faults": faults, "differing": differing, "broken": broken.collect::<Vec<_>>(),
    })
}

fn tell(sum: &Sum, from: u64, seconds: f64) {
    for fault in Fault::ALL {
        let count = sum.faults.get(fault.name()).copied().unwrap_or_default();
        println!("fault {:<4} {count:>9}  {}", fault.name(), fault.words());
    }
    let hours = sum.simulated as f64 / 3600.0;
    println!("seeds {from}..{}: {hours:.0} simulated hours", from + sum.runs);
    println!("{} requests, {} writes, {} crashes, {} deeds of users", sum.requests, sum.writes, sum.crashes, sum.users);
    if sum.pairs > 0 {
        println!("{} pairs, {:.0} a second", sum.pairs, sum.pairs as f64 / seconds);
    }
    println!("longest convergence after the trouble: {} s (seed {})", sum.slowest.0, sum.slowest.1);
    println!(
        "{:.1} s: {:.2} seeds/s, {:.0} simulated hours per hour",
        seconds,
        sum.runs as f64 / seconds,
        hours * 3600.0 / seconds
    );
    println!("{} of {} seeds broken", sum.broken.len(), sum.runs);
    let mut kinds: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (seed, breaches) in &sum.broken {
        let kind = breaches.first().and_then(|b| b.split(' ').next()).unwrap_or_default();
        kinds.entry(kind).or_default().push(*seed);
    }
    for (kind, seeds) in kinds {
        println!("  {kind}: {seeds:?}");
    }
}

/// Whether two processes make the same of a seed.
fn repeats(seed: u64) -> bool {
    let plan = Plan::of(seed, 60, BTreeSet::new(), None);
    child(&plan)["trace"] == child(&plan)["trace"]
}

/// The result of a run in another process.
fn child(plan: &Plan) -> Value {
    let failed = |why: String| serde_json::json!({ "breaches": [why] });
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return failed(format!("no program to run: {error}")),
    };
    let mut command = Command::new(program);
    command.args(plan.arguments().split(' ')).arg("--json").stdin(Stdio::null()).stderr(Stdio::null());
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => return failed(format!("the run does not start: {error}")),
    };
    let result = serde_json::from_slice(&output.stdout);
    result.unwrap_or_else(|_| failed(format!("the run died: {}", output.status)))
}

/// The smallest plan that still breaks the same invariant: faults and Services are taken away one by one.
fn shrink(seed: u64, arguments: &Arguments, breaches: &[String]) -> Plan {
    let kind = |all: &[String]| all.first().and_then(|b| b.split(' ').next()).map(str::to_owned);
    let broken = kind(breaches);
    let fails = |plan: &Plan| kind(&self::breaches(&child(plan))) == broken;
    let with = |without, services| self::plan(seed, arguments, without, services);
    let mut plan = with(BTreeSet::new(), None);
    for fault in plan.faults.clone() {
        let mut without = plan.without.clone();
        without.insert(fault);
        let smaller = with(without, plan.only_services);
        if fails(&smaller) {
            plan = smaller;
        }
    }
    for services in 1..plan.services {
        let smaller = with(plan.without.clone(), Some(services));
        if fails(&smaller) {
            return smaller;
        }
    }
    plan
}

fn breaches(result: &Value) -> Vec<String> {
    let all = result["breaches"].as_array().into_iter().flatten();
    all.filter_map(|b| b.as_str().map(str::to_owned)).collect()
}

fn replay(plan: &Plan) -> String {
    format!("cargo run --profile fast -p ferrolb-sim -- {} --trace", plan.arguments())
}

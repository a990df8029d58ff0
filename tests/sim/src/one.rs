//! One run, and how its result is told.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::Arguments;
use crate::plan::Plan;
use crate::sim::{self, Outcome};

/// Panics of the controller's tasks, which would otherwise only be logged.
static PANICS: AtomicU64 = AtomicU64::new(0);

/// Runs a seed and prints what came of it. True when nothing was wrong.
pub fn run(seed: u64, arguments: &Arguments) -> bool {
    if arguments.trace {
        let filter = tracing_subscriber::EnvFilter::new("ferrolb=debug,ferrolb_elb=info,kube=warn");
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().init();
    }
    count_panics();
    let without: BTreeSet<_> = arguments.without.iter().copied().collect();
    let plan = Plan::of(seed, arguments.minutes, without, arguments.services);
    let plan = match arguments.pairs {
        Some(pairs) => plan.soak(pairs),
        None => plan,
    };
    let mut outcome = match sim::run(plan.clone(), arguments.trace) {
        Ok(outcome) => outcome,
        Err(error) => {
            eprintln!("cannot simulate: {error}");
            return false;
        }
    };
    outcome.breaches.extend(panics());
    if arguments.json {
        println!("{}", line(&plan, &outcome));
    } else {
        tell(&plan, &outcome);
    }
    outcome.breaches.is_empty()
}

/// Counts panics from now on.
pub fn count_panics() {
    std::panic::set_hook(Box::new(|panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        eprintln!("{panic}");
    }));
}

/// The breach that there were panics, if so.
pub fn panics() -> Option<String> {
    let panics = PANICS.load(Ordering::Relaxed);
    (panics > 0).then(|| format!("I18: {panics} panics"))
}

fn line(plan: &Plan, outcome: &Outcome) -> Value {
    let tally = &outcome.tally;
    json!({
        "arguments": plan.arguments(),
        "services": plan.services,
        "faulty": plan.faults.iter().map(|f| f.name()).collect::<Vec<_>>(),
        "breaches": outcome.breaches,
        "trace": format!("{:016x}", outcome.trace),
        "converged": outcome.converged.map(|d| d.as_secs()),
        "requests": tally.api_calls + tally.cloud_calls,
        "simulated": outcome.simulated.as_secs(),
        "pairs": tally.pairs,
        "crashes": tally.crashes,
        "users": tally.users,
        "writes": tally.api_writes + tally.cloud_writes,
        "faults": outcome.faults.iter().map(|(f, n)| (f.name().to_owned(), json!(n))).collect::<serde_json::Map<_, _>>(),
    })
}

fn tell(plan: &Plan, outcome: &Outcome) {
    let tally = &outcome.tally;
    println!("plan      {} ({} Services)", plan.arguments(), plan.services);
    for (fault, count) in &outcome.faults {
        println!("fault     {:<4} {count:>6}  {}", fault.name(), fault.words());
    }
    println!("requests  {} to the API server, {} to the cloud", tally.api_calls, tally.cloud_calls);
    println!(
        "writes    {} to the API server of which {} changed something, {} to the cloud",
        tally.api_writes, tally.api_effects, tally.cloud_writes
    );
    println!("events    {}; crashes {}; deeds of users {}", tally.events, tally.crashes, tally.users);
    if plan.pairs.is_some() {
        println!("pairs     {} in {:.1} simulated hours", tally.pairs, outcome.simulated.as_secs_f64() / 3600.0);
    }
    match outcome.converged {
        Some(time) => println!("converged {time:?} after the trouble"),
        None => println!("converged never"),
    }
    println!("trace     {:016x}", outcome.trace);
    for breach in &outcome.breaches {
        println!("BREACH    {breach}");
    }
    println!("{}", if outcome.breaches.is_empty() { "no breach" } else { "BROKEN" });
}

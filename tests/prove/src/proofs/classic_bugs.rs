//! The mistakes that controllers of load balancers are known for, put in on purpose, one at a time: the simulator must
//! find each. The product's source stays clean: a copy of the workspace gets all of them, each behind a switch, is built
//! once, and an environment variable says which one is on.

mod table;
mod tree;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::harness::Alone;
use crate::report::Report;
use crate::runner;
use table::{BUGS, Bug, Finder};

/// Seeds within which a bug must be found.
const SEEDS: u64 = 10;

pub fn run(_: &Alone, report: &mut Report) -> Result<()> {
    let place = runner::root().join("target/classic-bugs");
    let tree = place.join("tree");
    tree::weave(&runner::root(), &tree)?;
    let simulator = place.join("sim");
    runner::build_simulator_of(&tree, &simulator)?;
    let breach = first_breach(&simulator, "none", 1)?;
    let clean = breach.as_ref().map_or("clean".to_owned(), |(seed, breach)| format!("seed {seed}: {breach}"));
    report.holds("no-bug", clean, breach.is_none(), "clean");
    let (left, found) = (Mutex::new(BUGS.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(bug) = lock(&left).next() {
                    let by = find(&simulator, bug);
                    lock(&found).push((bug, by));
                }
            });
        }
    });
    for bug in BUGS {
        let by = lock(&found)
            .iter_mut()
            .find(|(done, _)| done.name == bug.name)
            .map(|(_, by)| std::mem::replace(by, Ok(None)));
        let by = by.context("a bug was not tried")??;
        report.say(format!("{}: {}", bug.name, bug.about));
        let bound = match bug.finder {
            Finder::Seeds => format!("within {SEEDS} seeds"),
            Finder::SeedsFrom(from) => format!("within {SEEDS} seeds from {from}"),
            Finder::Perturbation(workload) => format!("perturbing {workload}"),
            Finder::Freshness => "by freshness".to_owned(),
        };
        report.line(bug.name, by.as_deref().unwrap_or("not found"), bound, by.is_some());
    }
    Ok(())
}

/// How a bug was found, if it was.
fn find(simulator: &Path, bug: &Bug) -> Result<Option<String>> {
    match bug.finder {
        Finder::Seeds => seed_of(simulator, bug.name, 1),
        Finder::SeedsFrom(from) => seed_of(simulator, bug.name, from),
        Finder::Perturbation(workload) => {
            let output = command(simulator, bug.name).args(["--perturb", "--workload", workload]).output()?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let last = text.lines().last().unwrap_or_default();
            Ok((!output.status.success()).then(|| last.rsplit_once(',').map_or(last, |(counts, _)| counts).to_owned()))
        }
        Finder::Freshness => {
            let status = command(simulator, bug.name).arg("--freshness").stdout(Stdio::null()).status()?;
            Ok((status.code() == Some(1)).then(|| "a view stayed old".to_owned()))
        }
    }
}

/// The first seed with a breach, and that.
/// The invariant that the bug breaks, and the seed.
fn seed_of(simulator: &Path, bug: &str, from: u64) -> Result<Option<String>> {
    let found = first_breach(simulator, bug, from)?;
    Ok(found.map(|(seed, breach)| format!("{} at seed {seed}", breach.split(' ').next().unwrap_or_default())))
}

fn first_breach(simulator: &Path, bug: &str, from: u64) -> Result<Option<(u64, String)>> {
    for seed in from..from + SEEDS {
        let output = command(simulator, bug).args(["--seed", &seed.to_string(), "--json"]).output()?;
        let result: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("{bug}: seed {seed} ended with {}", output.status))?;
        if let Some(breach) = result["breaches"][0].as_str() {
            return Ok(Some((seed, breach.to_owned())));
        }
    }
    Ok(None)
}

fn command(simulator: &Path, bug: &str) -> Command {
    let mut command = Command::new(simulator);
    command.env(tree::SWITCH, bug).stdin(Stdio::null()).stderr(Stdio::null());
    command
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

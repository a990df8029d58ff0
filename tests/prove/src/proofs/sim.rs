//! Seeds of the simulator, each a world of its own. `SEEDS=5000` for more, `FROM=7` for others.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::harness::Alone;
use crate::report::Report;

/// Seeds of a run that names none.
const SEEDS: u64 = 300;
/// From so many seeds on, every kind of fault must have struck.
const ENOUGH: u64 = 300;
/// Broken seeds that are named.
const NAMED: usize = 5;

pub fn run(bed: &Alone, report: &mut Report) -> Result<()> {
    let (seeds, from) = (number("SEEDS", SEEDS)?, number("FROM", 1)?);
    let sums = many(bed, seeds, from, &[])?;
    broken(&sums, report);
    let differing = sums["differing"].as_array().map_or(0, Vec::len);
    report.equal("seeds-that-differ-in-another-process", differing, 0);
    figures(&sums, report);
    let at_least = u64::from(seeds >= ENOUGH);
    for (fault, count) in sums["faults"].as_object().into_iter().flatten() {
        report.at_least(&format!("fault-{fault}"), count.as_u64().unwrap_or_default(), at_least, "");
    }
    Ok(())
}

/// Runs seeds on all cores; the sums that the simulator prints, see `line` in `tests/sim/src/many.rs`.
pub(super) fn many(bed: &Alone, seeds: u64, from: u64, more: &[&str]) -> Result<Value> {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let mut command = Command::new(bed.simulator()?);
    command.args(["--json", "--seeds", &seeds.to_string(), "--from", &from.to_string(), "--jobs", &jobs.to_string()]);
    let output = command.args(more).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.context("run the simulator")?;
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("the simulator said: {}", String::from_utf8_lossy(&output.stdout)))
}

/// How many seeds broke an invariant, and how to see the first of them again.
pub(super) fn broken(sums: &Value, report: &mut Report) {
    let broken = sums["broken"].as_array().cloned().unwrap_or_default();
    for seed in broken.iter().take(NAMED) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        report.line(&format!("seed-{}", seed["seed"]), text(&seed["breaches"][0]), "no breach", false);
        report.say(format!("replay: {}", text(&seed["replay"])));
    }
    let (from, seeds) = (count(sums, "from"), count(sums, "seeds"));
    report.equal(&format!("broken-seeds-of-{from}..{}", from + seeds), broken.len(), 0);
}

/// What the worlds were made of, and how fast they went by.
pub(super) fn figures(sums: &Value, report: &mut Report) {
    for name in ["requests", "writes", "crashes", "users"] {
        report.at_least(name, count(sums, name), 1, "");
    }
    let number = |name: &str| sums[name].as_f64().unwrap_or_default();
    let hours = number("simulated_hours");
    let per_core = hours * 3600.0 / number("seconds") / number("jobs").max(1.0);
    report.line("simulated-hours", format!("{hours:.0}"), ">0", hours > 0.0);
    report.line("simulated-hours-per-hour-per-core", format!("{per_core:.0}"), ">0", per_core > 0.0);
}

pub(super) fn count(sums: &Value, name: &str) -> u64 {
    sums[name].as_u64().unwrap_or_default()
}

/// A number from the environment.
pub(super) fn number(name: &str, default: u64) -> Result<u64> {
    let Some(text) = std::env::var_os(name).filter(|text| !text.is_empty()) else { return Ok(default) };
    let text = text.to_string_lossy();
    text.parse().with_context(|| format!("{name}={text} is not a number"))
}

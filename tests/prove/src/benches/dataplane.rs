//! TCP through the mock's data plane and through HAProxy: each alone on one core, the two ends of the traffic on
//! another, all in one network namespace; the two take turns within the same run.

mod contestant;
mod load;

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sched::{CloneFlags, CpuSet, sched_setaffinity, unshare};
use nix::unistd::Pid;

use crate::harness::Alone;
use crate::report::Report;
use contestant::Contestant;
use load::{Measured, What};

/// How often each of them is measured, and for how long.
const ROUNDS: usize = 5;
const LASTING: Duration = Duration::from_secs(2);
/// The core of the traffic's ends, and that of what is in between.
const ENDS: usize = 0;
const BETWEEN: usize = 1;

pub fn run(bed: &Alone, report: &mut Report) -> Result<()> {
    let haproxy = ferrolb_lab::ensure_program("haproxy", "haproxy")?;
    let binary = bed.product()?;
    ensure!(thread::available_parallelism()?.get() > BETWEEN, "this takes two cores");
    // A thread's namespace and core are its own, and those of what it starts; they go with it.
    thread::scope(|scope| {
        let body = scope.spawn(|| {
            enter()?;
            let (haproxy, ours) = (Contestant::haproxy(&haproxy, BETWEEN)?, Contestant::mock(binary, BETWEEN)?);
            compare(&haproxy, &ours, report)
        });
        body.join().unwrap_or_else(|_| bail!("it panicked"))
    })
}

/// Into a namespace of its own with nothing but loopback, and onto one core.
fn enter() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNET).context("make a network namespace (needs root)")?;
    contestant::finish(std::process::Command::new("ip").args(["link", "set", "lo", "up"]))?;
    let mut core = CpuSet::new();
    core.set(ENDS)?;
    sched_setaffinity(Pid::from_raw(0), &core).context("stay on one core")
}

fn compare(haproxy: &Contestant, ours: &Contestant, report: &mut Report) -> Result<()> {
    load::serve()?;
    for what in [What::Stream(1), What::Stream(64), What::Connections(64)] {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push((load::measure(haproxy, what, LASTING)?, load::measure(ours, what, LASTING)?));
        }
        let name = what.name();
        for (whose, pick) in [("haproxy", first as fn(&Pair) -> Measured), ("ferrolb", second)] {
            let all: Vec<Measured> = rounds.iter().map(pick).collect();
            let (rate, cpu) = (median(all.iter().map(|one| one.rate)), median(all.iter().map(Measured::cost)));
            report.holds(&format!("{name}/{whose}/rate"), what.show_rate(rate), true, "for-information");
            report.holds(&format!("{name}/{whose}/cpu"), what.show_cost(cpu), true, "for-information");
        }
        let ratio = median(rounds.iter().map(|(theirs, ours)| ours.rate / theirs.rate));
        report.holds(&format!("{name}/ratio"), format!("{ratio:.2}"), ratio >= 1.0, ">=1.00");
        let ratio = median(rounds.iter().map(|(theirs, ours)| ours.cost() / theirs.cost()));
        report.holds(&format!("{name}/cpu-ratio"), format!("{ratio:.2}"), true, "for-information");
    }
    Ok(())
}

type Pair = (Measured, Measured);

fn first(pair: &Pair) -> Measured {
    pair.0
}

fn second(pair: &Pair) -> Measured {
    pair.1
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median([3.0, 1.0, 2.0].into_iter()) - 2.0).abs() < f64::EPSILON);
        assert!(median(std::iter::empty()).is_nan());
    }
}

//! Scripts of users in the simulator, run once undisturbed and then with one thing going wrong at a time, at each place
//! where it can: every effective write × crash before and after, every overwritten event × held back, every restart × a
//! watch that is behind.

use anyhow::{Context, Result};

use crate::harness::Alone;
use crate::report::Report;

pub fn run(bed: &Alone, report: &mut Report) -> Result<()> {
    let last = bed.simulate(&["--perturb"])?;
    let (plans, diverged) = counts(&last).with_context(|| format!("the simulator ended with {last:?}"))?;
    report.at_least("simulated-plans", plans, 300, "");
    report.equal("simulated-divergences", diverged, 0);
    Ok(())
}

/// `1197 plans, 0 diverged, …`.
fn counts(line: &str) -> Option<(u64, u64)> {
    let (plans, rest) = line.split_once(" plans, ")?;
    let (diverged, _) = rest.split_once(" diverged")?;
    Some((plans.parse().ok()?, diverged.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simulators_last_line_is_read() {
        assert_eq!(counts("1197 plans, 2 diverged, 33.9 s"), Some((1197, 2)));
        assert_eq!(counts("cannot simulate: no cloud"), None);
    }
}

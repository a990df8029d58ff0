//! Chains of edits of a Service and its nodes in the simulator, a third of them wrong, with quiet after each.

use anyhow::{Context, Result};

use crate::harness::Alone;
use crate::report::Report;

pub fn run(bed: &Alone, report: &mut Report) -> Result<()> {
    let last = bed.simulate(&["--walks", "300"])?;
    let count = |what: &str| number(&last, what).with_context(|| format!("the simulator ended with {last:?}"));
    report.at_least("chains", count(" chains,")?, 100, "");
    report.at_least("wrong-steps", count(" of them wrong")?, 100, "");
    report.at_least("recoveries", count(" recoveries")?, 50, "");
    report.equal("failed-chains", count(" chains failed")?, 0);
    Ok(())
}

/// The number before a word.
fn number(line: &str, word: &str) -> Option<u64> {
    line.split_once(word)?.0.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simulators_last_line_is_read() {
        let line = "300 chains, 2100 steps, 630 of them wrong, 200 recoveries, 1 chains failed, 4.0 s";
        let words = [" chains,", " of them wrong", " recoveries", " chains failed", " plans"];
        assert_eq!(words.map(|word| number(line, word)), [Some(300), Some(630), Some(200), Some(1), None]);
    }
}

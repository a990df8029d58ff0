//! Create/delete pairs while a tenth of all calls fail and the controller is killed about once a minute, in the
//! simulator. `PAIRS=20000` for less than a million, `FROM=7` for other seeds.

use anyhow::Result;

use super::sim::{broken, count, figures, many, number};
use crate::harness::Alone;
use crate::report::Report;

/// Pairs of a run that names no number.
const PAIRS: u64 = 1_000_000;
/// Pairs in one world.
const PAIRS_EACH: u64 = 500;

pub fn run(bed: &Alone, report: &mut Report) -> Result<()> {
    let (pairs, from) = (number("PAIRS", PAIRS)?, number("FROM", 1)?);
    let each = PAIRS_EACH.min(pairs.max(1));
    let seeds = pairs.div_ceil(each);
    let sums = many(bed, seeds, from, &["--pairs", &each.to_string()])?;
    broken(&sums, report);
    let breaches: Vec<&str> = sums["broken"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|seed| seed["breaches"].as_array())
        .flatten()
        .filter_map(|breach| breach.as_str())
        .collect();
    for (what, invariant) in [("double-addresses", "I3 "), ("leaks", "I1 "), ("foreign-touches", "I2 ")] {
        report.equal(what, breaches.iter().filter(|breach| breach.starts_with(invariant)).count(), 0);
    }
    report.at_least("pairs", count(&sums, "pairs"), seeds * each, "");
    let seconds = sums["seconds"].as_f64().unwrap_or_default();
    let speed = count(&sums, "pairs") as f64 / seconds;
    report.line("pairs-per-second", format!("{speed:.0}"), ">0", speed > 0.0);
    figures(&sums, report);
    for (fault, count) in sums["faults"].as_object().into_iter().flatten() {
        // The other kinds have no part in this.
        if let Some(count) = count.as_u64().filter(|count| *count > 0) {
            report.at_least(&format!("fault-{fault}"), count, 1, "");
        }
    }
    Ok(())
}

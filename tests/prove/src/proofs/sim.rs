//! Seeds of the simulator, each a world of its own. `SEEDS=5000` for more, `FROM=7` for others.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::harness::Alone;
use crate::report::Report;

/// Seeds of a run that names none.
const SEEDS: u64 = 300;

pub fn run(bed: &Alone, report: &mut Report) -> Result<()> {
    let number = |name: &str, default: u64| -> Result<u64> {
        let Some(text) = std::env::var_os(name).filter(|text| !text.is_empty()) else { return Ok(default) };
        let text = text.to_string_lossy();
        text.parse().with_context(|| format!("{name}={text} is not a number"))
    };
    let (seeds, from) = (number("SEEDS", SEEDS)?, number("FROM", 1)?);
    let mut command = Command::new(bed.simulator()?);
    command.args(["--seeds", &seeds.to_string(), "--from", &from.to_string()]).stdin(Stdio::null());
    let succeeded = command.status().context("run the simulator")?.success();
    report.holds("seeds-without-a-breach", format!("{from}..{}", from + seeds), succeeded, "all");
    Ok(())
}

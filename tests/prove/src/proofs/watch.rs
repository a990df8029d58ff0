//! A watch that is lost without a word, by HTTP 410 at its start or by silence, and how old a view becomes by it. In
//! the simulator, because it takes minutes for each kind; that it fails without the product's watchdog is shown by the
//! proof `classic-bugs`.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::harness::Alone;
use crate::report::Report;

/// So old may a view become.
const BOUND: Duration = Duration::from_secs(150);

pub fn run(bed: &Alone, report: &mut Report) -> Result<()> {
    let mut command = Command::new(bed.simulator()?);
    let output = command.args(["--freshness", "--json"]).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = String::from_utf8(output.context("run the simulator")?.stdout)?;
    for line in output.lines() {
        let line: Value = serde_json::from_str(line).with_context(|| format!("the simulator said {line:?}"))?;
        let (kind, lost) = (line["kind"].as_str().unwrap_or_default(), line["lost"].as_str().unwrap_or_default());
        let seconds = line["seconds"].as_f64().with_context(|| format!("no time in {line}"))?;
        report.within(&format!("{kind}-{lost}"), Duration::from_secs_f64(seconds), BOUND);
    }
    ensure!(output.lines().count() == 8, "four kinds and two ways to lose them are eight times, not {output:?}");
    Ok(())
}

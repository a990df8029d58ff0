//! `prove test`: everything there is to check, and one closing line that sums it up.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result};

use super::machine;
use super::run::{Tally, carry_out};
use crate::{Options, proofs};

/// Runs formatting, lints, unit tests and all proofs. True when nothing failed.
pub fn test(options: Options) -> Result<bool> {
    let mut total = Tally::default();
    let checks: [(&str, &[&str]); 2] = [
        ("formatting", &["fmt", "--all", "--check"]),
        ("lints", &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]),
    ];
    for (what, args) in checks {
        eprintln!("prove: {what} (cargo {})", args.join(" "));
        add(&mut total, cargo(args, what)?);
    }
    eprintln!("prove: unit tests (cargo test --workspace)");
    add(&mut total, cargo(&["test", "--workspace", "--no-fail-fast"], "unit tests")?);
    match carry_out(proofs::ALL, &[], &[], options) {
        Ok(tally) => add(&mut total, tally),
        Err(error) => {
            println!("proofs did not run: {error:#}");
            total.failed += 1;
        }
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    Ok(total.failed == 0)
}

fn add(total: &mut Tally, more: Tally) {
    total.passed += more.passed;
    total.failed += more.failed;
}

/// Runs cargo, passes its output on and counts its tests; a command without tests counts as one.
fn cargo(args: &[&str], what: &str) -> Result<Tally> {
    let mut command = machine::cargo();
    command.current_dir(machine::root()).args(args).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().context("run cargo")?;
    let stdout = child.stdout.take().context("cargo has no standard output")?;
    let mut tally = Tally::default();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        println!("{line}");
        if let Some(counted) = test_result(&line) {
            add(&mut tally, counted);
        }
    }
    let succeeded = child.wait()?.success();
    if tally == Tally::default() || (!succeeded && tally.failed == 0) {
        // Formatting and lints have no count, and what does not compile has none either.
        println!("{what}: {}", if succeeded { "ok" } else { "FAILED" });
        add(&mut tally, Tally { passed: usize::from(succeeded), failed: usize::from(!succeeded) });
    }
    Ok(tally)
}

/// `test result: ok. 12 passed; 0 failed; …`, colours or not.
fn test_result(line: &str) -> Option<Tally> {
    let (_, counts) = line.split_once("test result: ")?;
    let number = |unit: &str| counts.split_once(unit)?.0.rsplit_once(' ')?.1.parse().ok();
    Some(Tally { passed: number(" passed")?, failed: number(" failed")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_cargo_test_are_counted() {
        let line = "test result: ok. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(test_result(line), Some(Tally { passed: 12, failed: 3 }));
        assert_eq!(test_result("test result: FAILED. 0 passed; 1 failed;"), Some(Tally { passed: 0, failed: 1 }));
        assert_eq!(test_result("running 3 tests"), None);
    }
}

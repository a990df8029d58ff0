//! The bare bed: no cluster. For proofs that run programs of the project by themselves.

use std::cell::OnceCell;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::runner;

/// No lab at all.
#[derive(Default)]
pub struct Alone {
    simulator: OnceCell<PathBuf>,
    product: OnceCell<PathBuf>,
}

impl Alone {
    /// The simulator's binary, built when first asked for.
    pub fn simulator(&self) -> Result<&Path> {
        built(&self.simulator, runner::build_simulator)
    }

    /// The product's binary, likewise.
    pub fn product(&self) -> Result<&Path> {
        built(&self.product, runner::build_product)
    }

    /// Runs the simulator, passes on what it prints, and gives its last line, which sums it up.
    pub fn simulate(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(self.simulator()?);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().context("run the simulator")?;
        let stdout = child.stdout.take().context("the simulator has no standard output")?;
        let mut last = String::new();
        for line in BufReader::new(stdout).lines() {
            last = line?;
            println!("{last}");
        }
        child.wait()?;
        Ok(last)
    }
}

fn built(cell: &OnceCell<PathBuf>, build: fn() -> Result<PathBuf>) -> Result<&Path> {
    if cell.get().is_none() {
        // One thread: nobody else has set it meanwhile.
        let _ = cell.set(build()?);
    }
    Ok(cell.get().map(PathBuf::as_path).unwrap_or(Path::new("")))
}

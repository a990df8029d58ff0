//! The bare bed: no cluster. For proofs that run programs of the project by themselves.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::runner;

/// No lab at all.
#[derive(Default)]
pub struct Alone {
    simulator: OnceCell<PathBuf>,
}

impl Alone {
    /// The simulator's binary, built when first asked for.
    pub fn simulator(&self) -> Result<&Path> {
        if self.simulator.get().is_none() {
            // One thread: nobody else has set it meanwhile.
            let _ = self.simulator.set(runner::build_simulator()?);
        }
        Ok(self.simulator.get().map(PathBuf::as_path).unwrap_or(Path::new("")))
    }
}

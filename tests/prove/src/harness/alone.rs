//! The bare bed: no cluster. For proofs that run programs of the project by themselves.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use anyhow::Result;

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
}

fn built(cell: &OnceCell<PathBuf>, build: fn() -> Result<PathBuf>) -> Result<&Path> {
    if cell.get().is_none() {
        // One thread: nobody else has set it meanwhile.
        let _ = cell.set(build()?);
    }
    Ok(cell.get().map(PathBuf::as_path).unwrap_or(Path::new("")))
}

//! Writes `yaml/*.yaml` anew: `cargo run -p ferrolb-crds --example write`.
#![allow(clippy::disallowed_methods, reason = "the crate decides; this one tool writes")]

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("yaml");
    for (name, yaml) in ferrolb_crds::generate()? {
        std::fs::write(folder.join(&name), yaml)?;
        println!("{name}");
    }
    Ok(())
}

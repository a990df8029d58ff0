//! `ferrolb crds`.

use std::io::Write;

/// Prints all custom resource definitions as one YAML stream.
///
/// # Errors
/// Standard output cannot be written. A reader that went away is no error.
pub fn print() -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for (_, yaml) in ferrolb_crds::generate()? {
        match write!(out, "---\n{yaml}") {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            other => other?,
        }
    }
    Ok(())
}

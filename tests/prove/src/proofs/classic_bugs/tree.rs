//! The copy of the workspace that has the bugs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::table::BUGS;

/// The environment variable that names the bug that is on.
pub const SWITCH: &str = "CLASSIC_BUG";
/// Where the switch is read: every crate that has a bug depends on this one.
const READER: &str = "providers/api/src/lib.rs";

/// Makes the copy, or renews what has changed of it, so that cargo builds no more than that.
pub fn weave(from: &Path, to: &Path) -> Result<()> {
    let mut files = BTreeMap::new();
    collect(from, Path::new(""), &mut files)?;
    for (name, text) in &mut files {
        // What is no text has no bug either.
        if let Ok(source) = std::str::from_utf8(text) {
            *text = with_bugs(&name.to_string_lossy(), source)?.into_bytes();
        }
    }
    let mut old = BTreeMap::new();
    if to.is_dir() {
        collect(to, Path::new(""), &mut old)?;
    }
    for name in old.keys().filter(|name| !files.contains_key(*name)) {
        fs::remove_file(to.join(name))?;
    }
    for (name, text) in files.iter().filter(|(name, text)| old.get(*name) != Some(*text)) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap_or(to))?;
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

/// All files of a checkout, but those that git and cargo made.
fn collect(root: &Path, under: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    for entry in fs::read_dir(root.join(under)).with_context(|| format!("read {}", root.join(under).display()))? {
        let entry = entry?;
        let name = under.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if entry.file_name() != "target" && entry.file_name() != ".git" {
                collect(root, &name, files)?;
            }
        } else if kind.is_file() {
            files.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(())
}

/// A source file with its bugs.
fn with_bugs(name: &str, source: &str) -> Result<String> {
    let mut text = source.to_owned();
    for bug in BUGS {
        for change in bug.changes.iter().filter(|change| change.file == name) {
            let found = text.matches(change.find).count();
            ensure!(found == 1, "{}: {} holds {found} times what is to be replaced: {}", bug.name, name, change.find);
            let krate = if name.starts_with("providers/api/") { "crate" } else { "ferrolb_provider" };
            let switch = format!("{krate}::is_on(\"{}\")", bug.name);
            text = text.replace(change.find, &change.replace.replace("BUG", &switch));
        }
    }
    if name == "Cargo.toml" {
        // cargo tells two checkouts that share a target folder apart by the versions of their crates alone.
        let version = concat!("\nversion = \"", env!("CARGO_PKG_VERSION"));
        ensure!(text.matches(version).count() == 1, "{name} does not name the version once");
        text = text.replace(version, &format!("{version}-bugs"));
    }
    if name == READER {
        text.push_str(&format!(
            "\n/// Whether a bug is switched on.\npub fn is_on(bug: &str) -> bool {{\n    \
             static ON: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();\n    \
             ON.get_or_init(|| std::env::var(\"{SWITCH}\").ok()).as_deref() == Some(bug)\n}}\n"
        ));
    }
    Ok(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::runner::root;

    #[test]
    fn every_bug_still_has_its_place() {
        for change in BUGS.iter().flat_map(|bug| bug.changes) {
            let source = fs::read_to_string(root().join(change.file)).unwrap();
            let woven = with_bugs(change.file, &source).unwrap();
            assert_ne!(woven, source);
        }
    }

    #[test]
    fn names_are_unique_and_every_bug_has_its_switch() {
        let names: std::collections::BTreeSet<&str> = BUGS.iter().map(|bug| bug.name).collect();
        assert_eq!(names.len(), BUGS.len());
        let has_switch = |bug: &super::super::Bug| bug.changes.iter().all(|change| change.replace.contains("BUG"));
        assert!(BUGS.iter().all(|bug| !bug.changes.is_empty() && has_switch(bug)));
    }
}

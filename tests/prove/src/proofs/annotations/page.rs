//! The reference page of the annotations as its readers see it: which keys there are, and what it promises of them.

use anyhow::{Context, Result, ensure};

use crate::runner::root;

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Full key.
    pub key: String,
    /// What it says of values.
    pub value: String,
    /// What it says of a change.
    pub changed: String,
    /// What it says of removal.
    pub removed: String,
    /// Whether the product acts on it.
    pub support: Support,
}

/// What the product does with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// What the page says, or refuses it.
    Acts,
    /// Nothing yet, with a warning.
    Warns,
    /// Nothing, without a word.
    Silent,
}

/// All keys of `docs/annotations.md`.
pub fn read() -> Result<Vec<Entry>> {
    let path = root().join("docs/annotations.md");
    let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    parse(&text)
}

fn parse(text: &str) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut support = Support::Acts;
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            support = match title {
                _ if title.starts_with("Known and not acted on") => Support::Warns,
                _ if title.starts_with("Known and without effect") => Support::Silent,
                _ => Support::Acts,
            };
        }
        let Some(row) = line.strip_prefix("| `") else { continue };
        let (key, rest) = row.split_once('`').context("a row has no key")?;
        let cells: Vec<&str> = rest.split('|').map(str::trim).collect();
        ensure!(cells.len() == 9, "the row of {key} has {} cells", cells.len());
        let cell = |at: usize| cells[at].to_owned();
        entries.push(Entry { key: key.to_owned(), value: cell(2), changed: cell(5), removed: cell(6), support });
    }
    ensure!(entries.len() > 50, "the page has only {} keys", entries.len());
    Ok(entries)
}

//! docs/results.md: the latest lines of every proof, with the commit and machine they come from.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

use super::machine;
use crate::report::{Line, seconds};

const HEAD: &str = "# Results\n\n\
    Written by the runner (`make prove P=all`, `make bench B=all`): the latest lines of every proof and bench, each with the\n\
    commit and machine it comes from. A line reads `name value bound PASS|FAIL`.\n";

/// Replaces the section of one proof.
pub fn write(proof: &str, about: &str, lines: &[Line], took: Duration) -> Result<()> {
    let path = machine::root().join("docs/results.md");
    let old = fs::read_to_string(&path).unwrap_or_default();
    let mut sections = parse(&old);
    let rows: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let origin = format!("{}; took {}", machine::describe(), seconds(took));
    sections.insert(proof.to_owned(), format!("{about}\n\n{origin}\n\n```text\n{rows}```\n"));
    let folder = path.parent().context("docs/results.md has no folder")?;
    fs::create_dir_all(folder)?;
    fs::write(&path, render(&sections)).with_context(|| format!("write {}", path.display()))
}

/// Sections by name, as [`render`] wrote them.
fn parse(text: &str) -> BTreeMap<String, String> {
    let mut sections = text.split("\n## ");
    sections.next();
    let named = sections.filter_map(|section| section.split_once("\n\n"));
    named.map(|(name, body)| (name.trim().to_owned(), format!("{}\n", body.trim_end()))).collect()
}

fn render(sections: &BTreeMap<String, String>) -> String {
    let parts = sections.iter().map(|(name, body)| format!("\n## {name}\n\n{body}"));
    HEAD.to_owned() + &parts.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_back_as_it_was_written() {
        let mut sections = BTreeMap::new();
        sections.insert("crash".to_owned(), "About.\n\ncommit x\n\n```text\na b c PASS\n```\n".to_owned());
        sections.insert("address".to_owned(), "Else.\n\n```text\n```\n".to_owned());
        let page = render(&sections);
        assert_eq!(parse(&page), sections);
        assert_eq!(render(&parse(&page)), page);
        assert!(parse("").is_empty());
    }
}

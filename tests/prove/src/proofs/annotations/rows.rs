//! The rows, by what they are about. Who builds a key adds rows for it: at least a valid, an edge and an invalid value,
//! and its removal.

mod balancer;
mod dnat;
mod listener;
mod made;
mod members;
mod pool;

use super::case::{Case, Kind, key, sees, warned};
use super::page::{Entry, Support};

/// All rows: the written ones, and those that follow from what the page says of keys that are not acted on.
pub fn all(page: &[Entry]) -> Vec<Case> {
    let mut cases: Vec<Case> =
        [balancer::rows(), made::rows(), listener::rows(), pool::rows(), members::rows(), dnat::rows()].concat();
    cases.extend(page.iter().filter_map(not_acted_on));
    cases
}

/// A key that is not acted on: a warning says so whatever its value is, or nothing does where nothing is missed.
fn not_acted_on(entry: &Entry) -> Option<Case> {
    let of_page = entry.value.split('`').nth(1).filter(|word| *word != "false");
    let values = [of_page.unwrap_or("x"), "100", "!?"];
    let case = key(&entry.key).dedicated("TCP:80");
    let expect = match entry.support {
        Support::Acts => return None,
        Support::Warns => warned(&[&entry.key]),
        Support::Silent => sees("ours", 3),
    };
    let [valid, edge, invalid] = values.map(|value| (value, expect.clone()));
    let case = case.valid(valid.0, valid.1).edge(edge.0, edge.1).invalid(invalid.0, invalid.1);
    Some(case.removed(sees("ours", 3)))
}

/// What of a key is not tried.
pub fn missing<'a>(entry: &Entry, cases: impl Iterator<Item = &'a Case>) -> Option<String> {
    let mine: Vec<&Case> = cases.filter(|case| case.key == entry.key).collect();
    let has = |kind: Kind| mine.iter().any(|case| case.steps.iter().any(|step| step.kind == kind));
    let removal = entry.removed.is_empty() || entry.changed == "refused" || has(Kind::Removed);
    let kinds = [("valid", has(Kind::Valid)), ("edge", has(Kind::Edge)), ("invalid", has(Kind::Invalid))];
    let lacking: Vec<&str> =
        kinds.into_iter().chain([("removed", removal)]).filter(|(_, has)| !has).map(|(kind, _)| kind).collect();
    (!lacking.is_empty()).then(|| format!("{} lacks rows: {}", entry.key, lacking.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::super::page;
    use super::*;

    #[test]
    fn every_row_is_about_a_key_of_the_page() {
        let page = page::read().unwrap_or_default();
        assert!(!page.is_empty());
        for case in all(&page) {
            assert!(page.iter().any(|entry| entry.key == case.key), "{} is not on the page", case.key);
            assert!(!case.steps.is_empty(), "{} has a row without steps", case.key);
        }
    }
}

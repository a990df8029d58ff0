//! A table of objects by id that remembers what was deleted lately, so that a list can lag.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a deleted object is remembered for lagging lists; no plan may lag longer.
const MEMORY: SignedDuration = SignedDuration::from_mins(10);

/// Objects of one kind by id. Lists come in the order of ids, which makes markers stable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Store<T> {
    rows: BTreeMap<String, Row<T>>,
    #[serde(skip, default = "Vec::new")]
    gone: Vec<Gone<T>>,
}

/// An object with the two times every answer shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row<T> {
    pub created: Timestamp,
    pub updated: Timestamp,
    pub value: T,
}

#[derive(Debug, Clone, PartialEq)]
struct Gone<T> {
    at: Timestamp,
    id: String,
    row: Row<T>,
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), gone: Vec::new() }
    }
}

impl<T: Clone + PartialEq> Store<T> {
    pub fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(id).map(|row| &row.value)
    }

    pub fn row(&self, id: &str) -> Option<&Row<T>> {
        self.rows.get(id)
    }

    pub fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.rows.get_mut(id).map(|row| &mut row.value)
    }

    pub fn contains(&self, id: &str) -> bool {
        self.rows.contains_key(id)
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&String, &T)> {
        self.rows.iter().map(|(id, row)| (id, &row.value))
    }

    /// What a list shows: everything as it was `lag` ago, as far as existence goes.
    pub fn seen(&self, now: Timestamp, lag: SignedDuration) -> Vec<(&str, &Row<T>)> {
        let live = self.rows.iter().map(|(id, row)| (id.as_str(), row));
        if lag.is_zero() {
            return live.collect();
        }
        let horizon = now - lag;
        let gone = self.gone.iter().filter(|gone| gone.at > horizon).map(|gone| (gone.id.as_str(), &gone.row));
        let mut seen: Vec<_> = live.chain(gone).filter(|(_, row)| row.created <= horizon).collect();
        seen.sort_by_key(|(id, _)| *id);
        seen
    }

    pub fn insert(&mut self, id: String, now: Timestamp, value: T) {
        self.rows.insert(id, Row { created: now, updated: now, value });
    }

    /// Applies `change` and says whether anything differs now.
    pub fn update(&mut self, id: &str, now: Timestamp, change: impl FnOnce(&mut T)) -> bool {
        let Some(row) = self.rows.get_mut(id) else { return false };
        let before = row.value.clone();
        change(&mut row.value);
        let changed = row.value != before;
        if changed {
            row.updated = now;
        }
        changed
    }

    /// Removes all.
    pub fn clear(&mut self, now: Timestamp) {
        for id in self.rows.keys().cloned().collect::<Vec<_>>() {
            self.remove(&id, now);
        }
    }

    pub fn remove(&mut self, id: &str, now: Timestamp) -> Option<T> {
        let row = self.rows.remove(id)?;
        let value = row.value.clone();
        self.gone.retain(|gone| gone.at > now - MEMORY);
        self.gone.push(Gone { at: now, id: id.to_owned(), row });
        Some(value)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_lagging_list_hides_the_young_and_shows_the_dead() {
        let t = |s: i64| Timestamp::from_second(1_000 + s).unwrap();
        let lag = SignedDuration::from_secs(5);
        let mut store = Store::default();
        store.insert("b".into(), t(0), 1);
        store.insert("a".into(), t(8), 2);
        let ids = |store: &Store<i32>, now, lag| {
            store.seen(now, lag).iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&store, t(10), SignedDuration::ZERO), ["a", "b"]);
        assert_eq!(ids(&store, t(10), lag), ["b"]);
        assert_eq!(ids(&store, t(13), lag), ["a", "b"]);
        store.remove("b", t(14));
        assert_eq!(ids(&store, t(18), lag), ["a", "b"]);
        assert_eq!(ids(&store, t(19), lag), ["a"]);
        assert_eq!(ids(&store, t(18), SignedDuration::ZERO), ["a"]);
    }

    #[test]
    fn an_update_that_changes_nothing_says_so() {
        let mut store = Store::default();
        store.insert("a".into(), Timestamp::UNIX_EPOCH, 1);
        let later = Timestamp::from_second(9).unwrap();
        assert!(!store.update("a", later, |v| *v = 1));
        assert_eq!(store.row("a").unwrap().updated, Timestamp::UNIX_EPOCH);
        assert!(store.update("a", later, |v| *v = 2));
        assert_eq!(store.row("a").unwrap().updated, later);
        assert!(!store.update("none", later, |v| *v = 2));
    }
}

//! What a proxy lets through, holds back and writes down. No sockets.

use std::collections::BTreeMap;

use serde_json::Value;

/// The resources that the controller watches.
const WATCHED: [&str; 4] = ["services", "endpointslices", "nodes", "loadbalancerclasses"];

/// What to hold back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// A write, before it takes effect.
    Before(Nth),
    /// A write, after it took effect.
    After(Nth),
    /// An event of a watch, and the watch with it, until a later event of the same object: then only that is told.
    Event(Nth),
    /// The answer to the next list of this resource, and the watch that follows.
    View(&'static str),
}

/// A write or an event by its place in the order of those like it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nth {
    /// Of a write: `METHOD path`, with `{service}` for the name of the Service in question. Of an event: its object,
    /// `Service/{service}` or `Node/NAME`.
    pub what: String,
    /// From 1.
    pub nth: usize,
}

/// Something that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// A write that changed something, or an event.
    pub what: Nth,
    /// The resource version that it made, or tells.
    pub version: String,
}

/// The door's memory.
#[derive(Debug, Default)]
pub struct Door {
    subject: String,
    hold: Option<Hold>,
    /// Whether something waits for the end of the hold.
    pub holding: bool,
    counts: BTreeMap<String, usize>,
    /// Effective writes.
    pub writes: Vec<Passed>,
    /// Events of the Service in question and of nodes.
    pub events: Vec<Passed>,
    /// Lists that a server which lags behind might have answered, too (`resourceVersion=0`), and all lists.
    pub lists: (usize, usize),
}

impl Door {
    /// Forgets what was, and is about the Service of this name from now on.
    pub fn begin(&mut self, subject: &str) {
        *self = Self { subject: subject.to_owned(), lists: self.lists, ..Self::default() };
    }

    /// Sets a hold, in the place of any other.
    pub fn hold(&mut self, hold: Option<Hold>) {
        self.hold = hold;
        self.holding = false;
    }

    /// A write arrives: which one it is, and whether it is held before, or after its effect.
    pub fn write_arrives(&mut self, method: &str, path: &str) -> (Nth, bool, bool) {
        let write = self.next(format!("{method} {}", path.replace(&self.subject, "{service}")));
        let (before, after) =
            (self.hold == Some(Hold::Before(write.clone())), self.hold == Some(Hold::After(write.clone())));
        self.holding |= before;
        (write, before, after)
    }

    /// A write was answered; `sent` and `answer` are its bodies, null where they are no objects.
    pub fn write_answered(&mut self, write: Nth, status: u16, sent: &Value, answer: &Value) {
        let version = answer["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        // An apply names the version that it was concluded from; the same in the answer: it changed nothing.
        if (200..300).contains(&status) && sent["metadata"]["resourceVersion"] != version {
            self.writes.push(Passed { what: write, version: version.to_owned() });
        }
    }

    /// A list or a watch arrives: whether it is held as part of an old view.
    pub fn read_arrives(&mut self, path: &str, query: &str) -> bool {
        let resource = path.rsplit('/').next().unwrap_or_default();
        let has = |wanted: &str| query.split('&').any(|part| part == wanted);
        if WATCHED.contains(&resource) && !query.contains("watch=") {
            self.lists.0 += usize::from(has("resourceVersion=0") || has("resourceVersionMatch=NotOlderThan"));
            self.lists.1 += 1;
        }
        matches!(self.hold, Some(Hold::View(held)) if held == resource)
    }

    /// A line of a watch arrives; `kept` holds what this watch keeps back. What is told now.
    pub fn line_arrives(&mut self, line: Vec<u8>, kept: &mut Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let event: Value = serde_json::from_slice(&line).unwrap_or_default();
        let seen = self.object(&event["object"]).map(|object| self.next(object));
        if let Some(seen) = &seen {
            let version = event["object"]["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
            self.events.push(Passed { what: seen.clone(), version });
        }
        match (&self.hold, seen) {
            (Some(Hold::Event(held)), Some(seen)) if *held == seen => {
                self.holding = true;
                kept.push(line);
                Vec::new()
            }
            (Some(Hold::Event(held)), Some(seen)) if !kept.is_empty() && held.what == seen.what => {
                self.hold(None);
                kept.push(line);
                std::mem::take(kept).split_off(1)
            }
            (Some(Hold::Event(_)), _) if !kept.is_empty() => {
                kept.push(line);
                Vec::new()
            }
            _ => {
                kept.push(line);
                std::mem::take(kept)
            }
        }
    }

    fn object(&self, object: &Value) -> Option<String> {
        let name = object["metadata"]["name"].as_str()?;
        match object["kind"].as_str()? {
            "Service" if name == self.subject => Some("Service/{service}".to_owned()),
            // A bookmark has a kind and no name.
            "Node" if !name.is_empty() => Some(format!("Node/{name}")),
            _ => None,
        }
    }

    fn next(&mut self, what: String) -> Nth {
        let count = self.counts.entry(what.clone()).or_default();
        *count += 1;
        Nth { what, nth: *count }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(name: &str, version: u32) -> Vec<u8> {
        let metadata = json!({"name": name, "resourceVersion": version.to_string()});
        json!({"type": "MODIFIED", "object": {"kind": "Service", "metadata": metadata}}).to_string().into_bytes()
    }

    fn nth(what: &str, nth: usize) -> Nth {
        Nth { what: what.to_owned(), nth }
    }

    #[test]
    fn of_two_events_of_an_object_only_the_later_is_told() {
        let (mut door, mut kept) = (Door::default(), Vec::new());
        door.begin("a");
        door.hold(Some(Hold::Event(nth("Service/{service}", 2))));
        assert_eq!(door.line_arrives(line("a", 1), &mut kept), [line("a", 1)]);
        assert!(!door.holding);
        assert!(door.line_arrives(line("a", 2), &mut kept).is_empty());
        assert!(door.holding);
        assert!(door.line_arrives(line("b", 3), &mut kept).is_empty(), "what comes behind it waits as well");
        assert_eq!(door.line_arrives(line("a", 4), &mut kept), [line("b", 3), line("a", 4)]);
        assert!(!door.holding);
        assert_eq!(door.line_arrives(line("a", 5), &mut kept), [line("a", 5)]);
        let versions: Vec<_> = door.events.iter().map(|event| event.version.as_str()).collect();
        assert_eq!(versions, ["1", "2", "4", "5"]);
    }

    #[test]
    fn a_write_is_known_by_its_place_and_its_effect() {
        let mut door = Door::default();
        door.begin("web-1");
        door.hold(Some(Hold::After(nth("PATCH /services/{service}/status", 2))));
        let version = |version: &str| json!({"metadata": {"resourceVersion": version}});
        for (n, (sent, answer)) in [("1", "2"), ("2", "2"), ("2", "3")].into_iter().enumerate() {
            let (write, before, after) = door.write_arrives("PATCH", "/services/web-1/status");
            assert_eq!((write.nth, before, after), (n + 1, false, n == 1));
            door.write_answered(write, 200, &version(sent), &version(answer));
        }
        let effective: Vec<_> = door.writes.iter().map(|write| (write.what.nth, write.version.as_str())).collect();
        assert_eq!(effective, [(1, "2"), (3, "3")]);
    }

    #[test]
    fn lists_that_may_be_answered_from_the_past_are_counted() {
        let mut door = Door::default();
        door.hold(Some(Hold::View("nodes")));
        assert!(door.read_arrives("/api/v1/nodes", "limit=500"));
        assert!(!door.read_arrives("/api/v1/services", "limit=500&resourceVersion=0"));
        assert!(!door.read_arrives("/api/v1/services", "watch=true&resourceVersion=0"));
        assert_eq!(door.lists, (1, 2));
    }
}

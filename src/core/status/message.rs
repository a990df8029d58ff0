//! Words for conditions and events.

use std::collections::BTreeSet;

use ferrolb_provider::{Conflict, Holder, Problem, Serving, Slot, Wait};

use crate::Row;

/// What an event's note may hold, in bytes.
const LONGEST: usize = 1024;
/// What is quoted of one message of the cloud, in bytes.
const QUOTED: usize = 300;
/// How many objects are named before the rest is counted.
const NAMED: usize = 10;

/// `text: details. next.`, cut where it must be at the details.
pub(super) fn compose(row: &Row, details: &str) -> String {
    let details = details.trim_end_matches(['.', ' ']);
    let next = if row.next.is_empty() { String::new() } else { format!(" {}.", row.next) };
    let colon = if details.is_empty() { "" } else { ": " };
    let room = LONGEST - row.text.len() - colon.len() - 1 - next.len();
    format!("{}{colon}{}.{next}", row.text, cut(details, room))
}

/// One problem after the other, in the order in which they were found.
pub(super) fn problems(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).joined("; ")
}

/// What is waited for.
pub(super) fn waits(waits: &[Wait]) -> String {
    let words: BTreeSet<String> = waits.iter().map(|w| format!("{}: {}", w.slot, short(&w.reason))).collect();
    words.joined("; ")
}

/// What others have, seen from `cluster`.
pub(super) fn taken(conflicts: &[Conflict], cluster: &str) -> String {
    let words = |c: &Conflict| {
        let whose = match &c.holder {
            Holder::Owner(owner) if owner.cluster == cluster => format!("Service {}", c.holder),
            Holder::Owner(owner) => format!("Service {} of cluster {}", c.holder, owner.cluster),
            Holder::Stranger(words) => format!("{words}, which is not ours"),
        };
        format!("{} of {} is held by {whose}", c.slot, c.on)
    };
    let sorted: BTreeSet<String> = conflicts.iter().map(words).collect();
    sorted.joined("; ")
}

/// What others have hung on something.
pub(super) fn blocked(conflicts: &[Conflict]) -> String {
    let words = |c: &Conflict| match &c.holder {
        Holder::Owner(owner) => {
            format!("{} {} is used by Service {} of cluster {}", c.slot, c.on, c.holder, owner.cluster)
        }
        Holder::Stranger(words) => format!("{} {} is used by {words}", c.slot, c.on),
    };
    let sorted: BTreeSet<String> = conflicts.iter().map(words).collect();
    sorted.joined("; ")
}

/// Objects by name.
pub(super) fn slots(slots: &[Slot]) -> String {
    let sorted: BTreeSet<String> = slots.iter().map(Slot::to_string).collect();
    sorted.joined(", ")
}

/// Addresses in the order of the status.
pub(super) fn addresses(serving: &Serving) -> String {
    serving.addresses.iter().map(|a| a.ip.to_string()).joined(", ")
}

/// The beginning of what the cloud said, on one line.
pub(super) fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&line, QUOTED)
}

/// Joins words, counting those after the tenth.
pub(super) trait Joined {
    /// The words with `between` between them.
    fn joined(self, between: &str) -> String;
}

impl<T: IntoIterator<Item = String>> Joined for T {
    fn joined(self, between: &str) -> String {
        let mut words = self.into_iter();
        let mut named: Vec<String> = words.by_ref().take(NAMED).collect();
        let more = words.count();
        if more > 0 {
            named.push(format!("and {more} more"));
        }
        named.join(between)
    }
}

fn cut(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let mark = '…';
    let mut end = longest - mark.len_utf8();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{mark}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reason;

    #[test]
    fn text_details_and_next_make_sentences() {
        let row = Reason::ObjectsRemain.row();
        let said = compose(row, "eip/main");
        assert_eq!(said, "Objects of the load balancer are still there: eip/main. FerroLB goes on by itself.");
        assert_eq!(compose(Reason::Accepted.row(), ""), "Everything that the Service asks for is understood.");
        assert_eq!(compose(Reason::Waiting.row(), "a dot. "), "Waiting: a dot. FerroLB looks again by itself.");
    }

    #[test]
    fn what_is_too_long_loses_details_and_never_the_next_step() {
        for row in Reason::ALL.iter().map(|r| r.row()) {
            for length in [900, 1000, 5000] {
                let said = compose(row, &"ü".repeat(length));
                assert!(said.len() <= LONGEST, "{}: {}", row.reason, said.len());
                assert!(said.contains(row.next) && said.starts_with(row.text));
            }
        }
    }

    #[test]
    fn many_are_counted() {
        let slots: Vec<Slot> = (10..25).map(|n| Slot::new("member", n)).collect();
        let said = self::slots(&slots);
        assert!(said.starts_with("member/10, member/11, ") && said.ends_with("member/19, and 5 more"), "{said}");
    }
}

//! Who may connect: IP address groups, and which of them a listener uses.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ferrolb_provider::Change;
use ipnet::IpNet;
use serde::Serialize;

/// An IP address group of our own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IpGroup {
    /// Its lines in one form: addresses, and ranges without host bits.
    pub lines: BTreeSet<String>,
}

/// Who may connect to a listener.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Access {
    /// Wished: nothing is said, so that groups of the user's stay as they are; ours go.
    #[default]
    Unsaid,
    /// Everybody.
    Everybody,
    /// Wished: whom our own group lists.
    OwnGroup,
    /// As these groups say.
    Groups(Groups),
}

/// Groups that a listener uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Groups {
    /// Their ids.
    pub ids: BTreeSet<String>,
    /// Switched on.
    pub enabled: bool,
    /// Only those listed may connect, not only those who are not.
    pub white: bool,
    /// Found: one of them is our own.
    pub own: bool,
}

impl IpGroup {
    /// Neither twice nor one within another, which a cloud may refuse; and no range of all addresses, for the same
    /// reason.
    pub fn of(ranges: &[IpNet]) -> Self {
        let halves = |range: IpNet| match range.prefix_len() {
            0 => range.subnets(1).map_or_else(|_| vec![range], Iterator::collect),
            _ => vec![range],
        };
        let all = IpNet::aggregate(&ranges.to_vec()).into_iter().flat_map(halves);
        Self { lines: all.map(|range| line(&range.to_string())).collect() }
    }

    pub(super) fn change(&self, seen: &Self) -> Change {
        if self.lines == seen.lines { Change::None } else { Change::Update(vec!["ip_list"]) }
    }
}

/// A line of a group in the form that ours have.
pub(crate) fn line(text: &str) -> String {
    let text = text.trim();
    match (text.parse::<IpAddr>(), text.parse::<IpNet>()) {
        (Ok(address), _) => address.to_string(),
        (_, Ok(range)) if range.prefix_len() == range.max_prefix_len() => range.addr().to_string(),
        (_, Ok(range)) => range.trunc().to_string(),
        _ => text.to_owned(),
    }
}

impl Access {
    /// Whether what was found is not what is wished. Which group of ours a listener uses is a matter of its parents.
    pub(super) fn differs(&self, seen: &Self) -> bool {
        let seen = match seen {
            Self::Groups(seen) => Some(seen),
            _ => None,
        };
        match (self, seen) {
            (Self::Unsaid, seen) => seen.is_some_and(|seen| seen.own),
            (Self::Everybody, seen) => seen.is_some_and(|seen| seen.own || seen.enabled),
            (Self::OwnGroup, seen) => !seen.is_some_and(|seen| seen.enabled && seen.white && seen.ids.len() == 1),
            (Self::Groups(_), None) => true,
            (Self::Groups(want), Some(seen)) => {
                want.ids != seen.ids || want.enabled != seen.enabled || want.white != seen.white
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn groups(ids: &[&str], enabled: bool, white: bool, own: bool) -> Access {
        Access::Groups(Groups { ids: ids.iter().map(|id| (*id).to_owned()).collect(), enabled, white, own })
    }

    #[test]
    fn ranges_are_told_once_and_in_one_form() {
        let of = |ranges: &[&str]| {
            let ranges: Vec<IpNet> = ranges.iter().map(|range| range.parse().unwrap()).collect();
            IpGroup::of(&ranges).lines.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(of(&["192.0.2.7/32", "10.1.0.0/16", "10.0.0.0/8"]), ["10.0.0.0/8", "192.0.2.7"]);
        assert_eq!(of(&["0.0.0.0/0"]), ["0.0.0.0/1", "128.0.0.0/1"]);
        assert_eq!(of(&["::/0", "2001:db8::1/128", "203.0.113.0/24"]), ["203.0.113.0/24", "8000::/1", "::/1"]);
        assert_eq!(
            ["10.1.2.3/8", "10.0.0.1/32", " 2001:DB8::1 ", "a-b"].map(line),
            ["10.0.0.0/8", "10.0.0.1", "2001:db8::1", "a-b"]
        );
    }

    #[test]
    fn what_is_not_said_stays_unless_it_is_ours() {
        use Access::{Everybody, OwnGroup, Unsaid};
        let (theirs, off, ours) =
            (groups(&["a"], true, true, false), groups(&["a"], false, true, false), groups(&["o"], true, true, true));
        for (want, seen, differs) in [
            (Unsaid, &Everybody, false),
            (Unsaid, &theirs, false),
            (Unsaid, &ours, true),
            (Everybody, &theirs, true),
            (Everybody, &off, false),
            (Everybody, &ours, true),
            (OwnGroup, &Everybody, true),
            (OwnGroup, &ours, false),
            (OwnGroup, &off, true),
            (OwnGroup, &groups(&["o"], true, false, true), true),
            (OwnGroup, &groups(&["a", "o"], true, true, true), true),
            (theirs.clone(), &Everybody, true),
            (theirs.clone(), &theirs, false),
            (theirs.clone(), &off, true),
            (groups(&["b", "a"], true, false, false), &groups(&["a", "b"], true, false, false), false),
        ] {
            assert_eq!(want.differs(seen), differs, "{want:?} {seen:?}");
        }
    }
}

//! Who may open a connection or session: the address groups of a listener, as the data plane asks them. What is open
//! already stays when a group changes.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use crate::state::{AccessList, Cloud, IpGroup, Listener};

/// The lists of a listener; that of one without any admits everybody.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Access {
    list: Option<AccessList>,
    ranges: Vec<RangeInclusive<IpAddr>>,
}

impl Access {
    pub fn of(cloud: &Cloud, listener: &Listener) -> Self {
        let Some(control) = listener.access.as_ref().filter(|control| control.enabled) else {
            return Self::of_whitelist(cloud, listener);
        };
        let groups = control.groups.iter().filter_map(|id| cloud.find::<IpGroup>(id).ok());
        let ranges = groups.flat_map(|group| &group.ip_list).filter_map(|entry| entry.range()).collect();
        Self { list: Some(control.kind), ranges }
    }

    /// Shared load balancers may have one of these instead.
    fn of_whitelist(cloud: &Cloud, listener: &Listener) -> Self {
        let list = cloud.whitelist_of(&listener.id).filter(|list| list.enabled);
        list.map_or_else(Self::default, |list| Self {
            list: Some(AccessList::White),
            ranges: list.entries.iter().filter_map(|entry| entry.range()).collect(),
        })
    }

    /// An empty white list admits nobody, an empty black list everybody.
    pub fn admits(&self, client: IpAddr) -> bool {
        let client = client.to_canonical();
        let is_listed = self.ranges.iter().any(|range| range.contains(&client));
        match self.list {
            None => true,
            Some(AccessList::White) => is_listed,
            Some(AccessList::Black) => !is_listed,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn white_admits_what_is_listed_and_black_the_rest() {
        let ten: IpAddr = "10.0.0.0".parse().unwrap();
        let last: IpAddr = "10.0.0.255".parse().unwrap();
        let (inside, outside) = ("10.0.0.7".parse().unwrap(), "10.0.1.7".parse().unwrap());
        let access = |list, ranges: &[RangeInclusive<IpAddr>]| Access { list, ranges: ranges.to_vec() };
        for (list, ranges, expected) in [
            (None, vec![ten..=last], (true, true)),
            (Some(AccessList::White), vec![ten..=last], (true, false)),
            (Some(AccessList::Black), vec![ten..=last], (false, true)),
            (Some(AccessList::White), vec![], (false, false)),
            (Some(AccessList::Black), vec![], (true, true)),
        ] {
            let access = access(list, &ranges);
            assert_eq!((access.admits(inside), access.admits(outside)), expected, "{access:?}");
        }
        let mapped: IpAddr = "::ffff:10.0.0.7".parse().unwrap();
        assert!(access(Some(AccessList::White), &[ten..=last]).admits(mapped));
    }
}

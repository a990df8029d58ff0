//! Who may connect: address groups of the user's, unless the Service itself says it by its source ranges.

use std::collections::BTreeSet;

use ferrolb_provider::Desired;

use super::read::Reader;
use crate::keys::{ACL_ID, ACL_STATUS, ACL_TYPE};
use crate::resource::{Access, Groups};
use crate::spec::Class;

const RANGES: &str = "spec.loadBalancerSourceRanges";
/// Groups that a listener of a dedicated load balancer can use; one of a shared one uses a single group.
const MOST: usize = 5;

pub(super) fn parse(reader: &mut Reader<'_>, want: &Desired, class: Option<Class>) -> Access {
    let has_ranges = !want.source_ranges.is_empty();
    let said = reader.options.contains_key(ACL_ID);
    let ids = reader.list(ACL_ID);
    let status = reader.word(ACL_STATUS).map(|word| matches!(word.as_str(), "on" | "true"));
    let kind = reader.word(ACL_TYPE);
    let Some(ids) = ids else {
        return match (has_ranges, said) {
            (true, true) if reader.text(ACL_ID).is_none() => {
                reader.warn(
                    ACL_ID,
                    format!("without effect: \"\" lets everybody connect, and {RANGES} only some"),
                    "one of the two",
                );
                Access::OwnGroup
            }
            (true, _) => Access::OwnGroup,
            (false, true) => Access::Everybody,
            (false, false) => {
                for key in [ACL_STATUS, ACL_TYPE] {
                    if reader.text(key).is_some() {
                        reader.warn(key, format!("without effect without {ACL_ID}"), "the id of an IP address group");
                    }
                }
                Access::Unsaid
            }
        };
    };
    if has_ranges {
        reader.error(
            ACL_ID,
            format!("it and {RANGES} both say who may connect, and a listener can follow only one"),
            format!("one of the two: {ACL_ID} for a group of your own, {RANGES} for one that is made of it"),
        );
    }
    let most = if class == Some(Class::Shared) { 1 } else { MOST };
    if ids.len() > most {
        let valid = if most == 1 {
            "one group, or class performance, where there can be five".to_owned()
        } else {
            format!("at most {most}")
        };
        reader.error(ACL_ID, format!("{} groups are too many for one listener", ids.len()), valid);
    }
    // To guess either would be to guess who may connect.
    if status.is_none() && reader.text(ACL_STATUS).is_none() {
        reader.error(ACL_STATUS, format!("missing: {ACL_ID} needs it"), "on, or off where everybody may connect");
    }
    if kind.is_none() && reader.text(ACL_TYPE).is_none() && status != Some(false) {
        reader.error(
            ACL_TYPE,
            format!("missing: {ACL_ID} needs it"),
            "white where only the group may connect, black where all others may",
        );
    }
    let white = kind.as_deref() != Some("black");
    Access::Groups(Groups {
        ids: ids.into_iter().collect::<BTreeSet<_>>(),
        enabled: status != Some(false),
        white,
        own: false,
    })
}

//! IP address groups, and what a listener says of them.

use ferrolb_provider::{Id, Owner, Seen, State};
use serde_json::Value;

use super::{Found, sortable};
use crate::client::elb::{IpGroupJson, ListenerJson};
use crate::mark;
use crate::resource::{Access, ElbResource, Groups, IpGroup, line};

/// An IP address group.
pub(crate) fn ip_group(json: &IpGroupJson, owner: &Owner) -> Found {
    Seen {
        id: Id(json.id.clone()),
        resource: ElbResource::IpGroup(IpGroup { lines: json.ip_list.iter().map(|l| line(&l.ip)).collect() }),
        parents: Vec::new(),
        owned: mark::is_of(&json.description, owner),
        created: sortable(&json.created_at),
        state: State::Ready,
    }
}

/// Who may connect to a listener; whose the groups are, [`know_own_groups`] adds.
pub(super) fn access(json: &ListenerJson) -> Access {
    let Some(group) = json.settings.get("ipgroup") else {
        return Access::Everybody;
    };
    let ids = group.get("ipgroup_id").and_then(Value::as_str).unwrap_or_default();
    let ids = ids.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned);
    let groups = Groups {
        ids: ids.collect(),
        enabled: group.get("enable_ipgroup").and_then(Value::as_bool).unwrap_or(true),
        white: group.get("type").and_then(Value::as_str) != Some("black"),
        own: false,
    };
    if groups.ids.is_empty() { Access::Everybody } else { Access::Groups(groups) }
}

/// Says of each listener whether a group that it uses is one of our own.
pub(crate) fn know_own_groups(listeners: &mut [Found], groups: &[Found]) {
    for listener in listeners {
        if let ElbResource::Listener(listener) = &mut listener.resource
            && let Access::Groups(used) = &mut listener.access
        {
            used.own = groups.iter().any(|group| used.ids.contains(&group.id.0));
        }
    }
}

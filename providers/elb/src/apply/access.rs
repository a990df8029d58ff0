//! IP address groups of our own, and how a listener names the groups that it uses.

use ferrolb_provider::ProviderError;
use serde_json::{Map, Value, json};

use super::{Apply, Found, Result, final_refusal, of_another};
use crate::body::set;
use crate::resource::{Access, IpGroup};
use crate::{mark, observe};

impl Apply<'_> {
    pub(super) async fn create_group(&self, group: &IpGroup) -> Result<Found> {
        let mut body = Map::new();
        set(&mut body, "name", &format!("{}_{}", self.owner.namespace, self.owner.name));
        set(&mut body, "description", &mark::description(self.owner));
        body.insert("ip_list".into(), lines(group));
        let json = self.client.create_ip_group(body.into()).await?;
        let mut seen = observe::ip_group(&json, self.owner);
        seen.owned = true;
        Ok(seen)
    }

    pub(super) async fn update_group(&self, group: &IpGroup, seen: &Found) -> Result<Found> {
        let json = self.client.update_ip_group(&seen.id.0, json!({"ip_list": lines(group)})).await?;
        Ok(observe::ip_group(&json, self.owner))
    }
}

fn lines(group: &IpGroup) -> Value {
    group.lines.iter().map(|ip| json!({"ip": ip})).collect()
}

/// The `ipgroup` of a listener; `None`: nothing to say. `own` is our group, where there is one.
pub(super) fn body(access: &Access, own: Option<&Found>) -> Option<Value> {
    match access {
        Access::Unsaid | Access::Everybody => None,
        Access::OwnGroup => Some(json!({"ipgroup_id": own?.id.0, "enable_ipgroup": true, "type": "white"})),
        Access::Groups(groups) => {
            let ids: Vec<&str> = groups.ids.iter().map(String::as_str).collect();
            let kind = if groups.white { "white" } else { "black" };
            Some(json!({"ipgroup_id": ids.join(","), "enable_ipgroup": groups.enabled, "type": kind}))
        }
    }
}

/// What it means that a call which named groups found nothing: one of the user's is not there, and only the user can
/// help; or our own went a moment ago, and the next pass makes it anew.
pub(super) fn missing_group(error: ProviderError, access: &Access) -> ProviderError {
    match (access, error) {
        (Access::OwnGroup, error) => of_another(error),
        (_, error) => final_refusal(error),
    }
}

//! Listeners.

use ferrolb_provider::{ProviderError, Resource};
use serde_json::{Map, json};

use super::{Apply, Found, Result, access, final_refusal, is_conflict, stray};
use crate::body::set;
use crate::client::Effect;
use crate::client::elb::by;
use crate::observe::name_of;
use crate::resource::{Access, ElbResource, Listener, PoolKey, listener_slot};
use crate::settings::send;
use crate::spec::Settings;
use crate::{keys, mark, observe};

impl Apply<'_> {
    /// `group` is our own group of those who may connect, for a listener that uses it.
    pub(super) async fn create_listener(
        &self,
        listener: &Listener,
        balancer: &Found,
        group: Option<&Found>,
    ) -> Result<Found> {
        let PoolKey::Port(protocol, port) = listener.key else {
            return Err(stray(&listener.key));
        };
        let mut body = Map::new();
        set(&mut body, "loadbalancer_id", &balancer.id.0);
        set(&mut body, "protocol", &listener.protocol.map_or_else(|| protocol.to_string(), |p| p.word().to_owned()));
        let ranges = listener.ranges.iter().map(|(first, last)| json!({"start_port": first, "end_port": last}));
        set(&mut body, "port_ranges", &ranges.collect::<Vec<_>>());
        set(&mut body, "protocol_port", &if listener.ranges.is_empty() { port } else { 0 });
        set(&mut body, "name", &name_of(self.owner, &listener.key));
        set(&mut body, "description", &mark::description(self.owner));
        send(&mut body, &listener.settings, &Settings::new(), |_, _| true);
        // In this very call, so that it is never open to more than were asked for.
        body.extend(access::body(&listener.access, group).map(|value| ("ipgroup".to_owned(), value)));
        // On a load balancer of our own one that comes late goes with it; on the user's it would stay for ever.
        let effect = if balancer.owned { Effect::Repeatable } else { Effect::Once };
        let mut seen = match self.client.create_listener(body.into(), effect).await {
            Ok(json) => observe::listener(&json, self.owner),
            Err(error) if is_conflict(&error) => self.occupant(listener, balancer, error).await?,
            Err(error) => return Err(access::missing_group(error, &listener.access)),
        };
        seen.owned = true;
        observe::know_own_groups(std::slice::from_mut(&mut seen), group.map_or(&[], std::slice::from_ref));
        if seen.parents.is_empty() {
            seen.parents.push(balancer.id.clone());
        }
        Ok(seen)
    }

    pub(super) async fn update_listener(
        &self,
        listener: &Listener,
        seen: &Found,
        group: Option<&Found>,
        fields: &[&str],
    ) -> Result<Found> {
        let none = Settings::new();
        let old = match &seen.resource {
            ElbResource::Listener(found) => &found.settings,
            _ => &none,
        };
        let mut body = Map::new();
        send(&mut body, &listener.settings, old, |path, _| fields.contains(&path));
        let names_groups = fields.iter().any(|field| matches!(*field, "ipgroup" | "parents"));
        if names_groups {
            body.insert("ipgroup".into(), access::body(&listener.access, group).unwrap_or_default());
        }
        let json = match self.client.update_listener(&seen.id.0, body.into()).await {
            Err(error) if names_groups => return Err(access::missing_group(error, &listener.access)),
            // Should it be the listener that is gone after all, the next pass sees that.
            Err(error) if fields.iter().any(|field| keys::names_object(field)) => return Err(final_refusal(error)),
            answer => answer?,
        };
        let mut now = observe::listener(&json, self.owner);
        // That null takes a group away is not documented; that this opens the listener is.
        let is_open = matches!(listener.access, Access::Unsaid | Access::Everybody);
        if names_groups
            && is_open
            && let ElbResource::Listener(Listener { access: Access::Groups(left), .. }) = &now.resource
            && left.enabled
        {
            let off = json!({"ipgroup": {"enable_ipgroup": false}});
            now = observe::listener(&self.client.update_listener(&seen.id.0, off).await?, self.owner);
        }
        observe::know_own_groups(std::slice::from_mut(&mut now), group.map_or(&[], std::slice::from_ref));
        Ok(now)
    }

    /// The listener that has the port already, if it is ours: an earlier call made it and its answer was lost.
    async fn occupant(&self, listener: &Listener, balancer: &Found, error: ProviderError) -> Result<Found> {
        let key = &listener.key;
        let PoolKey::Port(protocol, port) = key else {
            return Err(error);
        };
        // One with ranges has no port to ask for.
        let mut all = self.client.listeners(by("loadbalancer_id", &balancer.id.0)).await?;
        all.retain(|json| observe::taken(json).is_some_and(|taken| listener.is_shut_out_by(&taken)));
        let slot = listener_slot(key);
        let ours = all
            .iter()
            .map(|json| observe::listener(json, self.owner))
            .find(|seen| seen.owned && seen.resource.slot() == slot);
        if let Some(seen) = ours {
            return Ok(seen);
        }
        let mut detail = error.detail().clone();
        let Some(other) = all.first() else {
            // The list lags behind, perhaps behind a listener of ours: gateways repeat calls that they think lost.
            detail.message = format!("{protocol} port {port} is taken, it does not show by whom: {}", detail.message);
            return Err(ProviderError::Ambiguous(detail));
        };
        let whose = match mark::owner_in(&other.description) {
            Some(owner) => format!("the Service {}/{}", owner.namespace, owner.name),
            None => "something that is not ours".to_owned(),
        };
        detail.message = format!(
            "{protocol} port {port} of load balancer {} is taken by listener {} of {whose}",
            balancer.id, other.id
        );
        Err(ProviderError::Refused(detail))
    }
}

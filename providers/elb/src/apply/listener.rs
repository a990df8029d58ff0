//! Listeners.

use ferrolb_provider::{ProviderError, Resource};
use serde_json::json;

use super::{Apply, Found, Result, is_conflict, stray};
use crate::client::Effect;
use crate::client::elb::by;
use crate::observe::name_of;
use crate::resource::{ElbResource, Listener, PoolKey};
use crate::{mark, observe};

impl Apply<'_> {
    pub(super) async fn create_listener(&self, listener: &Listener, balancer: &Found) -> Result<Found> {
        let PoolKey::Port(protocol, port) = listener.key else {
            return Err(stray(&listener.key));
        };
        let body = json!({
            "loadbalancer_id": balancer.id.0,
            "protocol": protocol.to_string(),
            "protocol_port": port,
            "name": name_of(self.owner, &listener.key),
            "description": mark::description(self.owner),
        });
        // On a load balancer of our own one that comes late goes with it; on the user's it would stay for ever.
        let effect = if balancer.owned { Effect::Repeatable } else { Effect::Once };
        let mut seen = match self.client.create_listener(body, effect).await {
            Ok(json) => observe::listener(&json, self.owner),
            Err(error) if is_conflict(&error) => self.occupant(&listener.key, balancer, error).await?,
            Err(error) => return Err(error),
        };
        seen.owned = true;
        if seen.parents.is_empty() {
            seen.parents.push(balancer.id.clone());
        }
        Ok(seen)
    }

    /// The listener that has the port already, if it is ours: an earlier call made it and its answer was lost.
    async fn occupant(&self, key: &PoolKey, balancer: &Found, error: ProviderError) -> Result<Found> {
        let PoolKey::Port(protocol, port) = key else {
            return Err(error);
        };
        let mut filter = by("loadbalancer_id", &balancer.id.0);
        filter.extend(by("protocol_port", &port.to_string()));
        let all = self.client.listeners(filter).await?;
        let slot = ElbResource::Listener(Listener { key: key.clone() }).slot();
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

//! EIPs.

use ferrolb_provider::{ProviderError, Seen, State};
use serde_json::Map;

use super::{Apply, Found, Result, final_refusal, of_another};
use crate::body::{self, set};
use crate::resource::{Binding, Eip, ElbResource};
use crate::spec::Class;
use crate::{mark, observe};

impl Apply<'_> {
    /// Made and bound in one call, by the port of the private address; for a NAT gateway it stays free.
    pub(super) async fn create_eip(&self, eip: &Eip, balancer: Option<&Found>) -> Result<Found> {
        let port = balancer.and_then(vip_port);
        if let Some(balancer) = balancer {
            self.make_room(balancer, None).await?;
        }
        let mut publicip = Map::new();
        set(&mut publicip, "type", &eip.kind);
        set(&mut publicip, "alias", &mark::alias(self.owner));
        set(&mut publicip, "port_id", &port);
        let mut bandwidth = Map::new();
        if eip.shared_bandwidth.is_some() {
            set(&mut bandwidth, "id", &eip.shared_bandwidth);
            set(&mut bandwidth, "share_type", &"WHOLE");
        } else {
            let name = eip.bandwidth_name.clone().unwrap_or_else(|| format!("cce-bandwidth-{}", self.owner.uid));
            set(&mut bandwidth, "name", &name);
            set(&mut bandwidth, "size", &eip.bandwidth_size);
            set(&mut bandwidth, "share_type", &"PER");
            set(&mut bandwidth, "charge_mode", &eip.charge_mode);
        }
        let mut body = Map::new();
        set(&mut body, "publicip", &publicip);
        set(&mut body, "bandwidth", &bandwidth);
        set(&mut body, "enterprise_project_id", &body::project(&eip.enterprise_project));
        let created = self.client.create_eip(body.into()).await;
        let json = created.map_err(final_refusal)?;
        let mut seen = observe::eip(&json, self.owner, balancer);
        seen.owned = true;
        // The answer comes before the binding, and says nothing of it.
        if let (ElbResource::Eip(found), Some(balancer)) = (&mut seen.resource, balancer)
            && found.binding == Binding::Free
        {
            found.binding = Binding::Unready;
            seen.parents = vec![balancer.id.clone()];
            seen.state = State::Pending("not bound yet".into());
        }
        // Before anybody is told the address. Where this fails the next pass does it, for the EIP is there.
        if eip.keep && self.keep(&mut seen, true).await.is_err() {
            tracing::debug!(id = seen.id.0, "it is not noted yet that the EIP is to stay");
        }
        Ok(seen)
    }

    /// Notes on the EIP itself whether it stays, so that it is known when its owner is gone.
    async fn keep(&self, seen: &mut Found, keep: bool) -> Result<()> {
        let description = if keep { mark::KEPT } else { "" };
        self.client.describe_eip(&seen.id.0, &mark::alias(self.owner), description).await?;
        if let ElbResource::Eip(found) = &mut seen.resource {
            found.keep = keep;
        }
        Ok(())
    }

    pub(super) async fn update_eip(
        &self,
        eip: &Eip,
        seen: &Found,
        balancer: Option<&Found>,
        fields: &[&'static str],
    ) -> Result<Found> {
        let mut now = seen.clone();
        if let Some(balancer) = balancer.filter(|_| fields.contains(&"parents")) {
            now = self.bind(seen, balancer).await?;
        }
        if fields.contains(&"keep") {
            self.keep(&mut now, eip.keep).await?;
        }
        if fields.contains(&"bandwidth_size")
            && let ElbResource::Eip(found) = &mut now.resource
            && let (Some(id), Some(size)) = (&found.bandwidth_id, eip.bandwidth_size)
        {
            self.client.resize_bandwidth(id, size).await.map_err(of_another)?;
            found.bandwidth_size = Some(size);
        }
        Ok(now)
    }

    async fn bind(&self, seen: &Found, balancer: &Found) -> Result<Found> {
        let (kind, instance) = place(balancer);
        let id = &seen.id.0;
        self.make_room(balancer, Some(id)).await?;
        let bound = match self.client.associate_eip(id, kind, &instance).await {
            Ok(json) => observe::eip(&json, self.owner, Some(balancer)),
            // The list may lag behind a binding that we made.
            Err(ProviderError::Refused(detail)) => {
                let now = observe::eip(&self.client.eip(id).await?, self.owner, Some(balancer));
                match &now.resource {
                    ElbResource::Eip(eip) if eip.binding == Binding::Balancer => now,
                    _ => return Err(ProviderError::Refused(detail)),
                }
            }
            Err(error) => return Err(of_another(error)),
        };
        Ok(bound)
    }

    /// Deletes it, or unbinds it where that must come first: the load balancer that held it has mostly just gone, and
    /// only the cloud knows whether it has let go.
    pub(super) async fn delete_eip(&self, seen: &Found) -> Result<Vec<Found>> {
        if let ElbResource::Eip(eip) = &seen.resource
            && (eip.keep || eip.retained)
        {
            return self.let_go(&seen.id.0, eip.retained).await;
        }
        let error = match self.client.delete_eip(&seen.id.0).await {
            Ok(()) => return Ok(Vec::new()),
            Err(error) => error,
        };
        let code = error.detail().code.as_deref().unwrap_or_default();
        if !crate::client::EIP_IN_USE.contains(&code) {
            return Err(error);
        }
        match self.client.disassociate_eip(&seen.id.0).await {
            Ok(json) => Ok(vec![Seen { owned: true, ..observe::eip(&json, self.owner, None) }]),
            // Free after all: the cloud is still about it.
            Err(ProviderError::Refused(_)) => Err(ProviderError::Unavailable(error.detail().clone())),
            Err(error) => Err(error),
        }
    }
}

impl Apply<'_> {
    /// Unbinds it, unless it stays with its load balancer, and takes the mark off: both fields of it in one call.
    async fn let_go(&self, id: &str, bound: bool) -> Result<Vec<Found>> {
        let json = self.client.eip(id).await?;
        // A gateway lets go by itself, with the last rule.
        let holds = json.associate_instance_id.as_ref().is_some_and(|instance| !instance.is_empty());
        if !bound && holds && json.associate_instance_type.as_deref() != Some("NATGW") {
            self.client.disassociate_eip(id).await?;
        }
        self.client.describe_eip(id, "", &mark::farewell(self.owner)).await?;
        Ok(Vec::new())
    }
}

/// What an EIP of a load balancer is bound to, kind and id.
pub(super) fn place(balancer: &Found) -> (&'static str, String) {
    let dedicated = matches!(
        &balancer.resource,
        ElbResource::LoadBalancer(lb) if lb.class == Some(Class::Dedicated)
    );
    match vip_port(balancer) {
        Some(port) if !dedicated => ("PORT", port),
        _ => ("ELB", balancer.id.0.clone()),
    }
}

fn vip_port(balancer: &Found) -> Option<String> {
    match &balancer.resource {
        ElbResource::LoadBalancer(lb) => lb.found.as_ref()?.vip_port.clone(),
        _ => None,
    }
}

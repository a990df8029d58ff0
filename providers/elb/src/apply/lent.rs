//! The user's EIP at the load balancer: bound and unbound, never made, renamed or deleted.
//!
//! It is marked first, with the place that it is to be bound to, and the mark is taken off last: whatever happens in
//! between, what is found marked is unbound, and only from that place.

use ferrolb_provider::{Detail, ProviderError};

use super::eip::place;
use super::{Apply, Found, Result, final_refusal, of_another};
use crate::body;
use crate::client::eip::EipJson;
use crate::resource::ElbResource;
use crate::{mark, observe};

impl Apply<'_> {
    /// Binds it to the load balancer, in place of what of ours is bound there.
    pub(super) async fn lend_eip(&self, id: &str, balancer: &Found) -> Result<Found> {
        let json = self.client.eip(id).await.map_err(final_refusal)?;
        if observe::is_bound(&json, balancer) {
            return self.lent(&json, balancer);
        }
        let (kind, instance) = place(balancer);
        if let Some((kind, other)) = observe::bound_to(&json) {
            // Where it was moved to this load balancer from another one.
            if !observe::is_at(&json, mark::lent_place(&json.tags, self.owner)) {
                let message = format!("EIP {id} is bound to {kind} {other}; nothing was changed; unbind it there");
                return Err(refusal(message));
            }
            self.client.disassociate_eip(id).await.map_err(of_another)?;
        }
        self.tag(id, "create", &instance).await.map_err(of_another)?;
        self.make_room(balancer, Some(id)).await?;
        let bound = match self.client.associate_eip(id, kind, &instance).await {
            Ok(json) => json,
            // An answer that was lost, or somebody was faster.
            Err(ProviderError::Refused(detail)) => {
                let now = self.client.eip(id).await.map_err(of_another)?;
                if !observe::is_bound(&now, balancer) {
                    return Err(ProviderError::Refused(detail));
                }
                now
            }
            Err(error) => return Err(of_another(error)),
        };
        // Its answer does not show the tags.
        let tags = mark::lent_tags(self.owner, &instance).map(|(key, value)| format!("{key}={value}")).to_vec();
        self.lent(&EipJson { tags, ..bound }, balancer)
    }

    fn lent(&self, json: &EipJson, balancer: &Found) -> Result<Found> {
        let found = observe::lent(json, self.owner, Some(&json.id), &[balancer]);
        let is_it = |seen: &Found| matches!(seen.resource, ElbResource::Association(_));
        found.into_iter().find(is_it).ok_or_else(|| refusal(format!("EIP {} is not bound", json.id)))
    }

    /// Unbinds it from where we bound it, and takes the mark off.
    pub(super) async fn return_eip(&self, id: &str) -> Result<Vec<Found>> {
        let json = self.client.eip(id).await?;
        let place = mark::lent_place(&json.tags, self.owner);
        if observe::is_at(&json, place) {
            self.client.disassociate_eip(id).await?;
        }
        self.tag(id, "delete", place.unwrap_or_default()).await?;
        Ok(Vec::new())
    }

    /// Unbinds what of the owner's is bound to the load balancer, but for `wanted`: it has room for one. What is not
    /// the owner's stays.
    pub(super) async fn make_room(&self, balancer: &Found, wanted: Option<&str>) -> Result<()> {
        let listed = match &balancer.resource {
            ElbResource::LoadBalancer(lb) => lb.found.iter().flat_map(|f| f.eips.iter()),
            _ => return Ok(()),
        };
        for (id, address) in listed.filter(|(id, _)| Some(id.as_str()) != wanted && !id.is_empty()) {
            let json = match self.client.eip(id).await {
                Ok(json) => json,
                // The list lags behind.
                Err(ProviderError::NotFound(_)) => continue,
                Err(error) => return Err(error),
            };
            let is_ours = json.alias == mark::alias(self.owner) || mark::lent_place(&json.tags, self.owner).is_some();
            match observe::bound_to(&json) {
                None => {}
                Some((_, at)) if ![place(balancer).1, balancer.id.0.clone()].contains(&at) => {}
                Some(_) if is_ours => drop(self.client.disassociate_eip(id).await.map_err(of_another)?),
                Some(_) => {
                    let message = format!(
                        "load balancer {} has EIP {address} ({id}), which was not bound to it for this Service; unbind it there, or go on with it",
                        balancer.id
                    );
                    return Err(refusal(message));
                }
            }
        }
        Ok(())
    }

    async fn tag(&self, id: &str, action: &str, place: &str) -> Result<()> {
        let tags = body::tags(&mark::lent_tags(self.owner, place).into());
        self.client.tag_eip(id, action, tags.into()).await
    }
}

fn refusal(message: String) -> ProviderError {
    ProviderError::Refused(Detail { call: "EIP".into(), message, ..Detail::default() })
}

//! Load balancers.

use ferrolb_provider::Seen;
use serde_json::Map;

use super::{Apply, Found, Result, final_refusal};
use crate::body::{self, set};
use crate::resource::{ElbResource, LoadBalancer};
use crate::spec::{Class, Tags};
use crate::{mark, observe};

impl Apply<'_> {
    pub(super) async fn create_balancer(&self, lb: &LoadBalancer) -> Result<Found> {
        let new = lb.new.as_deref().cloned().unwrap_or_default();
        let subnet = lb.vip_subnet.as_ref().unwrap_or(&self.config.vip_subnet_id);
        let mut body = Map::new();
        set(&mut body, "name", &lb.name);
        set(&mut body, "description", &mark::description(self.owner));
        set(&mut body, "vip_address", &lb.vip);
        set(&mut body, "enterprise_project_id", &body::project(&new.enterprise_project));
        let json = if lb.class == Some(Class::Dedicated) {
            let l4 = self.flavors.id(&self.client, new.l4_flavor.as_ref()).await?;
            let l7 = self.flavors.id(&self.client, new.l7_flavor.as_ref()).await?;
            set(&mut body, "vpc_id", &self.config.vpc_id);
            set(&mut body, "vip_subnet_cidr_id", subnet);
            set(&mut body, "availability_zone_list", &new.zones);
            let networks = if new.networks.is_empty() { &self.config.network_ids } else { &new.networks };
            set(&mut body, "elb_virsubnet_ids", networks);
            set(&mut body, "ipv6_vip_virsubnet_id", &new.ipv6_network);
            set(&mut body, "l4_flavor_id", &l4);
            set(&mut body, "l7_flavor_id", &l7);
            set(&mut body, "ip_target_enable", &new.ip_targets);
            let mut tags = lb.tags.clone();
            tags.extend(lb.retain.then(retained_tags).unwrap_or_default());
            set(&mut body, "tags", &body::tags(&tags));
            self.client.create_dedicated_balancer(body.into()).await
        } else {
            // No tags: a later pass finds that they are missing.
            set(&mut body, "vip_subnet_id", subnet);
            self.client.create_shared_balancer(body.into()).await
        };
        let json = json.map_err(final_refusal)?;
        let mut seen = observe::balancer(&json, self.owner);
        if let ElbResource::LoadBalancer(found) = &mut seen.resource {
            found.class = lb.class;
        }
        seen.owned = true;
        // Before anybody is told an address. Where this fails the next pass does it, for the load balancer is there.
        if lb.retain && lb.class != Some(Class::Dedicated) && self.retain(&mut seen, true).await.is_err() {
            tracing::debug!(id = seen.id.0, "it is not noted yet that the load balancer is to stay");
        }
        Ok(seen)
    }

    pub(super) async fn update_balancer(
        &self,
        lb: &LoadBalancer,
        seen: &Found,
        fields: &[&'static str],
    ) -> Result<Found> {
        let id = &seen.id.0;
        let mut now = seen.clone();
        let mut body = Map::new();
        if fields.contains(&"name") {
            set(&mut body, "name", &lb.name);
        }
        if fields.contains(&"ip_target_enable") {
            set(&mut body, "ip_target_enable", &true);
        }
        if !body.is_empty() {
            let json = self.client.update_balancer(id, body.into()).await?;
            now = Seen { owned: seen.owned, ..observe::balancer(&json, self.owner) };
        }
        if fields.contains(&"tags") {
            self.client.tag_balancer(id, "create", body::tags(&lb.tags).into()).await?;
            if let ElbResource::LoadBalancer(found) = &mut now.resource {
                found.tags.extend(lb.tags.clone());
            }
        }
        if fields.contains(&"reclaim_policy") {
            self.retain(&mut now, lb.retain).await?;
        }
        Ok(now)
    }

    /// Notes on the load balancer itself whether it stays, so that it is known when its owner is gone.
    async fn retain(&self, seen: &mut Found, retain: bool) -> Result<()> {
        let action = if retain { "create" } else { "delete" };
        self.client.tag_balancer(&seen.id.0, action, body::tags(&retained_tags()).into()).await?;
        if let ElbResource::LoadBalancer(found) = &mut seen.resource {
            found.retain = retain;
        }
        Ok(())
    }

    /// One that stays loses its mark instead, and then the tag, which without the mark means nothing.
    pub(super) async fn delete_balancer(&self, lb: &LoadBalancer, id: &str) -> Result<()> {
        if !lb.retain {
            return self.client.delete_balancer(id).await;
        }
        let mut body = Map::new();
        set(&mut body, "description", &mark::farewell(self.owner));
        self.client.update_balancer(id, body.into()).await?;
        if let Err(error) = self.client.tag_balancer(id, "delete", body::tags(&retained_tags()).into()).await {
            tracing::warn!(id, %error, "the load balancer stays, with a tag that means nothing any more");
        }
        Ok(())
    }
}

fn retained_tags() -> Tags {
    let (key, value) = mark::RETAINED;
    Tags::from([(key.to_owned(), value.to_owned())])
}

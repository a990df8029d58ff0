//! Load balancers.

use ferrolb_provider::Seen;
use serde_json::Map;

use super::{Apply, Found, Result, final_refusal};
use crate::body::{self, set};
use crate::resource::{ElbResource, LoadBalancer};
use crate::spec::Class;
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
            set(&mut body, "tags", &body::tags(&lb.tags));
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
            self.client.tag_balancer(id, body::tags(&lb.tags).into()).await?;
            if let ElbResource::LoadBalancer(found) = &mut now.resource {
                found.tags.extend(lb.tags.clone());
            }
        }
        Ok(now)
    }
}

//! One step = one call. ≠ order, retries.
//!
//! Exceptions, each because the cloud leaves no other way: a flavor's name is looked up once per process; where the
//! cloud says that something exists already, a read finds out whose it is; an EIP that refuses to go is unbound; and
//! members go one by one where the cloud has no call for several.

mod nat;

use ferrolb_provider::{Detail, Item, Owner, ProviderError, Resource, Seen, State, Step, Verb};
use serde_json::{Map, json};

use crate::body::{self, set};
use crate::client::elb::by;
use crate::client::{Client, Effect};
use crate::config::ElbConfig;
use crate::flavor::Flavors;
use crate::mark;
use crate::members;
use crate::observe::{self, name_of};
use crate::resource::{Binding, Eip, ElbResource, HealthMonitor, Listener, LoadBalancer, Pool, PoolKey};
use crate::spec::Class;

type Found = Seen<ElbResource>;
type Result<T> = std::result::Result<T, ProviderError>;

/// What carries out a step.
pub(crate) struct Apply<'a> {
    pub(crate) client: Client,
    pub(crate) config: &'a ElbConfig,
    pub(crate) flavors: &'a Flavors,
    pub(crate) owner: &'a Owner,
}

impl Apply<'_> {
    /// Carries out a step.
    pub(crate) async fn step(&self, step: &Step<ElbResource>) -> Result<Vec<Found>> {
        let Some(item) = step.items.first() else {
            return Ok(Vec::new());
        };
        if matches!(item.resource, ElbResource::Member(_)) {
            return members::apply(&self.client, step).await?.ok_or_else(|| impossible(item));
        }
        if let ElbResource::DnatRule(rule) = &item.resource {
            return self.rule(rule, step, item).await;
        }
        match step.verb {
            Verb::Create => self.create(item, step.parents.first()).await,
            Verb::Update => self.update(item, step.parents.first()).await,
            Verb::Delete => self.delete(item).await,
        }
    }

    async fn create(&self, item: &Item<ElbResource>, parent: Option<&Found>) -> Result<Vec<Found>> {
        let seen = match (&item.resource, parent) {
            (ElbResource::LoadBalancer(lb), _) => self.create_balancer(lb).await?,
            (ElbResource::Eip(eip), balancer) => self.create_eip(eip, balancer).await?,
            (ElbResource::Listener(listener), Some(balancer)) => self.create_listener(listener, balancer).await?,
            (ElbResource::Pool(pool), Some(listener)) => self.create_pool(pool, listener).await?,
            (ElbResource::HealthMonitor(monitor), Some(pool)) => self.create_monitor(monitor, pool).await?,
            _ => return Err(impossible(item)),
        };
        Ok(vec![seen])
    }

    async fn create_balancer(&self, lb: &LoadBalancer) -> Result<Found> {
        let new = lb.new.as_deref().cloned().unwrap_or_default();
        let subnet = lb.vip_subnet.as_ref().unwrap_or(&self.config.vip_subnet_id);
        let mut body = Map::new();
        set(&mut body, "name", &lb.name);
        set(&mut body, "description", &mark::description(self.owner));
        set(&mut body, "vip_address", &lb.vip);
        set(&mut body, "enterprise_project_id", &body::project(&new.enterprise_project));
        let json = if lb.class == Some(Class::Dedicated) {
            let l4 = self.flavors.id(&self.client, new.l4_flavor.as_deref()).await?;
            let l7 = self.flavors.id(&self.client, new.l7_flavor.as_deref()).await?;
            set(&mut body, "vpc_id", &self.config.vpc_id);
            set(&mut body, "vip_subnet_cidr_id", subnet);
            set(&mut body, "availability_zone_list", &new.zones);
            let networks = if new.networks.is_empty() { &self.config.network_ids } else { &new.networks };
            set(&mut body, "elb_virsubnet_ids", networks);
            set(&mut body, "ipv6_vip_virsubnet_id", &new.ipv6_network);
            set(&mut body, "l4_flavor_id", &l4);
            set(&mut body, "l7_flavor_id", &l7);
            self.client.create_dedicated_balancer(body.into()).await
        } else {
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

    /// Made and bound in one call, by the port of the private address; for a NAT gateway it stays free.
    async fn create_eip(&self, eip: &Eip, balancer: Option<&Found>) -> Result<Found> {
        let port = balancer.and_then(vip_port);
        let mut publicip = Map::new();
        set(&mut publicip, "type", &eip.kind);
        set(&mut publicip, "alias", &mark::alias(self.owner));
        set(&mut publicip, "port_id", &port);
        let mut bandwidth = Map::new();
        let name = eip.bandwidth_name.clone().unwrap_or_else(|| format!("cce-bandwidth-{}", self.owner.uid));
        set(&mut bandwidth, "name", &name);
        set(&mut bandwidth, "size", &eip.bandwidth_size);
        set(&mut bandwidth, "share_type", &"PER");
        set(&mut bandwidth, "charge_mode", &eip.charge_mode);
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
        Ok(seen)
    }

    async fn create_listener(&self, listener: &Listener, balancer: &Found) -> Result<Found> {
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

    async fn create_pool(&self, pool: &Pool, listener: &Found) -> Result<Found> {
        let PoolKey::Port(protocol, _) = &pool.key else {
            return Err(stray(&pool.key));
        };
        let body = json!({
            "listener_id": listener.id.0,
            "protocol": protocol.to_string(),
            "lb_algorithm": pool.algorithm.unwrap_or_default().word(),
            "name": name_of(self.owner, &pool.key),
            "description": mark::description(self.owner),
        });
        let json = self.client.create_pool(body).await?;
        let mut seen = observe::pool(&json, self.owner, std::slice::from_ref(listener));
        seen.owned = true;
        if seen.parents.is_empty() {
            seen.parents.push(listener.id.clone());
        }
        Ok(seen)
    }

    async fn create_monitor(&self, monitor: &HealthMonitor, pool: &Found) -> Result<Found> {
        let mut body = body::monitor(monitor);
        set(&mut body, "pool_id", &pool.id.0);
        let json = match self.client.create_monitor(body.into()).await {
            // An earlier call made it and its answer was lost.
            Err(error) if is_conflict(&error) => {
                let Some(id) = self.client.pool(&pool.id.0).await?.healthmonitor_id else {
                    return Err(error);
                };
                let found = self.client.monitors(by("id", &id)).await?;
                found.into_iter().next().ok_or(error)?
            }
            other => other?,
        };
        observe::monitor(&json, pool).ok_or_else(|| stray(&monitor.pool))
    }

    async fn update(&self, item: &Item<ElbResource>, parent: Option<&Found>) -> Result<Vec<Found>> {
        let Some(seen) = &item.seen else {
            return Err(impossible(item));
        };
        let id = &seen.id.0;
        let updated = match (&item.resource, parent) {
            (ElbResource::LoadBalancer(lb), _) => {
                let json = self.client.update_balancer(id, json!({"name": lb.name})).await?;
                let mut now = observe::balancer(&json, self.owner);
                now.owned = seen.owned;
                now
            }
            (ElbResource::Eip(eip), balancer) => self.update_eip(eip, seen, balancer, &item.fields).await?,
            (ElbResource::Pool(pool), Some(listener)) => {
                let algorithm = pool.algorithm.unwrap_or_default().word();
                let body = json!({"lb_algorithm": algorithm});
                let json = self.client.update_pool(id, body).await?;
                observe::pool(&json, self.owner, std::slice::from_ref(listener))
            }
            (ElbResource::HealthMonitor(monitor), Some(pool)) => {
                let body = body::monitor(monitor).into();
                let json = self.client.update_monitor(id, body).await?;
                observe::monitor(&json, pool).ok_or_else(|| impossible(item))?
            }
            _ => return Err(impossible(item)),
        };
        Ok(vec![updated])
    }

    async fn update_eip(
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
        if fields.contains(&"bandwidth_size")
            && let ElbResource::Eip(found) = &mut now.resource
            && let (Some(id), Some(size)) = (&found.bandwidth_id, eip.bandwidth_size)
        {
            self.client.resize_bandwidth(id, size).await?;
            found.bandwidth_size = Some(size);
        }
        Ok(now)
    }

    async fn bind(&self, seen: &Found, balancer: &Found) -> Result<Found> {
        let dedicated = matches!(
            &balancer.resource,
            ElbResource::LoadBalancer(lb) if lb.class == Some(Class::Dedicated)
        );
        let (kind, instance) = match vip_port(balancer) {
            Some(port) if !dedicated => ("PORT", port),
            _ => ("ELB", balancer.id.0.clone()),
        };
        let id = &seen.id.0;
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
            Err(error) => return Err(error),
        };
        Ok(bound)
    }

    async fn delete(&self, item: &Item<ElbResource>) -> Result<Vec<Found>> {
        let Some(seen) = &item.seen else {
            return Err(impossible(item));
        };
        let id = &seen.id.0;
        match &seen.resource {
            ElbResource::LoadBalancer(_) => self.client.delete_balancer(id).await?,
            ElbResource::Listener(_) => self.client.delete_listener(id).await?,
            ElbResource::Pool(_) => self.client.delete_pool(id).await?,
            ElbResource::HealthMonitor(_) => self.client.delete_monitor(id).await?,
            ElbResource::Eip(_) => return self.delete_eip(seen).await,
            ElbResource::Member(_)
            | ElbResource::NatGateway(_)
            | ElbResource::PublicAddress(_)
            | ElbResource::DnatRule(_) => return Err(impossible(item)),
        }
        Ok(Vec::new())
    }

    /// Deletes it, or unbinds it where that must come first: the load balancer that held it has mostly just gone, and
    /// only the cloud knows whether it has let go.
    async fn delete_eip(&self, seen: &Found) -> Result<Vec<Found>> {
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

fn vip_port(balancer: &Found) -> Option<String> {
    match &balancer.resource {
        ElbResource::LoadBalancer(lb) => lb.found.as_ref()?.vip_port.clone(),
        _ => None,
    }
}

fn is_conflict(error: &ProviderError) -> bool {
    let code = error.detail().code.as_deref().unwrap_or_default();
    matches!(error, ProviderError::Refused(_)) && crate::client::CONFLICT.contains(&code)
}

/// What a create refers to and is not there was named by the user or the configuration: only they can help.
fn final_refusal(error: ProviderError) -> ProviderError {
    match error {
        ProviderError::NotFound(detail) => ProviderError::Refused(detail),
        other => other,
    }
}

/// A step that no plan contains.
fn impossible(item: &Item<ElbResource>) -> ProviderError {
    ProviderError::Refused(Detail {
        call: item.slot.to_string(),
        message: "no call does this".into(),
        ..Detail::default()
    })
}

fn stray(key: &PoolKey) -> ProviderError {
    ProviderError::Refused(Detail {
        call: key.to_string(),
        message: "it has no protocol and port".into(),
        ..Detail::default()
    })
}

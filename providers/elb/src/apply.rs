//! One step = one call. ≠ order, retries.
//!
//! Exceptions, each because the cloud leaves no other way: a flavor's name is looked up once per process; where the
//! cloud says that something exists already, a read finds out whose it is; an EIP that refuses to go is unbound;
//! the user's EIP is marked before it is bound, and what it replaces unbound in between;
//! members go one by one where the cloud has no call for several; and what is to stay is noted on an object right
//! after it is made, where the call that makes it has no field for that.

mod access;
mod balancer;
mod eip;
mod lent;
mod listener;
mod nat;
mod pool;

use ferrolb_provider::{Detail, Item, Owner, ProviderError, Seen, Step, Verb};

use crate::body;
use crate::client::Client;
use crate::config::ElbConfig;
use crate::flavor::Flavors;
use crate::members;
use crate::observe;
use crate::resource::{ElbResource, PoolKey};

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
        if let ElbResource::Association(association) = &item.resource {
            return match (step.verb, step.parents.as_slice()) {
                (Verb::Delete, _) => self.return_eip(&association.eip).await,
                (_, [_, balancer]) => Ok(vec![self.lend_eip(&association.eip, balancer).await?]),
                _ => Err(impossible(item)),
            };
        }
        match step.verb {
            Verb::Create => self.create(item, &step.parents).await,
            Verb::Update => self.update(item, &step.parents).await,
            Verb::Delete => self.delete(item).await,
        }
    }

    async fn create(&self, item: &Item<ElbResource>, parents: &[Found]) -> Result<Vec<Found>> {
        let seen = match (&item.resource, parents.first()) {
            (ElbResource::LoadBalancer(lb), _) => self.create_balancer(lb).await?,
            (ElbResource::Eip(eip), balancer) => self.create_eip(eip, balancer).await?,
            (ElbResource::IpGroup(group), _) => self.create_group(group).await?,
            (ElbResource::Listener(listener), Some(balancer)) => {
                self.create_listener(listener, balancer, parents.get(1)).await?
            }
            (ElbResource::Pool(pool), Some(listener)) => self.create_pool(pool, listener).await?,
            (ElbResource::HealthMonitor(monitor), Some(pool)) => self.create_monitor(monitor, pool).await?,
            _ => return Err(impossible(item)),
        };
        Ok(vec![seen])
    }

    async fn update(&self, item: &Item<ElbResource>, parents: &[Found]) -> Result<Vec<Found>> {
        let Some(seen) = &item.seen else {
            return Err(impossible(item));
        };
        let id = &seen.id.0;
        let updated = match (&item.resource, parents.first()) {
            (ElbResource::LoadBalancer(lb), _) => self.update_balancer(lb, seen, &item.fields).await?,
            (ElbResource::Eip(eip), balancer) => self.update_eip(eip, seen, balancer, &item.fields).await?,
            (ElbResource::IpGroup(group), _) => self.update_group(group, seen).await?,
            (ElbResource::Listener(listener), _) => {
                self.update_listener(listener, seen, parents.get(1), &item.fields).await?
            }
            (ElbResource::Pool(pool), Some(listener)) => self.update_pool(pool, seen, listener, &item.fields).await?,
            (ElbResource::HealthMonitor(monitor), Some(pool)) => {
                let body = body::monitor(monitor).into();
                let json = self.client.update_monitor(id, body).await?;
                observe::monitor(&json, pool).ok_or_else(|| impossible(item))?
            }
            _ => return Err(impossible(item)),
        };
        Ok(vec![updated])
    }

    async fn delete(&self, item: &Item<ElbResource>) -> Result<Vec<Found>> {
        let Some(seen) = &item.seen else {
            return Err(impossible(item));
        };
        let id = &seen.id.0;
        match &seen.resource {
            ElbResource::LoadBalancer(lb) => self.delete_balancer(lb, id).await?,
            ElbResource::IpGroup(_) => self.client.delete_ip_group(id).await?,
            ElbResource::Listener(_) => self.client.delete_listener(id).await?,
            ElbResource::Pool(_) => self.client.delete_pool(id).await?,
            ElbResource::HealthMonitor(_) => self.client.delete_monitor(id).await?,
            ElbResource::Eip(_) => return self.delete_eip(seen).await,
            ElbResource::Member(_)
            | ElbResource::NatGateway(_)
            | ElbResource::PublicAddress(_)
            | ElbResource::Association(_)
            | ElbResource::DnatRule(_)
            | ElbResource::Stranger(_) => return Err(impossible(item)),
        }
        Ok(Vec::new())
    }
}

fn is_conflict(error: &ProviderError) -> bool {
    let code = error.detail().code.as_deref().unwrap_or_default();
    matches!(error, ProviderError::Refused(_)) && crate::client::CONFLICT.contains(&code)
}

/// What a call refers to and is not there was named by the user or the configuration: only they can help.
fn final_refusal(error: ProviderError) -> ProviderError {
    match error {
        ProviderError::NotFound(detail) => ProviderError::Refused(detail),
        other => other,
    }
}

/// What such a call does not find is not the object of the step but another one that lists still show, and a later pass
/// knows better. The engine would take it for the object, believe that it is gone, and leave it behind.
fn of_another(error: ProviderError) -> ProviderError {
    match error {
        ProviderError::NotFound(detail) => ProviderError::Unavailable(detail),
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

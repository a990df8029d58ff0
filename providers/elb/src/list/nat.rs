//! The part of a list that the NAT service and the user's EIP make up.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ferrolb_provider::{Detail, Owner, ProviderError, Resource};

use super::{Found, marked};
use crate::client::Client;
use crate::client::elb::{Filter, by};
use crate::client::nat::RuleJson;
use crate::resource::ElbResource;
use crate::{mark, observe};

/// Who may have rules. Most Services never ask for any, and would pay for the question with a call in each pass.
#[derive(Default)]
pub(crate) struct RuleOwners(Mutex<BTreeSet<String>>);

impl RuleOwners {
    /// Whether `owner` may have some: it asks for rules, it goes, or it had some when this process last looked.
    pub(crate) fn may_have(&self, owner: &Owner, model: &[ElbResource]) -> bool {
        let asks = model.iter().any(|r| matches!(r, ElbResource::NatGateway(_)));
        asks || model.is_empty() || self.owners().contains(&owner.uid)
    }

    /// Keeps in mind what was seen.
    pub(crate) fn note(&self, owner: &Owner, seen: &[Found]) {
        let has = seen.iter().any(|s| matches!(s.resource, ElbResource::DnatRule(_) | ElbResource::NatGateway(_)));
        if has {
            self.owners().insert(owner.uid.clone());
        } else {
            self.owners().remove(&owner.uid);
        }
    }

    fn owners(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rules with the mark of `owner`, unless it cannot have any; gateway and EIP that `model` names.
pub(super) async fn list(
    client: &Client,
    vpc: &str,
    owner: &Owner,
    model: &[ElbResource],
    may_have_rules: bool,
) -> Result<Vec<Found>, ProviderError> {
    let marked_rules = async { if may_have_rules { rules(client, marked(owner)).await } else { Ok(Vec::new()) } };
    let (rules, adopted) = tokio::try_join!(marked_rules, adopted(client, vpc, owner, model))?;
    // Only where rules are wished it matters where they point.
    let wished = model.iter().any(|r| matches!(r, ElbResource::DnatRule(_)));
    let nics = addresses(client, rules.iter().filter(|_| wished).map(|rule| &rule.port_id)).await?;
    let rules = rules.iter().map(|json| observe::rule(json, owner, &nics)).filter(|seen| seen.owned);
    Ok(rules.chain(adopted).collect())
}

/// Rules, where there is a NAT service.
pub(super) async fn rules(client: &Client, filter: Filter) -> Result<Vec<RuleJson>, ProviderError> {
    if client.has_nat() { client.rules(filter).await } else { Ok(Vec::new()) }
}

/// The addresses of network interfaces; one that is gone has none.
pub(crate) async fn addresses(
    client: &Client,
    ids: impl Iterator<Item = &String>,
) -> Result<BTreeMap<String, IpAddr>, ProviderError> {
    let filter: Filter = ids.filter(|id| !id.is_empty()).flat_map(|id| by("id", id)).collect();
    if filter.is_empty() {
        return Ok(BTreeMap::new());
    }
    let nics = client.nics(filter).await?;
    let address = |ip: &crate::client::nat::FixedIp| ip.ip_address.parse().ok();
    Ok(nics.iter().filter_map(|nic| Some((nic.id.clone(), nic.fixed_ips.iter().find_map(address)?))).collect())
}

async fn adopted(
    client: &Client,
    vpc: &str,
    owner: &Owner,
    model: &[ElbResource],
) -> Result<Vec<Found>, ProviderError> {
    let mut found = Vec::new();
    let gateway = model.iter().find(|r| matches!(r, ElbResource::NatGateway(_))).and_then(Resource::adopted);
    let Some(gateway) = gateway else { return Ok(found) };
    match client.gateway(&gateway.0).await {
        Ok(json) => found.push(observe::gateway(&json, vpc)),
        Err(ProviderError::NotFound(_)) => {}
        Err(error) => return Err(error),
    }
    let named = model.iter().find(|r| matches!(r, ElbResource::PublicAddress(_))).and_then(Resource::adopted);
    let Some(named) = named else { return Ok(found) };
    let field = if named.0.parse::<IpAddr>().is_ok() { "public_ip_address" } else { "id" };
    let eips = client.eips(by(field, &named.0)).await?;
    // The filter may be one that the cloud ignores.
    let is_it = |json: &&crate::client::eip::EipJson| {
        json.id == named.0 || json.public_ip_address.as_deref() == Some(named.0.as_str())
    };
    if let Some(json) = eips.iter().find(is_it) {
        if json.alias == mark::alias(owner) {
            return Err(own_eip(&named.0));
        }
        found.push(observe::public_address(json, &named.0, &gateway.0));
    }
    Ok(found)
}

/// The refusal to take what we made for what the user made.
fn own_eip(named: &str) -> ProviderError {
    ProviderError::Refused(Detail {
        call: "EIP".into(),
        message: format!(
            "{named} was made for this very Service, not by you: it goes when the Service goes; go on asking for a new one, or name another one; nothing was changed"
        ),
        ..Detail::default()
    })
}

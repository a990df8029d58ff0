//! The part of a list that the NAT service and the user's EIP make up.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferrolb_provider::{Detail, Owner, ProviderError, Resource};

use super::Found;
use crate::client::Client;
use crate::client::elb::{Filter, by};
use crate::client::nat::RuleJson;
use crate::resource::ElbResource;
use crate::stranger::Stranger;
use crate::{mark, observe};

/// How long nobody asks again for all rules after that failed.
const PAUSE: Duration = Duration::from_secs(60);

/// Who may have rules. Most Services never ask for any, and would pay for the question with a call in each pass.
#[derive(Default)]
pub(crate) struct RuleOwners(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// UIDs.
    owners: BTreeSet<String>,
    /// Rules that are older than this process are in it, too.
    is_complete: bool,
    /// No question about those before this moment.
    not_before: Duration,
}

impl RuleOwners {
    /// Whether `owner` may have some: it asks for rules, it goes, or it had some when this process last looked.
    pub(crate) fn may_have(&self, owner: &Owner, model: &[ElbResource]) -> bool {
        let asks = model.iter().any(|r| matches!(r, ElbResource::NatGateway(_)));
        asks || model.is_empty() || self.known().owners.contains(&owner.uid)
    }

    /// Whether `owner` has some since before this process began, so that nobody remembers: it may have changed its
    /// class meanwhile. One question answers it for all owners; where it has no answer, no pass fails for it.
    pub(super) async fn had(&self, client: &Client, owner: &Owner) -> bool {
        let now = client.now();
        {
            let mut known = self.known();
            if known.is_complete || now < known.not_before {
                return known.owners.contains(&owner.uid);
            }
            // Others need not ask meanwhile.
            known.not_before = now + PAUSE;
        }
        match rules(client, Filter::new()).await {
            Ok(rules) => {
                let found = rules.iter().filter_map(|rule| mark::owner_in(&rule.description)).map(|owner| owner.uid);
                let mut known = self.known();
                known.is_complete = true;
                known.owners.extend(found);
                known.owners.contains(&owner.uid)
            }
            Err(error) => {
                tracing::debug!(%error, "it is not known yet who has DNAT rules from before this process");
                false
            }
        }
    }

    /// Keeps in mind what was seen.
    pub(crate) fn note(&self, owner: &Owner, seen: &[Found]) {
        let has = seen.iter().any(|s| matches!(s.resource, ElbResource::DnatRule(_) | ElbResource::NatGateway(_)));
        if has {
            self.known().owners.insert(owner.uid.clone());
        } else {
            self.known().owners.remove(&owner.uid);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
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
    // Of an owner without names (found by an EIP) the mark is not known: all, and what comes is looked through.
    let marks = if owner.name.is_empty() { Filter::new() } else { by("description", &mark::description(owner)) };
    let marked_rules = async { if may_have_rules { rules(client, marks).await } else { Ok(Vec::new()) } };
    let (rules, adopted) = tokio::try_join!(marked_rules, adopted(client, vpc, owner, model))?;
    // Only where rules are wished it matters where they point.
    let wished = model.iter().any(|r| matches!(r, ElbResource::DnatRule(_)));
    let nics = addresses(client, rules.iter().filter(|_| wished).map(|rule| &rule.port_id)).await?;
    let mut found: Vec<Found> = rules.iter().map(|json| observe::rule(json, owner, &nics)).collect();
    found.retain(|seen| seen.owned);
    found.extend(strangers(client, owner, model, &found, &adopted).await?);
    found.extend(adopted);
    Ok(found)
}

/// What others have on the user's EIP, where rules are missing on it: they may have the ports. `ours` are ours.
async fn strangers(
    client: &Client,
    owner: &Owner,
    model: &[ElbResource],
    ours: &[Found],
    adopted: &[Found],
) -> Result<Vec<Found>, ProviderError> {
    let on = adopted.iter().find_map(|seen| match &seen.resource {
        ElbResource::PublicAddress(eip) => Some((&seen.id, eip.id.as_ref()?)),
        _ => None,
    });
    let Some((on, eip)) = on else { return Ok(Vec::new()) };
    let is_there =
        |wish: &ElbResource| ours.iter().any(|s| s.resource.slot() == wish.slot() && s.parents.iter().any(|p| p == on));
    if model.iter().filter(|r| matches!(r, ElbResource::DnatRule(_))).all(is_there) {
        return Ok(Vec::new());
    }
    let all = rules(client, by("floating_ip_id", eip)).await?;
    // The filter may be one that the cloud ignores.
    let theirs = all.iter().filter(|json| json.floating_ip_id == *eip && !mark::is_of(&json.description, owner));
    Ok(theirs.map(|json| Stranger::of_rule(json).on(&on.0)).collect())
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
pub(super) fn own_eip(named: &str) -> ProviderError {
    ProviderError::Refused(Detail {
        call: "EIP".into(),
        message: format!(
            "{named} was made for this very Service, not by you: it goes when the Service goes; go on asking for a new one, or name another one; nothing was changed"
        ),
        ..Detail::default()
    })
}

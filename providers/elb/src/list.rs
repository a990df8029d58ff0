//! Everything of one owner, with as few calls as there can be.

mod groups;
mod members;
mod nat;
mod shared;

pub(crate) use groups::{KindOwners, Look};
use nat::own_eip;
pub(crate) use nat::{RuleOwners, addresses};
pub(crate) use shared::Lists;

use std::collections::BTreeSet;

use ferrolb_provider::{Detail, Owner, ProviderError, Resource, Seen, Slot};
use futures::future::try_join_all;

use crate::client::Client;
use crate::client::eip::EipJson;
use crate::client::elb::{BalancerJson, Filter, IpGroupJson};
use crate::flavor::Flavors;
use crate::keys::ID;
use crate::mark;
use crate::observe;
use crate::resource::ElbResource;
use crate::spec::Flavor;
use crate::stranger;

type Found = Seen<ElbResource>;

/// Where to look.
pub(crate) struct Cloud<'a> {
    /// For the calls of one owner.
    pub(crate) client: Client,
    pub(crate) lists: &'a Lists,
    pub(crate) flavors: &'a Flavors,
    pub(crate) rule_owners: &'a RuleOwners,
    /// The cluster's.
    pub(crate) vpc: &'a str,
}

/// What of the rarer kinds to look for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looks {
    pub(crate) may_have_rules: bool,
    pub(crate) groups: Look,
    /// EIPs of the user's that are lent to the owner. The cloud has no filter for tags: all are asked for.
    pub(crate) lent: Look,
}

/// All that bears the mark of `owner`, and the adopted objects of `model`.
///
/// # Errors
/// Those of the calls, and where the user names as an existing one what is marked as this very owner's: going on would
/// delete its EIP now and it with the Service.
pub(crate) async fn list(
    cloud: &Cloud<'_>,
    owner: &Owner,
    model: &[ElbResource],
    looks: Looks,
) -> Result<Vec<Found>, ProviderError> {
    let Cloud { client, lists, flavors, rule_owners, vpc } = cloud;
    let may_have_rules = looks.may_have_rules;
    let adopted = model.iter().filter(|r| matches!(r, ElbResource::LoadBalancer(_))).find_map(Resource::adopted);
    let (marked, adopted, all_eips, groups, listeners, pools, mut nat) = tokio::try_join!(
        lists.balancers.marked(client, owner),
        async {
            match &adopted {
                Some(id) => match client.balancer(&id.0).await {
                    Ok(json) => Ok(Some(json)),
                    Err(ProviderError::NotFound(_)) => Ok(None),
                    Err(error) => Err(error),
                },
                None => Ok(None),
            }
        },
        // The same call shows those that are lent; only it shows more.
        async {
            match looks.lent {
                Look::Now => lists.all_eips(client).await,
                Look::IfAny | Look::No => lists.eips.of(client, vec![mark::alias(owner)]).await,
            }
        },
        async { if looks.groups == Look::Now { lists.groups.marked(client, owner).await } else { Ok(Vec::new()) } },
        lists.listeners.marked(client, owner),
        lists.pools.marked(client, owner),
        nat::list(client, vpc, owner, model, may_have_rules),
    )?;
    let alias = mark::alias(owner);
    let wished = wished_eip(model);
    let (eips, mut lent): (Vec<EipJson>, Vec<EipJson>) = all_eips.into_iter().partition(|json| json.alias == alias);
    if let Some(id) = wished.filter(|id| eips.iter().any(|json| json.id == **id)) {
        return Err(own_eip(id));
    }
    // Where there is nothing yet, there are no rules of an earlier class either, or the next pass finds them.
    let is_new = marked.is_empty() && eips.is_empty() && listeners.is_empty() && pools.is_empty();
    if looks.lent == Look::IfAny && !is_new {
        lent = lists.all_eips(client).await?;
        lent.retain(|json| json.alias != alias);
    }
    lent.retain(|json| wished == Some(&json.id) || mark::lent_place(&json.tags, owner).is_some());
    if !may_have_rules && !is_new && rule_owners.had(client, owner).await {
        nat = nat::list(client, vpc, owner, model, true).await?;
    }
    let jsons: Vec<&BalancerJson> = marked.iter().chain(&adopted).collect();
    let adopted = adopted.as_ref().map(|json| observe::balancer(json, owner));
    if let Some(own) = adopted.as_ref().filter(|seen| seen.owned) {
        return Err(own_work(own));
    }
    let mut balancers: Vec<Found> = marked
        .iter()
        .map(|json| observe::balancer(json, owner))
        .filter(|seen| seen.owned && adopted.as_ref().is_none_or(|a| a.id != seen.id))
        .collect();
    // The one that will be kept: an EIP bound to another one of ours is not bound where it should be.
    let mut main = adopted.or_else(|| {
        let oldest = (0..balancers.len()).min_by_key(|i| {
            let seen = &balancers[*i];
            (seen.created.clone(), seen.id.clone())
        });
        oldest.map(|i| balancers.swap_remove(i))
    });
    if let Some(main) = &mut main {
        name_flavors(client, flavors, main, &marked, model).await;
    }
    let mut listeners: Vec<Found> =
        listeners.iter().map(|json| observe::listener(json, owner)).filter(|seen| seen.owned).collect();
    let groups = match looks.groups {
        Look::IfAny if !is_new => lists.groups.marked(client, owner).await?,
        _ => groups,
    };
    let (groups, jsons_of_groups): (Vec<Found>, Vec<&IpGroupJson>) =
        groups.iter().map(|json| (observe::ip_group(json, owner), json)).filter(|(seen, _)| seen.owned).unzip();
    observe::know_own_groups(&mut listeners, &groups);
    let owned_pools: Vec<_> = pools
        .iter()
        .map(|json| (json, observe::pool(json, owner, &listeners)))
        .filter(|(_, seen)| seen.owned)
        .collect();

    let ours: BTreeSet<String> =
        listeners.iter().chain(owned_pools.iter().map(|(_, seen)| seen)).map(|s| s.id.0.clone()).collect();
    let used: Vec<&str> = main.iter().chain(&balancers).map(|s| s.id.0.as_str()).collect();
    let used = jsons
        .into_iter()
        .filter(|json| used.contains(&json.id.as_str()) && !is_served(model, &main, &json.id, &listeners));
    let strangers = try_join_all(used.map(|json| stranger::list(client, json, &ours)));
    // A group that stays may be used by whoever likes to.
    let goes = !model.iter().any(|r| matches!(r, ElbResource::IpGroup(_)));
    let going = jsons_of_groups.into_iter().filter(|_| goes);
    let users = try_join_all(going.map(|json| stranger::users(client, owner, json, &ours)));

    let monitor_ids: BTreeSet<&str> = owned_pools
        .iter()
        .filter_map(|(json, _)| json.healthmonitor_id.as_deref())
        .filter(|id| !id.is_empty())
        .collect();
    let monitors = lists.monitors.of(client, monitor_ids.into_iter().map(str::to_owned).collect());
    let members = members::list(client, &lists.members, &owned_pools);
    let (monitors, members, strangers, users) = tokio::try_join!(monitors, members, strangers, users)?;

    let all_balancers: Vec<&Found> = main.iter().chain(&balancers).collect();
    let eip = |json| {
        let mut seen = observe::eip(json, owner, main.as_ref());
        observe::retain(&mut seen, json, &all_balancers);
        seen
    };
    let mut all: Vec<Found> = eips.iter().map(eip).filter(|seen| seen.owned).collect();
    for json in &monitors {
        let pool = owned_pools.iter().find(|(_, seen)| json.pools.iter().any(|r| r.id == seen.id.0));
        all.extend(pool.and_then(|(_, seen)| observe::monitor(json, seen)));
    }
    all.extend(lent.iter().flat_map(|json| observe::lent(json, owner, wished, &all_balancers)));
    all.extend(members);
    all.extend(strangers.into_iter().chain(users).flatten());
    all.extend(main);
    all.extend(balancers);
    all.extend(groups);
    all.extend(listeners);
    all.extend(owned_pools.into_iter().map(|(_, seen)| seen));
    all.extend(nat);
    Ok(all)
}

/// Whether `balancer` stays and has every listener of the model, so that nobody can be in the way on it.
fn is_served(model: &[ElbResource], main: &Option<Found>, balancer: &str, listeners: &[Found]) -> bool {
    let stays = main.as_ref().is_some_and(|main| main.id.0 == balancer) && !model.is_empty();
    let there = |slot: Slot| {
        listeners.iter().any(|l| l.resource.slot() == slot && l.parents.iter().any(|parent| parent.0 == balancer))
    };
    stays && model.iter().filter(|r| matches!(r, ElbResource::Listener(_))).all(|r| there(r.slot()))
}

/// The EIP of the user's that the load balancer is to have.
fn wished_eip(model: &[ElbResource]) -> Option<&String> {
    model.iter().find_map(|r| match r {
        ElbResource::Association(association) => Some(&association.eip),
        _ => None,
    })
}

/// Fills in the names of the flavors of `main`, where the model names any.
async fn name_flavors(
    client: &Client,
    flavors: &Flavors,
    main: &mut Found,
    balancers: &[BalancerJson],
    model: &[ElbResource],
) {
    let new = model.iter().find_map(|r| match r {
        ElbResource::LoadBalancer(lb) => lb.new.as_ref(),
        _ => None,
    });
    let json = balancers.iter().find(|json| json.id == main.id.0);
    if let (Some(new), Some(json), ElbResource::LoadBalancer(lb)) = (new, json, &mut main.resource)
        && let Some(found) = &mut lb.found
    {
        if matches!(new.l4_flavor, Some(Flavor::Name(_))) {
            found.l4_flavor.name = flavors.name(client, json.l4_flavor_id.as_deref()).await;
        }
        if matches!(new.l7_flavor, Some(Flavor::Name(_))) {
            found.l7_flavor.name = flavors.name(client, json.l7_flavor_id.as_deref()).await;
        }
    }
}

/// The refusal to take what we made for what the user made.
fn own_work(balancer: &Found) -> ProviderError {
    ProviderError::Refused(Detail {
        call: ID.to_owned(),
        message: format!(
            "load balancer {} was made for this very Service, not by you: it, and its EIP, go when the Service goes; remove {ID} and keep elb.autocreate to go on with it, or name another one; nothing was changed",
            balancer.id
        ),
        ..Detail::default()
    })
}

/// Every owner of `cluster` that has at least one marked object.
pub(crate) async fn owners(client: &Client, cluster: &str) -> Result<Vec<Owner>, ProviderError> {
    let (balancers, groups, listeners, pools, eips, rules) = tokio::try_join!(
        client.balancers(Filter::new()),
        client.ip_groups(Filter::new()),
        client.listeners(Filter::new()),
        client.pools(Filter::new()),
        client.eips(Filter::new()),
        nat::rules(client, Filter::new()),
    )?;
    let descriptions = balancers
        .iter()
        .map(|b| &b.description)
        .chain(groups.iter().map(|g| &g.description))
        .chain(listeners.iter().map(|l| &l.description))
        .chain(pools.iter().map(|p| &p.description))
        .chain(rules.iter().map(|r| &r.description));
    let tags = eips.iter().flat_map(|e| &e.tags);
    let mut owners: Vec<Owner> = Vec::new();
    let named = descriptions.filter_map(|d| mark::owner_in(d));
    let unnamed = eips.iter().filter_map(|e| mark::owner_in_alias(&e.alias, cluster));
    let unnamed = unnamed.chain(tags.filter_map(|tag| mark::owner_in_tag(tag, cluster)));
    // Those with names come first: an alias or a tag repeats an owner without them.
    for owner in named.filter(|o| o.cluster == cluster).chain(unnamed) {
        if !owners.iter().any(|known| mark::same(known, &owner)) {
            owners.push(owner);
        }
    }
    owners.sort();
    Ok(owners)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

//! The members of an owner's pools: of several pools in one call, where the cloud has it.

use ferrolb_provider::ProviderError;
use futures::future::try_join_all;

use super::{Found, IDS};
use crate::client::elb::{Filter, PoolJson, by};
use crate::client::{Client, NO_SUCH_PATH};
use crate::observe;

/// The members of `pools`, each as the cloud tells it and as it is seen.
pub(super) async fn list(client: &Client, pools: &[(&PoolJson, Found)]) -> Result<Vec<Found>, ProviderError> {
    let filled: Vec<&Found> =
        pools.iter().filter(|(json, _)| !json.members.as_ref().is_some_and(Vec::is_empty)).map(|(_, p)| p).collect();
    if filled.len() > 1 && !client.only_members_of_one_pool() {
        match of_all(client, &filled).await {
            Err(error) if is_unknown_call(&error) => client.set_only_members_of_one_pool(),
            listed => return listed,
        }
    }
    let each = try_join_all(filled.into_iter().map(|pool| of_one(client, pool))).await?;
    Ok(each.into_iter().flatten().collect())
}

async fn of_all(client: &Client, pools: &[&Found]) -> Result<Vec<Found>, ProviderError> {
    let chunks = pools.chunks(IDS).map(|chunk| {
        let filter: Filter = chunk.iter().flat_map(|pool| by("pool_id", &pool.id.0)).collect();
        client.members_of_pools(filter)
    });
    let members = try_join_all(chunks).await?;
    // A cloud that does not know the filter tells of other pools, too.
    let pool_of = |id: Option<&str>| pools.iter().find(|pool| id == Some(pool.id.0.as_str()));
    let seen = members.iter().flatten().filter_map(|json| observe::member(json, pool_of(json.pool_id.as_deref())?));
    Ok(seen.collect())
}

async fn of_one(client: &Client, pool: &Found) -> Result<Vec<Found>, ProviderError> {
    match client.members(&pool.id.0, Filter::new()).await {
        Ok(members) => Ok(members.iter().filter_map(|json| observe::member(json, pool)).collect()),
        // Deleted since the list of pools was made.
        Err(ProviderError::NotFound(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn is_unknown_call(error: &ProviderError) -> bool {
    error.detail().code.as_deref().is_some_and(|code| NO_SUCH_PATH.contains(&code))
}

//! The members of an owner's pools: of several pools in one call, where the cloud has it.

use ferrolb_provider::ProviderError;
use futures::future::try_join_all;

use super::Found;
use super::shared::List;
use crate::client::elb::{Filter, MemberJson, PoolJson, any};
use crate::client::{Client, NO_SUCH_PATH};
use crate::observe;

/// The members of `pools`, each as the cloud tells it and as it is seen.
pub(super) async fn list(
    client: &Client,
    members: &List<MemberJson>,
    pools: &[(&PoolJson, Found)],
) -> Result<Vec<Found>, ProviderError> {
    let filled = pools.iter().filter(|(json, _)| !json.members.as_ref().is_some_and(Vec::is_empty));
    let members = members.of(client, filled.map(|(json, _)| json.id.clone()).collect()).await?;
    let pool_of = |id: Option<&str>| pools.iter().map(|(_, pool)| pool).find(|pool| id == Some(pool.id.0.as_str()));
    Ok(members.iter().filter_map(|json| observe::member(json, pool_of(json.pool_id.as_deref())?)).collect())
}

/// The members of the pools with these ids.
pub(super) async fn of_pools(client: &Client, pools: &[String]) -> Result<Vec<MemberJson>, ProviderError> {
    if pools.len() > 1 && !client.only_members_of_one_pool() {
        match client.members_of_pools(any("pool_id", pools)).await {
            Err(error) if is_unknown_call(&error) => client.set_only_members_of_one_pool(),
            listed => return listed,
        }
    }
    let each = try_join_all(pools.iter().map(|pool| of_one(client, pool))).await?;
    Ok(each.into_iter().flatten().collect())
}

async fn of_one(client: &Client, pool: &str) -> Result<Vec<MemberJson>, ProviderError> {
    match client.members(pool, Filter::new()).await {
        Ok(members) => Ok(members.into_iter().map(|json| MemberJson { pool_id: Some(pool.into()), ..json }).collect()),
        // Deleted since the list of pools was made.
        Err(ProviderError::NotFound(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn is_unknown_call(error: &ProviderError) -> bool {
    error.detail().code.as_deref().is_some_and(|code| NO_SUCH_PATH.contains(&code))
}

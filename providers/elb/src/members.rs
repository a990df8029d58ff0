//! Members: one call for all of a step, or, where the cloud knows no such call, one after another.

use ferrolb_provider::{Id, Item, ProviderError, Seen, Step, Verb};
use serde_json::{Value, json};

use crate::body;
use crate::client::elb::{MemberJson, by};
use crate::client::{CONFLICT, Client, NO_SUCH_PATH};
use crate::observe;
use crate::resource::{ElbResource, Member};

type Found = Seen<ElbResource>;
type Result<T> = std::result::Result<T, ProviderError>;

/// Carries out a step whose items are members; `None` where the step is none that a plan contains.
pub(crate) async fn apply(client: &Client, step: &Step<ElbResource>) -> Result<Option<Vec<Found>>> {
    let Some(pool) = pool_of(step) else {
        return Ok(None);
    };
    if !client.only_single_members() {
        match together(client, step, &pool).await {
            Err(error) if is_unknown_call(&error) => client.set_only_single_members(),
            done => return done.map(Some),
        }
    }
    one_by_one(client, step, &pool).await.map(Some)
}

async fn together(client: &Client, step: &Step<ElbResource>, pool: &Id) -> Result<Vec<Found>> {
    let (verb, bodies): (_, Vec<Value>) = match step.verb {
        Verb::Create => ("add", step.items.iter().filter_map(body::new_member).collect()),
        Verb::Update => ("update", step.items.iter().filter_map(body::weight).collect()),
        Verb::Delete => {
            let ids = step.items.iter().filter_map(|i| i.seen.as_ref());
            ("delete", ids.map(|s| json!({"id": s.id.0})).collect())
        }
    };
    let mut answer = client.batch_members(&pool.0, verb, bodies).await?;
    let answered = match answer.get_mut("members") {
        Some(members) if step.verb != Verb::Delete => {
            serde_json::from_value::<Vec<MemberJson>>(members.take()).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    Ok(match (step.verb, step.parents.first()) {
        (Verb::Delete, _) => Vec::new(),
        (_, Some(pool)) if answered.len() == step.items.len() => {
            answered.iter().filter_map(|json| observe::member(json, pool)).collect()
        }
        // Some clouds answer without a body; the next list tells the rest.
        (Verb::Update, _) => step.items.iter().filter_map(updated).collect(),
        _ => Vec::new(),
    })
}

/// Within the step's one deadline. What is done stays done; the next list shows it, and the next pass goes on.
async fn one_by_one(client: &Client, step: &Step<ElbResource>, pool: &Id) -> Result<Vec<Found>> {
    let mut now = Vec::with_capacity(step.items.len());
    let mut refused = None;
    for (done, item) in step.items.iter().enumerate() {
        match one(client, step, pool, item).await {
            Ok(found) => now.extend(found),
            // A word about this one, not about the others.
            Err(error @ (ProviderError::Refused(_) | ProviderError::NotFound(_))) => {
                refused.get_or_insert(error);
            }
            Err(ProviderError::Unavailable(mut detail)) => {
                let all = step.items.len();
                detail.message = format!("{done} of {all} members tried, the next pass goes on: {}", detail.message);
                return Err(ProviderError::Unavailable(detail));
            }
            Err(error) => return Err(error),
        }
    }
    refused.map_or(Ok(now), Err)
}

async fn one(client: &Client, step: &Step<ElbResource>, pool: &Id, item: &Item<ElbResource>) -> Result<Option<Found>> {
    let observed = |json: &MemberJson| step.parents.first().and_then(|pool| observe::member(json, pool));
    match (step.verb, &item.seen) {
        (Verb::Create, _) => {
            let Some(body) = body::new_member(item) else {
                return Ok(None);
            };
            match client.create_member(&pool.0, body).await {
                Ok(json) => Ok(observed(&json)),
                Err(error) if is_conflict(&error) => {
                    // An earlier call made it.
                    let json = existing(client, pool, item).await?.ok_or(error)?;
                    Ok(observed(&json))
                }
                Err(error) => Err(error),
            }
        }
        (Verb::Update, Some(seen)) => {
            let ElbResource::Member(member) = &item.resource else {
                return Ok(None);
            };
            client.update_member(&pool.0, &seen.id.0, json!({"weight": member.weight})).await?;
            Ok(updated(item))
        }
        (Verb::Delete, Some(seen)) => match client.delete_member(&pool.0, &seen.id.0).await {
            Ok(()) | Err(ProviderError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        },
        (Verb::Update | Verb::Delete, None) => Ok(None),
    }
}

/// The member that has the address and port of `item`.
async fn existing(client: &Client, pool: &Id, item: &Item<ElbResource>) -> Result<Option<MemberJson>> {
    let ElbResource::Member(Member { address, port, .. }) = &item.resource else {
        return Ok(None);
    };
    let mut filter = by("address", &address.to_string());
    filter.extend(by("protocol_port", &port.to_string()));
    let found = client.members(&pool.0, filter).await?;
    let is_it = |m: &MemberJson| m.address == address.to_string() && m.protocol_port == u32::from(*port);
    Ok(found.into_iter().find(is_it))
}

/// The pool that the members of a step hang on.
fn pool_of(step: &Step<ElbResource>) -> Option<Id> {
    match step.parents.first() {
        Some(pool) => Some(pool.id.clone()),
        None => {
            let seen = step.items.first()?.seen.as_ref()?;
            seen.parents.first().cloned()
        }
    }
}

fn updated(item: &Item<ElbResource>) -> Option<Found> {
    let mut seen = item.seen.clone()?;
    seen.resource = item.resource.clone();
    Some(seen)
}

/// Whether the gateway, and not a service behind it, says that there is no such path.
fn is_unknown_call(error: &ProviderError) -> bool {
    has_code(error, NO_SUCH_PATH)
}

fn is_conflict(error: &ProviderError) -> bool {
    matches!(error, ProviderError::Refused(_)) && has_code(error, CONFLICT)
}

fn has_code(error: &ProviderError, codes: &[&str]) -> bool {
    error.detail().code.as_deref().is_some_and(|code| codes.contains(&code))
}

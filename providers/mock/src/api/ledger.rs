//! Everything there is, in the shapes the API shows it, for tests and curious people.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::list::Listed;
use super::request::Context;
use crate::state::{DnatRule, Eip, IpGroup, Listener, LoadBalancer, Member, Monitor, NatGateway, Pool, Store};

/// All objects by kind, and how many of each. Exact: no list lag.
pub fn ledger(context: &Context) -> Value {
    let cloud = &*context.cloud;
    let members: Vec<Value> = cloud.pools.iter().flat_map(|(_, pool)| all::<Member>(context, &pool.members)).collect();
    let mut ledger = json!({
        "eips": all::<Eip>(context, &cloud.eips),
        "loadbalancers": all::<LoadBalancer>(context, &cloud.loadbalancers),
        "listeners": all::<Listener>(context, &cloud.listeners),
        "pools": all::<Pool>(context, &cloud.pools),
        "members": members,
        "healthmonitors": all::<Monitor>(context, &cloud.monitors),
        "ipgroups": all::<IpGroup>(context, &cloud.ipgroups),
        "natgateways": all::<NatGateway>(context, &cloud.nat_gateways),
        "dnatrules": all::<DnatRule>(context, &cloud.dnat_rules),
    });
    let count = |key: &str| ledger[key].as_array().map_or(0, Vec::len);
    // The gateway of the beginning is a part of the world, like the VPC.
    let kinds = ["eips", "loadbalancers", "listeners", "pools", "members", "healthmonitors", "ipgroups", "dnatrules"];
    let counts: serde_json::Map<String, Value> =
        kinds.iter().map(|kind| ((*kind).to_owned(), json!(count(kind)))).collect();
    ledger["counts"] = Value::Object(counts);
    ledger["revision"] = json!(cloud.revision());
    ledger
}

fn all<T: Listed + Clone + PartialEq>(context: &Context, store: &Store<T>) -> Vec<Value> {
    store.seen(context.now, SignedDuration::ZERO).iter().map(|(_, row)| T::render(row, context)).collect()
}

//! `GET /v3/{pid}/elb/loadbalancers/{id}/statuses`: the whole tree with the health of each member.

use serde_json::{Value, json};

use super::answer::Answer;
use super::request::{Context, Request};
use crate::state::{Cloud, Pool, Refusal};

pub fn show(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let cloud = &*context.cloud;
    let id = request.param(0);
    let lb = cloud.loadbalancer(id)?;
    let pools = cloud.pools_of(id);
    let listeners: Vec<Value> = cloud.listeners_of(id).iter().filter_map(|id| listener(cloud, id)).collect();
    let pools: Vec<&Pool> = pools.iter().filter_map(|id| cloud.pools.get(id)).collect();
    let some_offline =
        pools.iter().any(|pool| pool.members.iter().any(|(id, _)| cloud.member_status(pool, id).0 == "OFFLINE"));
    Ok(Answer::ok(json!({"statuses": {"loadbalancer": {
        "id": id,
        "name": lb.name,
        "provisioning_status": lb.status(context.now),
        "operating_status": if some_offline { "DEGRADED" } else { "ONLINE" },
        "listeners": listeners,
        "pools": pools.iter().map(|p| pool(cloud, p)).collect::<Vec<_>>(),
    }}})))
}

fn listener(cloud: &Cloud, id: &str) -> Option<Value> {
    let listener = cloud.listeners.get(id)?;
    let default = listener.default_pool_id.as_ref().and_then(|id| cloud.pools.get(id));
    Some(json!({
        "id": id,
        "name": listener.name,
        "provisioning_status": "ACTIVE",
        "operating_status": "ONLINE",
        "pools": default.map(|p| pool(cloud, p)).into_iter().collect::<Vec<_>>(),
        "l7policies": [],
    }))
}

fn pool(cloud: &Cloud, pool: &Pool) -> Value {
    let monitor = pool.healthmonitor_id.as_ref().and_then(|id| cloud.monitors.get(id));
    let members = pool.members.iter().map(|(id, member)| {
        json!({
            "id": id,
            "address": member.address,
            "protocol_port": member.protocol_port,
            "provisioning_status": "ACTIVE",
            "operating_status": cloud.member_status(pool, id).0,
        })
    });
    json!({
        "id": pool.id,
        "name": pool.name,
        "provisioning_status": "ACTIVE",
        "operating_status": "ONLINE",
        "healthmonitor": monitor.map(|m| json!({"id": m.id, "name": m.name, "type": m.kind, "provisioning_status": "ACTIVE"})),
        "members": members.collect::<Vec<_>>(),
    })
}

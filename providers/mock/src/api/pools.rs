//! `/v3/{pid}/elb/pools`.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::fields::{Fields, need};
use super::list::{self, Listed};
use super::request::{Context, Request};
use super::wire;
use crate::state::{Algorithm, NewPool, Persistence, Pool, PoolPatch, Protocol, Refusal, Row};

/// Kept and shown; what they do is the data plane's.
const EXTRA: [&str; 6] =
    ["slow_start", "connection_drain", "az_affinity", "pool_health", "protection_status", "protection_reason"];

pub fn list(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let rows = context.cloud.pools.seen(context.now, context.lag);
    Ok(Answer::ok(Value::Object(list::page::<Pool>(context, &request.query, rows)?)))
}

pub fn show(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    Ok(Answer::ok(shown(context, request.param(0))?))
}

pub fn create(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("pool")?;
    let protocol: Protocol = need("protocol", fields.parse("protocol")?)?;
    let kind = fields.text("type", 36)?.unwrap_or_default();
    let vpc_id = fields.id("vpc_id")?.unwrap_or_default();
    match kind.as_str() {
        "instance" if vpc_id.is_empty() => return Err(Refusal::Missing("vpc_id")),
        "ip" if !vpc_id.is_empty() => return Err(Refusal::invalid("vpc_id", "a pool of type ip has none")),
        "" | "instance" | "ip" => {}
        other => return Err(Refusal::invalid("type", format!("'{other}' is not instance or ip"))),
    }
    if !vpc_id.is_empty() && vpc_id != context.cloud.setup.vpc.id {
        return Err(Refusal::Mismatch(format!("VPC {vpc_id} could not be found.")));
    }
    let new = NewPool {
        name: fields.name()?.unwrap_or_default(),
        description: fields.description()?.unwrap_or_default(),
        protocol,
        lb_algorithm: need("lb_algorithm", fields.parse::<Algorithm>("lb_algorithm")?)?,
        listener_id: fields.id("listener_id")?,
        loadbalancer_id: fields.id("loadbalancer_id")?,
        vpc_id,
        kind,
        session_persistence: persistence(&fields, protocol)?,
        any_port_enable: fields.flag("any_port_enable")?.unwrap_or(false),
        member_deletion_protection_enable: fields.flag("member_deletion_protection_enable")?.unwrap_or(false),
        extra: extra(&fields, protocol)?,
    };
    let id = context.cloud.create_pool(context.now, new)?;
    Ok(Answer::created(shown(context, &id)?))
}

pub fn update(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("pool")?;
    let id = request.param(0);
    let protocol = context.cloud.pool(id)?.protocol;
    let patch = PoolPatch {
        name: fields.name()?,
        description: fields.description()?,
        lb_algorithm: fields.parse("lb_algorithm")?,
        session_persistence: if fields.has("session_persistence") {
            Some(persistence(&fields, protocol)?)
        } else {
            None
        },
        any_port_enable: fields.flag("any_port_enable")?,
        member_deletion_protection_enable: fields.flag("member_deletion_protection_enable")?,
        extra: extra(&fields, protocol)?,
    };
    context.cloud.update_pool(context.now, id, patch)?;
    Ok(Answer::ok(shown(context, id)?))
}

pub fn delete(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.delete_pool(context.now, request.param(0))?;
    Ok(Answer::nothing())
}

/// `DELETE …/delete-cascade`: with members and monitor.
pub fn cascade_delete(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.cascade_pool(context.now, request.param(0))?;
    Ok(Answer::nothing())
}

fn shown(context: &Context, id: &str) -> Result<Value, Refusal> {
    context.cloud.pool(id)?;
    Ok(json!({"pool": context.cloud.pools.row(id).map(|row| Pool::render(row, context))}))
}

/// TCP and UDP: 1 to 60 minutes, default 1, always by source address. HTTP: 1 to 1440, default 1440.
fn persistence(fields: &Fields, pool: Protocol) -> Result<Option<Persistence>, Refusal> {
    let Some(given) = fields.object("session_persistence")? else { return Ok(None) };
    let kind = need("type", given.text("type", 36)?)?;
    if !["SOURCE_IP", "HTTP_COOKIE", "APP_COOKIE"].contains(&kind.as_str()) {
        return Err(Refusal::invalid("session_persistence", format!("type '{kind}' is unknown")));
    }
    let cookie_name = given.text("cookie_name", 1024)?.filter(|name| !name.is_empty());
    if (kind == "APP_COOKIE") != cookie_name.is_some() {
        return Err(Refusal::invalid("session_persistence", "cookie_name goes with APP_COOKIE, and only with it"));
    }
    let (longest, default) = if pool.is_http() { (1440, 1440) } else { (60, 1) };
    let persistence_timeout = given.int("persistence_timeout", 1..=longest)?.unwrap_or(default);
    Ok(Some(Persistence { kind, cookie_name, persistence_timeout }))
}

fn extra(fields: &Fields, protocol: Protocol) -> Result<Map<String, Value>, Refusal> {
    if let Some(drain) = fields.object("connection_drain")? {
        let timeout = drain.int("timeout", 10..=4000)?;
        if drain.flag("enable")? == Some(true) && timeout.is_none() {
            return Err(Refusal::invalid("connection_drain", "timeout is required when enabled"));
        }
    }
    if let Some(start) = fields.object("slow_start")? {
        start.int("duration", 30..=1200)?;
        if start.flag("enable")? == Some(true) && !protocol.is_http() {
            return Err(Refusal::invalid("slow_start", format!("a {} pool has none", protocol.name())));
        }
    }
    Ok(fields.copy(&EXTRA))
}

impl Listed for Pool {
    const PLURAL: &'static str = "pools";
    const FILTERS: &'static [&'static str] = &[
        "id",
        "name",
        "description",
        "loadbalancer_id",
        "listener_id",
        "healthmonitor_id",
        "protocol",
        "lb_algorithm",
        "member_address",
        "vpc_id",
        "type",
    ];

    fn values(row: &Row<Self>, filter: &str, context: &Context) -> Vec<String> {
        let cloud = &*context.cloud;
        let pool = &row.value;
        match filter {
            "id" => vec![pool.id.clone()],
            "name" => vec![pool.name.clone()],
            "description" => vec![pool.description.clone()],
            "loadbalancer_id" => wire::one(pool.loadbalancer_id.as_ref()),
            "listener_id" => cloud.listeners_using(&pool.id),
            "healthmonitor_id" => wire::one(pool.healthmonitor_id.as_ref()),
            "protocol" => vec![pool.protocol.name().into()],
            "lb_algorithm" => json!(pool.lb_algorithm).as_str().map(str::to_owned).into_iter().collect(),
            "member_address" => pool.members.iter().map(|(_, member)| member.address.to_string()).collect(),
            "vpc_id" => vec![pool.vpc_id.clone()],
            "type" => vec![pool.kind.clone()],
            _ => Vec::new(),
        }
    }

    fn render(row: &Row<Self>, context: &Context) -> Value {
        let (pool, cloud) = (&row.value, &*context.cloud);
        let mut value = json!({
            "id": pool.id,
            "name": pool.name,
            "description": pool.description,
            "project_id": cloud.setup.project_id,
            "admin_state_up": true,
            "protocol": pool.protocol,
            "lb_algorithm": pool.lb_algorithm,
            "loadbalancers": wire::references(&pool.loadbalancer_id),
            "listeners": wire::references(&cloud.listeners_using(&pool.id)),
            "members": wire::references(pool.members.iter().map(|(id, _)| id)),
            "healthmonitor_id": pool.healthmonitor_id,
            "session_persistence": pool.session_persistence,
            "ip_version": "v4",
            "type": pool.kind,
            "vpc_id": pool.vpc_id,
            "any_port_enable": pool.any_port_enable,
            "member_deletion_protection_enable": pool.member_deletion_protection_enable,
            "slow_start": null,
            "connection_drain": null,
            "az_affinity": null,
            "pool_health": {"minimum_healthy_member_count": 0},
            "enterprise_project_id": "0",
            "public_border_group": "center",
            "protection_status": "nonProtection",
            "protection_reason": "",
            "created_at": wire::time(row.created),
            "updated_at": wire::time(row.updated),
        });
        wire::overlay(&mut value, &pool.extra);
        value
    }
}

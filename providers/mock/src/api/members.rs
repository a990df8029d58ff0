//! `/v3/{pid}/elb/pools/{pool}/members`, its batches, and `/v3/{pid}/elb/members`.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::fields::{Fields, need};
use super::list::{self, Listed};
use super::request::{Context, Request};
use super::wire;
use crate::state::{Cloud, Member, MemberKey, MemberPatch, NewMember, Pool, Refusal, Row};

/// Filters of a pool's own list.
const POOL_FILTERS: &[&str] = &[
    "id",
    "name",
    "address",
    "protocol_port",
    "weight",
    "subnet_cidr_id",
    "operating_status",
    "member_type",
    "pool_id",
];

/// Items one batch call may carry.
const BATCH: usize = 200;

pub fn list(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let pool = context.cloud.pool(request.param(0))?;
    let rows = pool.members.seen(context.now, context.lag);
    let page = list::page_of(context, &request.query, rows, POOL_FILTERS, render_in_pool)?;
    Ok(Answer::ok(Value::Object(page)))
}

/// Members of all pools.
pub fn list_all(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let pools = context.cloud.pools.iter();
    let mut rows: Vec<_> = pools.flat_map(|(_, pool)| pool.members.seen(context.now, context.lag)).collect();
    rows.sort_by_key(|(id, _)| *id);
    Ok(Answer::ok(Value::Object(list::page::<Member>(context, &request.query, rows)?)))
}

pub fn show(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    Ok(Answer::ok(shown(context, request.param(0), request.param(1))?))
}

pub fn create(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let new = new_member(&request.object("member")?)?;
    let pool = request.param(0);
    let id = context.cloud.create_member(context.now, pool, new)?;
    Ok(Answer::created(shown(context, pool, &id)?))
}

pub fn update(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let patch = member_patch(&request.object("member")?)?;
    let (pool, id) = (request.param(0), request.param(1));
    context.cloud.member(pool, id)?;
    context.cloud.update_members(context.now, pool, vec![(id.to_owned(), patch)])?;
    Ok(Answer::ok(shown(context, pool, id)?))
}

pub fn delete(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.delete_member(context.now, request.param(0), request.param(1))?;
    Ok(Answer::nothing())
}

/// Idempotent: what is there already comes back as `existed`.
pub fn batch_add(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let new = batch(request)?.into_iter().map(|map| new_member(&Fields::new(map))).collect::<Result<Vec<_>, _>>()?;
    let pool = request.param(0);
    let added = context.cloud.add_members(context.now, pool, new)?;
    let mut members = Vec::new();
    for (id, existed) in added {
        let mut member = in_batch(rendered(context, pool, &id)?);
        member["ret_status"] = json!(if existed { "existed" } else { "successful" });
        members.push(member);
    }
    Ok(Answer::created(json!({"members": members})))
}

pub fn batch_update(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let mut patches = Vec::new();
    for map in batch(request)? {
        let fields = Fields::new(map);
        patches.push((need("id", fields.id("id")?)?, member_patch(&fields)?));
    }
    let pool = request.param(0);
    let ids: Vec<String> = patches.iter().map(|(id, _)| id.clone()).collect();
    context.cloud.update_members(context.now, pool, patches)?;
    let members = ids.iter().map(|id| rendered(context, pool, id).map(in_batch)).collect::<Result<Vec<_>, _>>()?;
    Ok(Answer::ok(json!({"members": members})))
}

/// Idempotent: what is not there comes back as `not found`.
pub fn batch_delete(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let mut keys = Vec::new();
    for map in batch(request)? {
        let fields = Fields::new(map);
        keys.push(match (fields.id("id")?, fields.address("address")?) {
            (Some(id), None) => MemberKey::Id(id),
            (None, Some(address)) => MemberKey::Address(address, need("protocol_port", fields.port("protocol_port")?)?),
            (Some(_), Some(_)) => return Err(Refusal::invalid("members", "id and address exclude each other")),
            (None, None) => return Err(Refusal::Missing("id")),
        });
    }
    let deleted = context.cloud.delete_members(context.now, request.param(0), keys)?;
    let line =
        |d: &crate::state::Deleted| json!({"id": d.id, "ret_status": if d.found { "successful" } else { "not found" }});
    Ok(Answer::ok(json!({"members": deleted.iter().map(line).collect::<Vec<_>>()})))
}

/// `status[]`: the health as each listener sees it.
fn listener_status(cloud: &Cloud, pool: &Pool, member_id: &str) -> Vec<Value> {
    let (status, reason) = cloud.member_status(pool, member_id);
    let listeners = cloud.listeners_using(&pool.id);
    listeners
        .iter()
        .map(|id| json!({"listener_id": id, "operating_status": status, "reason": self::reason(reason)}))
        .collect()
}

fn reason(code: Option<&str>) -> Value {
    code.map_or(
        Value::Null,
        |code| json!({"reason_code": code, "expected_response": null, "healthcheck_response": null}),
    )
}

fn batch(request: &Request) -> Result<Vec<&Map<String, Value>>, Refusal> {
    let items = request.objects("members")?;
    if items.is_empty() || items.len() > BATCH {
        return Err(Refusal::invalid("members", format!("{} items, 1 to {BATCH} are allowed", items.len())));
    }
    Ok(items)
}

fn new_member(fields: &Fields) -> Result<NewMember, Refusal> {
    Ok(NewMember {
        name: fields.name()?.unwrap_or_default(),
        address: need("address", fields.address("address")?)?,
        protocol_port: fields.port("protocol_port")?,
        subnet_cidr_id: fields.id("subnet_cidr_id")?,
        weight: fields.int("weight", 0..=100)?.unwrap_or(1),
    })
}

fn member_patch(fields: &Fields) -> Result<MemberPatch, Refusal> {
    Ok(MemberPatch {
        name: fields.name()?,
        weight: fields.int("weight", 0..=100)?,
        protocol_port: fields.port("protocol_port")?,
    })
}

fn shown(context: &Context, pool: &str, id: &str) -> Result<Value, Refusal> {
    Ok(json!({"member": rendered(context, pool, id)?}))
}

fn rendered(context: &Context, pool_id: &str, id: &str) -> Result<Value, Refusal> {
    context.cloud.member(pool_id, id)?;
    let pool = context.cloud.pool(pool_id)?;
    Ok(pool.members.row(id).map_or(Value::Null, |row| render_in_pool(row, context)))
}

/// A member as its pool shows it: the pool is in the path, not in the body.
fn render_in_pool(row: &Row<Member>, context: &Context) -> Value {
    let member = &row.value;
    let pool = context.cloud.pools.get(&member.pool_id);
    let (status, code) = pool.map_or(("UNKNOWN", None), |pool| context.cloud.member_status(pool, &member.id));
    json!({
        "id": member.id,
        "name": member.name,
        "project_id": context.cloud.setup.project_id,
        "admin_state_up": true,
        "address": member.address,
        "protocol_port": member.protocol_port,
        "subnet_cidr_id": member.subnet_cidr_id,
        "weight": member.weight,
        "operating_status": status,
        "status": pool.map(|pool| listener_status(context.cloud, pool, &member.id)).unwrap_or_default(),
        "reason": reason(code),
        "member_type": if member.subnet_cidr_id.is_some() { "instance" } else { "ip" },
        "instance_id": "",
        "ip_version": if member.address.is_ipv4() { "v4" } else { "v6" },
        "created_at": wire::time(row.created),
        "updated_at": wire::time(row.updated),
    })
}

/// A member as batches answer it: with its port, without its address family.
fn in_batch(mut member: Value) -> Value {
    wire::without(&mut member, &["ip_version"]);
    member["port_id"] = json!("");
    member
}

/// As the list over all pools shows members.
impl Listed for Member {
    const PLURAL: &'static str = "members";
    const FILTERS: &'static [&'static str] = &[
        "id",
        "name",
        "address",
        "protocol_port",
        "weight",
        "subnet_cidr_id",
        "operating_status",
        "pool_id",
        "loadbalancer_id",
    ];

    fn values(row: &Row<Self>, filter: &str, context: &Context) -> Vec<String> {
        let cloud = &*context.cloud;
        let member = &row.value;
        let pool = || cloud.pools.get(&member.pool_id);
        match filter {
            "id" => vec![member.id.clone()],
            "name" => vec![member.name.clone()],
            "address" => vec![member.address.to_string()],
            "protocol_port" => vec![member.protocol_port.to_string()],
            "weight" => vec![member.weight.to_string()],
            "subnet_cidr_id" => wire::one(member.subnet_cidr_id.as_ref()),
            "operating_status" => wire::one(pool().map(|pool| cloud.member_status(pool, &member.id).0)),
            "pool_id" => wire::one(pool().map(|pool| &pool.id)),
            "loadbalancer_id" => wire::one(pool().and_then(|pool| pool.loadbalancer_id.as_ref())),
            "member_type" => vec![if member.subnet_cidr_id.is_some() { "instance" } else { "ip" }.into()],
            _ => Vec::new(),
        }
    }

    fn render(row: &Row<Self>, context: &Context) -> Value {
        let mut value = render_in_pool(row, context);
        let loadbalancer = context.cloud.pools.get(&row.value.pool_id).and_then(|pool| pool.loadbalancer_id.as_ref());
        value["pool_id"] = json!(row.value.pool_id);
        value["loadbalancer_id"] = json!(loadbalancer);
        value["loadbalancers"] = wire::references(loadbalancer);
        value
    }
}

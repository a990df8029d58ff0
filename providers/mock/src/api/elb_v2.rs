//! `/v2/{pid}/elb/loadbalancers`: shared load balancers. Their children are made with v3.

use serde_json::{Value, json};

use super::answer::Answer;
use super::fields::need;
use super::list::{self, Listed};
use super::loadbalancers::enterprise_project;
use super::request::{Context, Request};
use super::wire;
use crate::state::{LoadBalancer, LoadBalancerPatch, NewLoadBalancer, Refusal, Row};

/// What this version can filter by; others are ignored.
const FILTERS: &[&str] =
    &["id", "name", "description", "vip_address", "vip_port_id", "vpc_id", "enterprise_project_id", "member_address"];

pub fn list(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let rows: Vec<_> = context
        .cloud
        .loadbalancers
        .seen(context.now, context.lag)
        .into_iter()
        .filter(|(_, row)| !row.value.guaranteed)
        .collect();
    let rows = list::filtered(context, &request.query, rows, FILTERS);
    let marker = request.query.first("marker").unwrap_or_default();
    let limit = list::limit(&request.query)?.unwrap_or(usize::MAX);
    let page: Vec<Value> =
        rows.iter().filter(|(id, _)| *id > marker).take(limit).map(|(_, row)| render(row, context)).collect();
    Ok(Answer::ok(json!({"loadbalancers": page})))
}

pub fn show(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    Ok(Answer::ok(shown(context, request.param(0))?))
}

pub fn create(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("loadbalancer")?;
    let new = NewLoadBalancer {
        name: fields.name()?.unwrap_or_default(),
        description: fields.description()?.unwrap_or_default(),
        guaranteed: false,
        vip_subnet_cidr_id: Some(need("vip_subnet_id", fields.id("vip_subnet_id")?)?),
        vip_address: fields.address("vip_address")?,
        availability_zone_list: context.cloud.setup.zones.clone(),
        enterprise_project_id: enterprise_project(&fields)?,
        ..NewLoadBalancer::default()
    };
    let id = context.cloud.create_loadbalancer(context.now, new)?;
    Ok(Answer::created(shown(context, &id)?))
}

pub fn update(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("loadbalancer")?;
    let id = request.param(0);
    shared(context, id)?;
    let patch =
        LoadBalancerPatch { name: fields.name()?, description: fields.description()?, ..LoadBalancerPatch::default() };
    context.cloud.update_loadbalancer(context.now, id, patch)?;
    Ok(Answer::ok(shown(context, id)?))
}

pub fn delete(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    shared(context, request.param(0))?;
    context.cloud.delete_loadbalancer(context.now, request.param(0))?;
    Ok(Answer::nothing())
}

/// A dedicated load balancer asked for through v2 is not found.
fn shared(context: &Context, id: &str) -> Result<(), Refusal> {
    if context.cloud.loadbalancer(id)?.guaranteed {
        return Err(Refusal::not_found("Load Balancer", id));
    }
    Ok(())
}

fn shown(context: &Context, id: &str) -> Result<Value, Refusal> {
    shared(context, id)?;
    Ok(json!({"loadbalancer": context.cloud.loadbalancers.row(id).map(|row| render(row, context))}))
}

fn render(row: &Row<LoadBalancer>, context: &Context) -> Value {
    let (lb, cloud) = (&row.value, &*context.cloud);
    json!({
        "id": lb.id,
        "name": lb.name,
        "description": lb.description,
        "tenant_id": cloud.setup.project_id,
        "project_id": cloud.setup.project_id,
        "provider": "vlb",
        "admin_state_up": true,
        "provisioning_status": lb.status(context.now),
        "operating_status": "ONLINE",
        "vip_subnet_id": lb.vip_subnet_cidr_id,
        "vip_address": lb.vip_address,
        "vip_port_id": lb.vip_port_id,
        "listeners": wire::references(&cloud.listeners_of(&lb.id)),
        "pools": wire::references(&cloud.pools_of(&lb.id)),
        "publicips": LoadBalancer::render(row, context)["publicips"],
        "tags": [],
        "enterprise_project_id": lb.enterprise_project_id,
        "created_at": wire::time(row.created),
        "updated_at": wire::time(row.updated),
    })
}

//! `/v1/{pid}/publicips`, with its traps: an empty update unbinds, an alias makes `port_id` ignored,
//! and nothing here sees or undoes the binding to a dedicated load balancer.

use serde_json::{Value, json};

use super::answer::Answer;
use super::eip;
use super::fields::{Fields, need};
use super::list;
use super::request::{Context, Request};
use super::wire;
use crate::state::{Eip, EipPatch, Refusal, Row};

/// What this version can filter by: neither alias nor status nor instance.
const FILTERS: &[&str] =
    &["id", "public_ip_address", "private_ip_address", "port_id", "ip_version", "enterprise_project_id"];

pub fn list(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let rows = context.cloud.eips.seen(context.now, context.lag);
    let rows = list::filtered(context, &request.query, rows, FILTERS);
    let marker = request.query.first("marker").unwrap_or_default();
    let limit = list::limit(&request.query)?.unwrap_or(usize::MAX);
    let page: Vec<Value> =
        rows.iter().filter(|(id, _)| *id > marker).take(limit).map(|(_, row)| render(row, context)).collect();
    Ok(Answer::ok(json!({"publicips": page})))
}

pub fn show(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    Ok(Answer::ok(shown(context, request.param(0))?))
}

/// Answers 200 with status PENDING_CREATE, whatever the next look will show.
pub fn create(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let (id, body) = made(context, request)?;
    if let Some(port) = request.object("publicip")?.id("port_id")? {
        context.cloud.bind_eip_to_port(context.now, &id, &port)?;
    }
    Ok(Answer::ok(json!({"publicip": body})))
}

/// `POST /v2.0/…/publicips`: what is paid for a period is ordered, and the answer says nothing else.
pub fn create_prepaid(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let extend = request.body.get("extendParam").and_then(Value::as_object).map(Fields::new);
    let mode = extend.and_then(|extend| extend.text("charge_mode", 16).transpose()).transpose()?;
    match mode.as_deref() {
        None | Some("postPaid") => create(context, request),
        Some("prePaid") => {
            let (id, _) = made(context, request)?;
            let order = format!("CS{}", id.replace('-', "").to_uppercase());
            Ok(Answer::ok(json!({"order_id": order, "publicip_id": id})))
        }
        Some(other) => {
            Err(Refusal::invalid("extendParam.charge_mode", format!("'{other}' is not prePaid or postPaid")))
        }
    }
}

/// The id of a new EIP, and what the answer says of it.
fn made(context: &mut Context, request: &Request) -> Result<(String, Option<Value>), Refusal> {
    let fields = request.object("publicip")?;
    let kind = need("type", fields.text("type", 36)?)?;
    let bandwidth = request.object("bandwidth")?;
    let project = request.body.get("enterprise_project_id").and_then(Value::as_str).unwrap_or("0").to_owned();
    let new = eip::new_eip(&fields, Some(bandwidth), kind, project)?;
    if let Some(port) = fields.id("port_id")? {
        let is_known = context.cloud.loadbalancers.iter().any(|(_, lb)| lb.vip_port_id.as_ref() == Some(&port));
        if !is_known {
            return Err(Refusal::invalid("port_id", format!("port {port} could not be found")));
        }
    }
    let id = context.cloud.create_eip(context.now, new)?;
    let body = context.cloud.eips.row(&id).map(|row| render_created(row, context));
    Ok((id, body))
}

pub fn update(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("publicip")?;
    let id = request.param(0);
    let port = fields.id("port_id")?;
    if let Some(alias) = fields.text("alias", 64)? {
        context.cloud.update_eip(context.now, id, EipPatch { alias: Some(alias), ..EipPatch::default() })?;
    } else if fields.value("ip_version").is_some() {
        if port.is_some() {
            return Err(Refusal::invalid("ip_version", "it excludes port_id"));
        }
        return Err(Refusal::invalid("ip_version", "this cloud has no IPv6 addresses"));
    } else if let Some(port) = port {
        context.cloud.bind_eip_to_port(context.now, id, &port)?;
    } else {
        context.cloud.unbind_eip_from_port(context.now, id)?;
    }
    let mut body = shown(context, id)?;
    wire::without(&mut body["publicip"], &["tags", "public_border_group"]);
    Ok(Answer::ok(body))
}

pub fn delete(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.delete_eip(context.now, request.param(0))?;
    Ok(Answer::nothing())
}

fn shown(context: &Context, id: &str) -> Result<Value, Refusal> {
    context.cloud.eip(id)?;
    Ok(json!({"publicip": context.cloud.eips.row(id).map(|row| render(row, context))}))
}

fn render(row: &Row<Eip>, context: &Context) -> Value {
    let (eip, cloud) = (&row.value, &*context.cloud);
    let mut value = render_created(row, context);
    let more = json!({
        "status": eip.status(context.now),
        "bandwidth_id": eip.bandwidth.id,
        "bandwidth_name": eip.bandwidth.name,
        "bandwidth_share_type": eip.bandwidth.share_type,
        "bandwidth_size": eip.bandwidth.size,
        "tags": eip::tags(eip),
        "profile": {},
        "public_border_group": "center",
    });
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    if let Some((port, address)) = eip::port_of(cloud, eip) {
        value["port_id"] = json!(port);
        value["private_ip_address"] = json!(address);
    }
    value
}

/// The answer to a creation: always pending, the bandwidth not there yet.
fn render_created(row: &Row<Eip>, context: &Context) -> Value {
    let eip = &row.value;
    json!({
        "id": eip.id,
        "type": eip.kind,
        "public_ip_address": eip.address,
        "status": "PENDING_CREATE",
        "tenant_id": context.cloud.setup.project_id,
        "create_time": wire::time_with_space(row.created),
        "bandwidth_size": 0,
        "ip_version": if eip.address.is_ipv4() { 4 } else { 6 },
        "enterprise_project_id": eip.enterprise_project_id,
        "alias": eip.alias,
    })
}

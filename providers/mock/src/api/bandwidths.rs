//! `/v1/{pid}/bandwidths` for both sorts, `/v2.0/{pid}/bandwidths` for shared ones.

use serde_json::{Value, json};

use super::answer::Answer;
use super::eip;
use super::fields::{Fields, need};
use super::list;
use super::request::{Context, Request};
use super::wire;
use crate::state::{Bandwidth, BandwidthPatch, BandwidthUse, Refusal};

pub fn list(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let query = &request.query;
    let all = context.cloud.bandwidths();
    let wanted = |entry: &&BandwidthUse| {
        query.first("share_type").is_none_or(|kind| kind == entry.bandwidth.share_type)
            && query.first("marker").is_none_or(|marker| entry.bandwidth.id.as_str() > marker)
    };
    let limit = list::limit(query)?.unwrap_or(usize::MAX);
    let page: Vec<Value> = all.iter().filter(wanted).take(limit).map(|entry| render(context, entry)).collect();
    Ok(Answer::ok(json!({"bandwidths": page})))
}

pub fn show(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    shown(context, request.param(0)).map(Answer::ok)
}

pub fn update(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("bandwidth")?;
    let patch = BandwidthPatch {
        name: fields.text("name", 64)?,
        size: size(&fields)?,
        charge_mode: eip::charge_mode(&fields)?,
    };
    context.cloud.update_bandwidth(context.now, request.param(0), patch)?;
    shown(context, request.param(0)).map(Answer::ok)
}

pub fn create(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("bandwidth")?;
    let new = Bandwidth {
        id: String::new(),
        name: need("name", fields.text("name", 64)?)?,
        size: need("size", size(&fields)?)?,
        charge_mode: eip::charge_mode(&fields)?.unwrap_or_else(|| "bandwidth".into()),
        share_type: "WHOLE".into(),
    };
    let id = context.cloud.create_shared_bandwidth(context.now, new);
    shown(context, &id).map(Answer::ok)
}

pub fn delete(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.delete_shared_bandwidth(context.now, request.param(0))?;
    Ok(Answer::nothing())
}

pub fn insert(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let eips = eips(&request.object("bandwidth")?)?;
    context.cloud.add_to_shared_bandwidth(context.now, request.param(0), &eips)?;
    let mut body = shown(context, request.param(0))?;
    wire::without(&mut body["bandwidth"], &["created_at", "updated_at", "public_border_group"]);
    Ok(Answer::ok(body))
}

/// What each gets instead must be said: a charge mode and a size.
pub fn remove(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("bandwidth")?;
    let own = Bandwidth {
        id: String::new(),
        name: "bandwidth".into(),
        size: need("size", size(&fields)?)?,
        charge_mode: need("charge_mode", eip::charge_mode(&fields)?)?,
        share_type: "PER".into(),
    };
    context.cloud.remove_from_shared_bandwidth(context.now, request.param(0), &eips(&fields)?, &own)?;
    Ok(Answer::nothing())
}

fn size(fields: &Fields) -> Result<Option<i64>, Refusal> {
    let size = fields.int("size", 1..=2000);
    let size = size.map_err(|_| Refusal::invalid("bandwidth.size", "it is not in the range 1-2000"))?;
    Ok(size.map(i64::from))
}

fn eips(fields: &Fields) -> Result<Vec<String>, Refusal> {
    let list = need("publicip_info", fields.value("publicip_info").and_then(Value::as_array))?;
    let ids = list.iter().map(|item| item["publicip_id"].as_str().map(str::to_owned));
    ids.collect::<Option<_>>().ok_or(Refusal::Missing("publicip_id"))
}

fn shown(context: &Context, id: &str) -> Result<Value, Refusal> {
    Ok(json!({"bandwidth": render(context, &context.cloud.bandwidth(id)?)}))
}

fn render(context: &Context, entry: &BandwidthUse) -> Value {
    let BandwidthUse { bandwidth, created, updated, eips } = entry;
    let eips = eips.iter().map(|eip| {
        json!({
            "publicip_id": eip.id,
            "publicip_address": eip.address,
            "publicip_type": eip.kind,
            "ip_version": if eip.address.is_ipv4() { 4 } else { 6 },
        })
    });
    json!({
        "id": bandwidth.id,
        "name": bandwidth.name,
        "size": bandwidth.size,
        "share_type": bandwidth.share_type,
        "charge_mode": bandwidth.charge_mode,
        "bandwidth_type": if bandwidth.share_type == "PER" { "bgp" } else { "share" },
        "billing_info": "",
        "publicip_info": eips.collect::<Vec<_>>(),
        "tenant_id": context.cloud.setup.project_id,
        "enterprise_project_id": "0",
        "status": "NORMAL",
        "public_border_group": "center",
        "created_at": wire::time(*created),
        "updated_at": wire::time(*updated),
    })
}

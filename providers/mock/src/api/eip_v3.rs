//! `/v3/{pid}/eip/publicips`: the version that sees and changes bindings to load balancers.

use serde_json::{Value, json};

use super::answer::Answer;
use super::eip;
use super::fields::need;
use super::list::{self, Listed};
use super::request::{Context, Request};
use super::wire;
use crate::state::{Eip, EipPatch, Refusal, Row};

/// Fields that only reads show.
const UNCHANGED: [&str; 3] = ["network_type", "tags", "allow_share_bandwidth_types"];

pub fn list(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let rows = context.cloud.eips.seen(context.now, context.lag);
    let total = list::filtered(context, &request.query, rows.clone(), Eip::FILTERS).len();
    let mut body = list::page::<Eip>(context, &request.query, rows)?;
    body.insert("total_count".into(), json!(total));
    Ok(Answer::ok(Value::Object(body)))
}

pub fn show(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    Ok(Answer::ok(shown(context, request.param(0))?))
}

pub fn update(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("publicip")?;
    let patch = EipPatch { alias: fields.text("alias", 64)?, description: fields.description()? };
    context.cloud.update_eip(context.now, request.param(0), patch)?;
    let mut body = shown(context, request.param(0))?;
    wire::without(&mut body["publicip"], &UNCHANGED);
    Ok(Answer::ok(body))
}

pub fn associate(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("publicip")?;
    let id = request.param(0);
    let instance = need("associate_instance_id", fields.id("associate_instance_id")?)?;
    match need("associate_instance_type", fields.text("associate_instance_type", 16)?)?.as_str() {
        "ELB" => context.cloud.bind_eip_to_loadbalancer(context.now, id, &instance)?,
        "PORT" => context.cloud.bind_eip_to_port(context.now, id, &instance)?,
        other => return Err(Refusal::invalid("associate_instance_type", format!("'{other}' is not PORT or ELB"))),
    }
    bound(context, id)
}

pub fn disassociate(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.unbind_eip(context.now, request.param(0))?;
    bound(context, request.param(0))
}

/// The answer to a change of the binding.
fn bound(context: &Context, id: &str) -> Result<Answer, Refusal> {
    let mut body = shown(context, id)?;
    wire::without(&mut body["publicip"], &UNCHANGED);
    wire::without(&mut body["publicip"], &["associate_mode"]);
    Ok(Answer::ok(body))
}

fn shown(context: &Context, id: &str) -> Result<Value, Refusal> {
    context.cloud.eip(id)?;
    Ok(json!({"publicip": context.cloud.eips.row(id).map(|row| render(row, context))}))
}

fn render(row: &Row<Eip>, context: &Context) -> Value {
    let (eip, cloud) = (&row.value, &*context.cloud);
    let instance = eip::instance_of(cloud, eip);
    let vnic = eip::owner(cloud, eip).map(|lb| {
        json!({
            "port_id": lb.vip_port_id,
            "private_ip_address": lb.vip_address,
            "device_id": lb.id,
            "device_owner": "neutron:LOADBALANCERV2",
            "vpc_id": cloud.setup.vpc.id,
            "mac": "",
            "vtep": "",
            "vni": "",
            "instance_id": "",
            "instance_type": "",
            "port_profile": "",
        })
    });
    json!({
        "id": eip.id,
        "project_id": cloud.setup.project_id,
        "type": "EIP",
        "publicip_pool_name": eip.kind,
        "network_type": eip.kind,
        "public_ip_address": eip.address,
        "public_ipv6_address": null,
        "ip_version": if eip.address.is_ipv4() { 4 } else { 6 },
        "status": eip.status(context.now),
        "alias": eip.alias,
        "description": eip.description,
        "enterprise_project_id": eip.enterprise_project_id,
        "associate_instance_type": instance.as_ref().map(|(kind, _)| kind),
        "associate_instance_id": instance.as_ref().map(|(_, id)| id),
        "associate_mode": null,
        "vnic": vnic,
        "bandwidth": {
            "id": eip.bandwidth.id,
            "name": eip.bandwidth.name,
            "size": eip.bandwidth.size,
            "share_type": eip.bandwidth.share_type,
            "charge_mode": eip.bandwidth.charge_mode,
            "billing_info": "",
        },
        "lock_status": null,
        "billing_info": null,
        "tags": eip::tags(eip),
        "public_border_group": "center",
        "allow_share_bandwidth_types": ["share"],
        "created_at": wire::time(row.created),
        "updated_at": wire::time(row.updated),
    })
}

impl Listed for Eip {
    const PLURAL: &'static str = "publicips";
    const FILTERS: &'static [&'static str] = &[
        "id",
        "public_ip_address",
        "alias",
        "description",
        "status",
        "enterprise_project_id",
        "ip_version",
        "vnic.port_id",
        "vnic.private_ip_address",
        "associate_instance_type",
        "associate_instance_id",
    ];

    fn values(row: &Row<Self>, filter: &str, context: &Context) -> Vec<String> {
        eip::values(&row.value, filter, context)
    }

    fn render(row: &Row<Self>, context: &Context) -> Value {
        render(row, context)
    }
}

//! `/v3/{pid}/elb/loadbalancers`.

use serde_json::{Value, json};

use super::answer::Answer;
use super::fields::{Fields, need};
use super::list::{self, Listed};
use super::request::{Context, Request};
use super::{catalogue, eip, wire};
use crate::state::{Cascade, EipWish, LoadBalancer, LoadBalancerPatch, NewLoadBalancer, Refusal, Row};

pub fn list(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let rows = context.cloud.loadbalancers.seen(context.now, context.lag);
    Ok(Answer::ok(Value::Object(list::page::<LoadBalancer>(context, &request.query, rows)?)))
}

pub fn show(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    Ok(Answer::ok(shown(context, request.param(0))?))
}

pub fn create(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("loadbalancer")?;
    if fields.flag("guaranteed")? == Some(false) {
        return Err(Refusal::invalid("guaranteed", "only true is supported"));
    }
    let new = wish(context, &fields, true)?;
    let id = context.cloud.create_loadbalancer(context.now, new)?;
    Ok(Answer::created(shown(context, &id)?))
}

/// What a body asks for. A shared load balancer has no flavor, and its zones are the region's.
pub(super) fn wish(context: &Context, fields: &Fields, guaranteed: bool) -> Result<NewLoadBalancer, Refusal> {
    if fields.flag("admin_state_up")? == Some(false) {
        return Err(Refusal::invalid("admin_state_up", "only true is supported"));
    }
    let zones = match fields.texts("availability_zone_list")? {
        None if !guaranteed => context.cloud.setup.zones.clone(),
        zones => need("availability_zone_list", zones)?,
    };
    catalogue::check_zones(&context.cloud.setup.zones, &zones)?;
    if fields.has("ipv6_vip_virsubnet_id") && fields.value("ipv6_vip_virsubnet_id").is_some() {
        return Err(Refusal::Mismatch("the subnet has no IPv6 range".into()));
    }
    let l4 = flavor(fields, "l4_flavor_id", "L4")?;
    let l7 = flavor(fields, "l7_flavor_id", "L7")?;
    let unset = guaranteed && l4.is_none() && l7.is_none();
    Ok(NewLoadBalancer {
        name: fields.name()?.unwrap_or_default(),
        description: fields.description()?.unwrap_or_default(),
        guaranteed,
        vpc_id: fields.id("vpc_id")?,
        vip_subnet_cidr_id: fields.id("vip_subnet_cidr_id")?,
        vip_address: fields.address("vip_address")?,
        elb_virsubnet_ids: fields.texts("elb_virsubnet_ids")?.unwrap_or_default(),
        availability_zone_list: zones,
        l4_flavor_id: l4.or_else(|| unset.then(|| catalogue::default_flavor("L4"))),
        l7_flavor_id: l7.or_else(|| unset.then(|| catalogue::default_flavor("L7"))),
        ip_target_enable: fields.flag("ip_target_enable")?.unwrap_or(false),
        deletion_protection_enable: fields.flag("deletion_protection_enable")?.unwrap_or(false),
        enterprise_project_id: enterprise_project(fields)?,
        tags: fields.tags()?,
        eip: eip_wish(fields)?,
    })
}

pub fn update(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("loadbalancer")?;
    let id = request.param(0);
    let patch = LoadBalancerPatch {
        name: fields.name()?,
        description: fields.description()?,
        vip_address: fields.address("vip_address")?,
        elb_virsubnet_ids: fields.texts("elb_virsubnet_ids")?,
        l4_flavor_id: flavor(&fields, "l4_flavor_id", "L4")?,
        l7_flavor_id: flavor(&fields, "l7_flavor_id", "L7")?,
        ip_target_enable: fields.flag("ip_target_enable")?,
        deletion_protection_enable: fields.flag("deletion_protection_enable")?,
    };
    context.cloud.update_loadbalancer(context.now, id, patch)?;
    Ok(Answer::ok(shown(context, id)?))
}

pub fn delete(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.delete_loadbalancer(context.now, request.param(0))?;
    Ok(Answer::nothing())
}

/// `DELETE …/force-elb`: everything below goes, EIPs are only unbound.
pub fn force_delete(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.cascade_loadbalancer(context.now, request.param(0), Cascade::KeepEips)?;
    Ok(Answer::nothing())
}

/// `POST …/delete-cascade`: `public_ip: true` releases the EIP as well.
pub fn cascade_delete(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let release = match request.body.get("loadbalancer") {
        Some(Value::Object(map)) => Fields::new(map).flag("public_ip")?.unwrap_or(false),
        _ => false,
    };
    let cascade = if release { Cascade::ReleaseEips } else { Cascade::KeepEips };
    context.cloud.cascade_loadbalancer(context.now, request.param(0), cascade)?;
    Ok(Answer::nothing())
}

/// The wrapped object after a change.
pub(super) fn shown(context: &Context, id: &str) -> Result<Value, Refusal> {
    context.cloud.loadbalancer(id)?;
    let row = context.cloud.loadbalancers.row(id);
    Ok(json!({"loadbalancer": row.map(|row| LoadBalancer::render(row, context))}))
}

/// `""` and `"0"` are refused, absent means `"0"`.
pub(super) fn enterprise_project(fields: &Fields) -> Result<String, Refusal> {
    match fields.text("enterprise_project_id", 36)?.as_deref() {
        Some("" | "0") => Err(Refusal::invalid("enterprise_project_id", "it must not be empty or '0'")),
        Some(id) => Ok(id.to_owned()),
        None => Ok("0".into()),
    }
}

fn flavor(fields: &Fields, key: &'static str, layer: &str) -> Result<Option<String>, Refusal> {
    let id = fields.id(key)?;
    match &id {
        Some(id) if !catalogue::is_flavor(id, layer) => {
            Err(Refusal::invalid(key, format!("flavor {id} is not one of {layer}")))
        }
        _ => Ok(id),
    }
}

fn eip_wish(fields: &Fields) -> Result<Option<EipWish>, Refusal> {
    // Only the first of the list is used.
    if let Some(id) = fields.texts("publicip_ids")?.and_then(|ids| ids.into_iter().next()) {
        return Ok(Some(EipWish::Existing(id)));
    }
    let Some(publicip) = fields.object("publicip")? else { return Ok(None) };
    let kind = need("network_type", publicip.text("network_type", 36)?)?;
    let new = eip::new_eip(&publicip, publicip.object("bandwidth")?, kind, "0".into())?;
    Ok(Some(EipWish::New(new)))
}

impl Listed for LoadBalancer {
    const PLURAL: &'static str = "loadbalancers";
    const FILTERS: &'static [&'static str] = &[
        "id",
        "name",
        "description",
        "vpc_id",
        "vip_address",
        "vip_port_id",
        "vip_subnet_cidr_id",
        "guaranteed",
        "provisioning_status",
        "operating_status",
        "enterprise_project_id",
        "l4_flavor_id",
        "l7_flavor_id",
        "deletion_protection_enable",
        "eips",
        "publicips",
        "member_address",
    ];

    fn values(row: &Row<Self>, filter: &str, context: &Context) -> Vec<String> {
        let cloud = &*context.cloud;
        let lb = &row.value;
        match filter {
            "id" => vec![lb.id.clone()],
            "name" => vec![lb.name.clone()],
            "description" => vec![lb.description.clone()],
            "vpc_id" => vec![cloud.setup.vpc.id.clone()],
            "vip_address" => wire::one(lb.vip_address),
            "vip_port_id" => wire::one(lb.vip_port_id.as_ref()),
            "vip_subnet_cidr_id" => wire::one(lb.vip_subnet_cidr_id.as_ref()),
            "guaranteed" => vec![lb.guaranteed.to_string()],
            "provisioning_status" => vec![lb.status(context.now).into()],
            "operating_status" => vec!["ONLINE".into()],
            "enterprise_project_id" => vec![lb.enterprise_project_id.clone()],
            "l4_flavor_id" => wire::one(lb.l4_flavor_id.as_ref()),
            "l7_flavor_id" => wire::one(lb.l7_flavor_id.as_ref()),
            "deletion_protection_enable" => vec![lb.deletion_protection_enable.to_string()],
            // eips=eip_id=X, eips=eip_address=X, publicips=public_id=X
            "eips" => cloud
                .eips_of(&lb.id)
                .flat_map(|eip| [format!("eip_id={}", eip.id), format!("eip_address={}", eip.address)])
                .collect(),
            "publicips" => cloud
                .eips_of(&lb.id)
                .flat_map(|eip| [format!("public_id={}", eip.id), format!("publicip_address={}", eip.address)])
                .collect(),
            "member_address" => {
                let pools = cloud.pools_of(&lb.id);
                let pools = pools.iter().filter_map(|pool| cloud.pools.get(pool));
                pools.flat_map(|pool| pool.members.iter().map(|(_, member)| member.address.to_string())).collect()
            }
            _ => Vec::new(),
        }
    }

    fn render(row: &Row<Self>, context: &Context) -> Value {
        let (lb, cloud) = (&row.value, &*context.cloud);
        let version = |ip: std::net::IpAddr| if ip.is_ipv4() { 4 } else { 6 };
        let eips: Vec<Value> = cloud
            .eips_of(&lb.id)
            .map(|eip| json!({"eip_id": eip.id, "eip_address": eip.address, "ip_version": version(eip.address)}))
            .collect();
        let publicips: Vec<Value> = cloud
            .eips_of(&lb.id)
            .map(|eip| json!({"publicip_id": eip.id, "publicip_address": eip.address, "ip_version": version(eip.address)}))
            .collect();
        json!({
            "id": lb.id,
            "name": lb.name,
            "description": lb.description,
            "project_id": cloud.setup.project_id,
            "provider": "vlb",
            "guaranteed": lb.guaranteed,
            "admin_state_up": true,
            "provisioning_status": lb.status(context.now),
            "operating_status": "ONLINE",
            "vpc_id": cloud.setup.vpc.id,
            "vip_subnet_cidr_id": lb.vip_subnet_cidr_id,
            "vip_address": lb.vip_address,
            "vip_port_id": lb.vip_port_id,
            "ipv6_vip_address": null,
            "ipv6_vip_virsubnet_id": null,
            "ipv6_vip_port_id": null,
            "eips": eips,
            "publicips": publicips,
            "global_eips": [],
            "listeners": wire::references(&cloud.listeners_of(&lb.id)),
            "pools": wire::references(&cloud.pools_of(&lb.id)),
            "availability_zone_list": lb.availability_zone_list,
            "elb_virsubnet_ids": lb.elb_virsubnet_ids,
            "elb_virsubnet_type": "ipv4",
            "ip_target_enable": lb.ip_target_enable,
            "l4_flavor_id": lb.l4_flavor_id,
            "l4_scale_flavor_id": null,
            "l7_flavor_id": lb.l7_flavor_id,
            "l7_scale_flavor_id": null,
            "charge_mode": "flavor",
            // Anything but "" makes Terraform take the load balancer for a prepaid one.
            "billing_info": "",
            "enterprise_project_id": lb.enterprise_project_id,
            "tags": lb.tags,
            "created_at": wire::time(row.created),
            "updated_at": wire::time(row.updated),
            "frozen_scene": null,
            "deletion_protection_enable": lb.deletion_protection_enable,
            "autoscaling": {"enable": false, "min_l7_flavor_id": ""},
            "public_border_group": "center",
            "waf_failure_action": "forward",
            "protection_status": "nonProtection",
            "protection_reason": "",
            "log_group_id": null,
            "log_topic_id": null,
        })
    }
}

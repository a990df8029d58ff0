//! What the region offers: flavors, availability zones, quotas, versions. Fixed, realistic values.

use serde_json::{Value, json};

use super::answer::Answer;
use super::list;
use super::request::{Context, Request};
use crate::state::Refusal;

/// (name, type, connections, new connections per second, kbit/s, LCU)
const FLAVORS: [(&str, &str, u32, u32, u32, u32); 12] = [
    ("L4_flavor.elb.s1.small", "L4", 500_000, 10_000, 50_000, 10),
    ("L4_flavor.elb.s1.medium", "L4", 1_000_000, 20_000, 100_000, 20),
    ("L4_flavor.elb.s1.large", "L4", 2_000_000, 40_000, 200_000, 40),
    ("L4_flavor.elb.s2.small", "L4", 4_000_000, 80_000, 400_000, 80),
    ("L4_flavor.elb.s2.medium", "L4", 10_000_000, 200_000, 1_000_000, 200),
    ("L4_flavor.elb.s2.large", "L4", 20_000_000, 400_000, 2_000_000, 400),
    ("L4_flavor.elb.pro.max", "L4_elastic_max", 20_000_000, 400_000, 10_000_000, 0),
    ("L7_flavor.elb.s1.small", "L7", 200_000, 2_000, 50_000, 10),
    ("L7_flavor.elb.s1.medium", "L7", 400_000, 4_000, 100_000, 20),
    ("L7_flavor.elb.s1.large", "L7", 800_000, 8_000, 200_000, 40),
    ("L7_flavor.elb.s2.small", "L7", 2_000_000, 20_000, 400_000, 80),
    ("L7_flavor.elb.pro.max", "L7_elastic_max", 8_000_000, 80_000, 10_000_000, 0),
];

pub fn flavors(_: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let query = &request.query;
    let allows = |key: &str, value: &Value| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        query.first(key).is_none() || query.all(key).any(|wanted| wanted == value)
    };
    let passes = |flavor: &Value| ["id", "name", "type", "shared"].iter().all(|key| allows(key, &flavor[*key]));
    let found: Vec<Value> = (0..FLAVORS.len()).map(flavor).filter(passes).collect();
    let ids: Vec<&str> = found.iter().filter_map(|flavor| flavor["id"].as_str()).collect();
    let (range, info) = list::cut(query, &ids)?;
    Ok(Answer::ok(json!({"page_info": info, "flavors": found[range]})))
}

pub fn flavor_by_id(_: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let id = request.param(0);
    let found =
        (0..FLAVORS.len()).find(|index| flavor_id(*index) == id).ok_or_else(|| Refusal::not_found("Flavor", id))?;
    Ok(Answer::ok(json!({"flavor": flavor(found)})))
}

/// A list of lists: load balancers take zones of one inner list only.
pub fn availability_zones(context: &mut Context, _: &Request) -> Result<Answer, Refusal> {
    let zone = |code: &String| json!({"code": code, "state": "ACTIVE", "protocol": ["L4", "L7"], "public_border_group": "center", "category": 0});
    Ok(Answer::ok(json!({"availability_zones": [context.cloud.setup.zones.iter().map(zone).collect::<Vec<_>>()]})))
}

pub fn quotas(context: &mut Context, _: &Request) -> Result<Answer, Refusal> {
    let q = &context.cloud.quotas;
    Ok(Answer::ok(json!({"quota": {
        "project_id": context.cloud.setup.project_id,
        "loadbalancer": q.loadbalancer,
        "listener": q.listener,
        "listeners_per_loadbalancer": q.listeners_per_loadbalancer,
        "listeners_per_pool": 50,
        "pool": q.pool,
        "member": q.member,
        "members_per_pool": q.members_per_pool,
        "healthmonitor": q.healthmonitor,
        "certificate": q.certificate,
        "ipgroup": q.ipgroup,
        "ipgroup_bindings": q.ipgroup_bindings,
        "ipgroup_max_length": q.ipgroup_max_length,
        "ipgroups_per_listener": 5,
        "l7policy": q.l7policy,
        "security_policy": q.security_policy,
        "condition_per_policy": 10,
    }})))
}

pub fn quota_details(context: &mut Context, _: &Request) -> Result<Answer, Refusal> {
    let (q, cloud) = (&context.cloud.quotas, &*context.cloud);
    let members: usize = cloud.pools.iter().map(|(_, pool)| pool.members.len()).sum();
    let details = [
        ("loadbalancer", q.loadbalancer, cloud.loadbalancers.len()),
        ("listener", q.listener, cloud.listeners.len()),
        ("pool", q.pool, cloud.pools.len()),
        ("member", q.member, members),
        ("healthmonitor", q.healthmonitor, cloud.monitors.len()),
        ("l7policy", q.l7policy, cloud.l7policies.len()),
        ("ipgroup", q.ipgroup, cloud.ipgroups.len()),
        ("certificate", q.certificate, cloud.certificates.len()),
        ("security_policy", q.security_policy, cloud.security_policies.len()),
    ]
    .map(|(key, limit, used)| json!({"quota_key": key, "quota_limit": limit, "used": used, "unit": "count"}));
    Ok(Answer::ok(json!({"quotas": details})))
}

/// What EIP v1 and VPC v1 say of limits: those kinds that this cloud has.
pub fn vpc_quotas(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let cloud = &*context.cloud;
    let all = [
        ("vpc", 1, 1),
        ("subnet", cloud.setup.subnets.len(), i64::try_from(cloud.setup.subnets.len()).unwrap_or(i64::MAX)),
        ("publicIp", cloud.eips.len(), cloud.quotas.publicip),
        ("shareBandwidth", cloud.shared_bandwidths.len(), -1),
    ];
    let wanted = all.iter().filter(|(kind, ..)| request.query.first("type").is_none_or(|wanted| wanted == *kind));
    let resources: Vec<Value> =
        wanted.map(|(kind, used, quota)| json!({"type": kind, "used": used, "quota": quota, "min": 0})).collect();
    Ok(Answer::ok(json!({"quotas": {"resources": resources}})))
}

pub fn versions(_: &mut Context, _: &Request) -> Result<Answer, Refusal> {
    Ok(Answer::ok(json!({"versions": [{"id": "v3", "status": "CURRENT"}, {"id": "v2", "status": "SUPPORTED"}]})))
}

pub fn check_zones(known: &[String], zones: &[String]) -> Result<(), Refusal> {
    if zones.is_empty() {
        return Err(Refusal::Missing("availability_zone_list"));
    }
    match zones.iter().find(|zone| !known.contains(zone)) {
        Some(zone) => {
            Err(Refusal::invalid("availability_zone_list", format!("availability zone {zone} is not one of {known:?}")))
        }
        None => Ok(()),
    }
}

/// `layer` is `L4` or `L7`; the elastic types count as theirs.
pub fn is_flavor(id: &str, layer: &str) -> bool {
    (0..FLAVORS.len()).any(|index| flavor_id(index) == id && FLAVORS[index].1.starts_with(layer))
}

/// The elastic flavor of a layer, which a load balancer gets that names none.
pub fn default_flavor(layer: &str) -> String {
    let elastic =
        |flavor: &(&str, &str, u32, u32, u32, u32)| flavor.1.starts_with(layer) && flavor.1.ends_with("elastic_max");
    FLAVORS.iter().position(elastic).map(flavor_id).unwrap_or_default()
}

fn flavor_id(index: usize) -> String {
    format!("f1a70000-0000-4000-8000-{index:012}")
}

fn flavor(index: usize) -> Value {
    let (name, kind, connection, cps, bandwidth, lcu) = FLAVORS[index];
    json!({
        "id": flavor_id(index),
        "name": name,
        "type": kind,
        "shared": true,
        "flavor_sold_out": false,
        "info": {"connection": connection, "cps": cps, "qps": if kind.starts_with("L7") { cps * 2 } else { 0 }, "bandwidth": bandwidth, "lcu": lcu, "https_cps": 0},
        "public_border_group": "center",
        "category": 0,
    })
}

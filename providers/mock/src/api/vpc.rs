//! The little of VPC v1 that a client needs: VPCs, subnets, ports.

use serde_json::{Value, json};

use super::answer::Answer;
use super::request::{Context, Request};
use crate::state::{Cloud, LoadBalancer, Nic, Refusal, Subnet};

pub fn vpcs(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let vpc = vpc_json(context.cloud);
    let wanted = request.query.first("id").is_none_or(|id| vpc["id"] == id);
    Ok(Answer::ok(json!({"vpcs": wanted.then_some(vpc).into_iter().collect::<Vec<_>>()})))
}

pub fn vpc(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    if request.param(0) != context.cloud.setup.vpc.id {
        return Err(Refusal::not_found("VPC", request.param(0)));
    }
    Ok(Answer::ok(json!({"vpc": vpc_json(context.cloud)})))
}

/// The network of this cloud has no tags.
pub fn no_tags(_: &mut Context, _: &Request) -> Result<Answer, Refusal> {
    Ok(Answer::ok(json!({"tags": []})))
}

pub fn subnets(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let cloud = &*context.cloud;
    let is_ours = request.query.first("vpc_id").is_none_or(|id| id == cloud.setup.vpc.id);
    let subnets: Vec<Value> =
        cloud.setup.subnets.iter().filter(|_| is_ours).map(|subnet| subnet_json(cloud, subnet)).collect();
    Ok(Answer::ok(json!({"subnets": subnets})))
}

pub fn subnet(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let cloud = &*context.cloud;
    let found = cloud.setup.subnets.iter().find(|subnet| subnet.id == request.param(0));
    let subnet = found.ok_or_else(|| Refusal::not_found("Subnet", request.param(0)))?;
    Ok(Answer::ok(json!({"subnet": subnet_json(cloud, subnet)})))
}

/// VIP ports of load balancers; and those interfaces of servers that are asked for by id or address.
pub fn ports(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let cloud = &*context.cloud;
    let query = &request.query;
    let fixed = |part: &str| -> Vec<&str> { query.all("fixed_ips").filter_map(|f| f.strip_prefix(part)).collect() };
    let (addresses, subnets) = (fixed("ip_address="), fixed("subnet_id="));
    let passes = |port: &Value| {
        let is_one_of = |wanted: &[&str], value: &Value| wanted.is_empty() || wanted.iter().any(|w| value == w);
        let simple = ["id", "device_id", "network_id"];
        let simple = simple.iter().all(|key| is_one_of(&query.all(key).collect::<Vec<_>>(), &port[*key]));
        let ip = &port["fixed_ips"][0];
        simple && is_one_of(&addresses, &ip["ip_address"]) && is_one_of(&subnets, &ip["subnet_id"])
    };
    let by_id = query.all("id").filter_map(|id| cloud.nic(id));
    let by_address = addresses.iter().filter_map(|ip| cloud.nic_at(ip.parse().ok()?));
    let mut nics: Vec<Nic> = by_id.chain(by_address).collect();
    nics.dedup();
    let nics = nics.iter().filter_map(|nic| nic_json(cloud, nic));
    let balancers = cloud.loadbalancers.iter().filter_map(|(_, lb)| port_json(cloud, lb));
    let ports: Vec<Value> = balancers.chain(nics).filter(passes).collect();
    Ok(Answer::ok(json!({"ports": ports})))
}

pub fn port(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let cloud = &*context.cloud;
    let balancers = cloud.loadbalancers.iter().filter_map(|(_, lb)| port_json(cloud, lb));
    let nic = cloud.nic(request.param(0)).and_then(|nic| nic_json(cloud, &nic));
    let port = balancers
        .chain(nic)
        .find(|port| port["id"] == request.param(0))
        .ok_or_else(|| Refusal::not_found("Port", request.param(0)))?;
    Ok(Answer::ok(json!({"port": port})))
}

fn vpc_json(cloud: &Cloud) -> Value {
    let vpc = &cloud.setup.vpc;
    json!({"id": vpc.id, "name": vpc.name, "cidr": vpc.cidr, "status": "OK", "description": "", "enterprise_project_id": "0", "routes": []})
}

fn subnet_json(cloud: &Cloud, subnet: &Subnet) -> Value {
    json!({
        "id": subnet.id,
        "name": subnet.name,
        "description": "",
        "cidr": subnet.cidr,
        "gateway_ip": subnet.gateway(),
        "vpc_id": cloud.setup.vpc.id,
        "status": "ACTIVE",
        "neutron_network_id": subnet.id,
        "neutron_subnet_id": subnet.neutron_subnet_id,
        "ipv6_enable": false,
        "dhcp_enable": true,
        "primary_dns": "100.125.1.250",
        "secondary_dns": "100.125.129.250",
        "dnsList": ["100.125.1.250", "100.125.129.250"],
        "availability_zone": cloud.setup.zones.first(),
    })
}

fn nic_json(cloud: &Cloud, nic: &Nic) -> Option<Value> {
    let subnet = cloud.node_subnet()?;
    Some(json!({
        "id": nic.id,
        "name": "",
        "device_id": nic.device_id,
        "device_owner": "compute:mock-1a",
        "network_id": subnet.id,
        "fixed_ips": [{"subnet_id": subnet.neutron_subnet_id, "ip_address": nic.address}],
        "status": "ACTIVE",
        "admin_state_up": true,
        "tenant_id": cloud.setup.project_id,
    }))
}

fn port_json(cloud: &Cloud, lb: &LoadBalancer) -> Option<Value> {
    let subnet = cloud.subnet_by_neutron_id(lb.vip_subnet_cidr_id.as_ref()?).ok()?;
    Some(json!({
        "id": lb.vip_port_id.as_ref()?,
        "name": "",
        "device_id": lb.id,
        "device_owner": "neutron:LOADBALANCERV2",
        "network_id": subnet.id,
        "fixed_ips": [{"subnet_id": subnet.neutron_subnet_id, "ip_address": lb.vip_address?}],
        "status": "ACTIVE",
        "admin_state_up": true,
        "tenant_id": cloud.setup.project_id,
    }))
}

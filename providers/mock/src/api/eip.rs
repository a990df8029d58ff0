//! What both EIP versions share: reading a new EIP, the facts about its binding.

use super::fields::{Fields, need};
use super::request::Context;
use super::wire;
use crate::state::{Bandwidth, Bound, Cloud, Eip, LoadBalancer, NewEip, Refusal};

/// Reads `publicip` and its `bandwidth`.
pub fn new_eip(
    fields: &Fields,
    bandwidth: Option<Fields>,
    kind: String,
    enterprise_project_id: String,
) -> Result<NewEip, Refusal> {
    let bandwidth = need("bandwidth", bandwidth)?;
    if fields.int("ip_version", 4..=6)? == Some(6) {
        return Err(Refusal::invalid("ip_version", "this cloud has no IPv6 addresses"));
    }
    Ok(NewEip {
        address: fields.address("ip_address")?,
        kind,
        alias: fields.text("alias", 64)?.unwrap_or_default(),
        description: fields.description()?.unwrap_or_default(),
        bandwidth: new_bandwidth(&bandwidth)?,
        enterprise_project_id,
    })
}

/// PER needs size and name, WHOLE needs the id of an existing bandwidth.
fn new_bandwidth(fields: &Fields) -> Result<Bandwidth, Refusal> {
    let id = fields.id("id")?.unwrap_or_default();
    let share_type = fields.text("share_type", 36)?;
    let share_type =
        if id.is_empty() { need("share_type", share_type)? } else { share_type.unwrap_or_else(|| "WHOLE".into()) };
    let (size, name) = (
        fields
            .int("size", 1..=2000)
            .map_err(|_| Refusal::invalid("bandwidth.size", "it is not in the range 1-2000"))?,
        fields.text("name", 64)?,
    );
    match share_type.as_str() {
        "PER" => {
            let size = i64::from(need("size", size)?);
            let name = need("name", name)?;
            let charge_mode = charge_mode(fields)?.unwrap_or_else(|| "bandwidth".into());
            Ok(Bandwidth { id: String::new(), name, size, charge_mode, share_type })
        }
        "WHOLE" => {
            let id = need("id", Some(id).filter(|id| !id.is_empty()))?;
            Ok(Bandwidth { id, name: String::new(), size: 0, charge_mode: String::new(), share_type })
        }
        other => Err(Refusal::invalid("bandwidth.share_type", format!("'{other}' is not PER or WHOLE"))),
    }
}

pub fn charge_mode(fields: &Fields) -> Result<Option<String>, Refusal> {
    let mode = fields.text("charge_mode", 36)?;
    match mode.as_deref() {
        None | Some("bandwidth" | "traffic") => Ok(mode),
        Some(other) => Err(Refusal::invalid("bandwidth.charge_mode", format!("'{other}' is not bandwidth or traffic"))),
    }
}

/// The load balancer an EIP is bound to.
pub fn owner<'a>(cloud: &'a Cloud, eip: &Eip) -> Option<&'a LoadBalancer> {
    eip.bound.as_ref().and_then(|bound| cloud.loadbalancers.get(bound.instance()))
}

/// Port and private address as API v1 shows them: not for a dedicated load balancer.
pub fn port_of(cloud: &Cloud, eip: &Eip) -> Option<(String, String)> {
    match &eip.bound {
        Some(Bound::Port(_)) => {
            let lb = owner(cloud, eip)?;
            Some((lb.vip_port_id.clone()?, lb.vip_address?.to_string()))
        }
        _ => None,
    }
}

/// `associate_instance_type` and `associate_instance_id` as API v3 shows them.
pub fn instance_of(cloud: &Cloud, eip: &Eip) -> Option<(&'static str, String)> {
    match &eip.bound {
        Some(Bound::Elb(id)) => Some(("ELB", id.clone())),
        Some(Bound::Port(_)) => port_of(cloud, eip).map(|(port, _)| ("PORT", port)),
        Some(Bound::Nat(id)) => Some(("NATGW", id.clone())),
        None => None,
    }
}

/// `key=value`: the tags of a public IP are strings.
pub fn tags(eip: &Eip) -> Vec<String> {
    eip.tags.iter().map(|tag| format!("{}={}", tag.key, tag.value)).collect()
}

/// Values of the filters both versions know.
pub fn values(eip: &Eip, filter: &str, context: &Context) -> Vec<String> {
    let cloud = &*context.cloud;
    match filter {
        "id" => vec![eip.id.clone()],
        "public_ip_address" => vec![eip.address.to_string()],
        "status" => vec![eip.status(context.now).into()],
        "alias" => vec![eip.alias.clone()],
        "description" => vec![eip.description.clone()],
        "enterprise_project_id" => vec![eip.enterprise_project_id.clone(), "all_granted_eps".into()],
        "ip_version" => vec![if eip.address.is_ipv4() { "4" } else { "6" }.into()],
        "port_id" | "vnic.port_id" => wire::one(port_of(cloud, eip).map(|(port, _)| port)),
        "private_ip_address" | "vnic.private_ip_address" => wire::one(port_of(cloud, eip).map(|(_, address)| address)),
        "associate_instance_type" => wire::one(instance_of(cloud, eip).map(|(kind, _)| kind)),
        "associate_instance_id" => wire::one(instance_of(cloud, eip).map(|(_, id)| id)),
        _ => Vec::new(),
    }
}

//! NAT v2: public gateways and DNAT rules.

use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::fields::{Fields, need};
use super::list::{self, Listed};
use super::request::{Context, Request};
use super::wire;
use crate::state::{
    DnatRule, NatGateway, NatGatewayPatch, NatProtocol, NatRefusal, NatTarget, NewNatGateway, Ports, Refusal, Row,
    RuleWish,
};

/// The vendor's limit is not documented.
const BATCH: usize = 200;

pub fn gateways(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    listed(context, request, context.cloud.nat_gateways.seen(context.now, context.lag))
}

pub fn gateway(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    shown_gateway(context, request.param(0)).map(Answer::ok)
}

pub fn create_gateway(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("nat_gateway")?;
    let new = NewNatGateway {
        name: need("name", fields.text("name", 64)?)?,
        description: description(&fields)?,
        spec: need("spec", spec(&fields)?)?,
        router_id: need("router_id", fields.id("router_id")?)?,
        internal_network_id: need("internal_network_id", fields.id("internal_network_id")?)?,
        enterprise_project_id: fields.id("enterprise_project_id")?.unwrap_or_else(|| "0".into()),
    };
    let id = context.cloud.create_nat_gateway(context.now, new)?;
    shown_gateway(context, &id).map(Answer::created)
}

pub fn update_gateway(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("nat_gateway")?;
    let text = fields.value("description").is_some();
    let patch = NatGatewayPatch {
        name: fields.text("name", 64)?,
        description: text.then(|| description(&fields)).transpose()?,
        spec: spec(&fields)?,
    };
    context.cloud.update_nat_gateway(context.now, request.param(0), patch)?;
    shown_gateway(context, request.param(0)).map(Answer::ok)
}

pub fn delete_gateway(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.delete_nat_gateway(context.now, request.param(0))?;
    Ok(Answer::nothing())
}

pub fn rules(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    listed(context, request, context.cloud.dnat_rules.seen(context.now, context.lag))
}

pub fn rule(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    shown_rule(context, request.param(0)).map(Answer::ok)
}

pub fn create_rule(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let wish = wish(&request.object("dnat_rule")?)?;
    let id = context.cloud.create_dnat_rule(context.now, wish)?;
    shown_rule(context, &id).map(Answer::created)
}

pub fn create_rules(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let objects = request.objects("dnat_rules")?;
    if objects.len() > BATCH {
        return Err(NatRefusal::BatchTooLong(BATCH).into());
    }
    let wishes = objects.into_iter().map(|object| wish(&Fields::new(object))).collect::<Result<_, _>>()?;
    let ids = context.cloud.create_dnat_rules(context.now, wishes)?;
    let rows = ids.iter().filter_map(|id| context.cloud.dnat_rules.row(id));
    let rules: Vec<Value> = rows.map(|row| DnatRule::render(row, context)).collect();
    Ok(Answer::created(json!({"dnat_rules": rules})))
}

/// What the body does not name stays; the gateway must be named.
pub fn update_rule(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let id = request.param(0);
    let body = request.object("dnat_rule")?;
    let gateway = need("nat_gateway_id", body.id("nat_gateway_id")?)?;
    if context.cloud.dnat_rule(id)?.gateway != gateway {
        return Err(NatRefusal::NoRule(id.to_owned()).into());
    }
    let now = context.cloud.dnat_rules.row(id).map(|row| DnatRule::render(row, context)).unwrap_or_default();
    let wish = wish(&Fields::new(&merged(now, &body)))?;
    context.cloud.update_dnat_rule(context.now, id, wish)?;
    shown_rule(context, id).map(Answer::ok)
}

pub fn delete_rule(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.delete_dnat_rule(context.now, request.param(0), request.param(1))?;
    Ok(Answer::nothing())
}

/// `/v2.0` has no gateway in the path.
pub fn delete_rule_by_id(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let gateway = context.cloud.dnat_rule(request.param(0))?.gateway.clone();
    context.cloud.delete_dnat_rule(context.now, &gateway, request.param(0))?;
    Ok(Answer::nothing())
}

/// A rule as it is under what a body changes. One way to name the target, and one to name a port, displaces the other.
fn merged(now: Value, body: &Fields) -> Map<String, Value> {
    const EITHER: [[&str; 2]; 3] = [
        ["port_id", "private_ip"],
        ["internal_service_port", "internal_service_port_range"],
        ["external_service_port", "external_service_port_range"],
    ];
    let mut all = match now {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    for pair in EITHER {
        if pair.iter().any(|key| body.value(key).is_some()) {
            pair.iter().for_each(|key| _ = all.remove(*key));
        }
    }
    let keys = EITHER.into_iter().flatten().chain(["floating_ip_id", "protocol", "description"]);
    all.extend(body.copy(&keys.collect::<Vec<_>>()));
    all
}

fn wish(fields: &Fields) -> Result<RuleWish, Refusal> {
    let protocol = protocol(fields)?;
    let (internal, external) = (ports(fields, "internal")?, ports(fields, "external")?);
    let all = [internal == Ports::ALL, external == Ports::ALL, protocol == NatProtocol::Any];
    if all.contains(&true) && all.contains(&false) {
        return Err(NatRefusal::HalfAllPorts.into());
    }
    if internal.last - internal.first != external.last - external.first {
        return Err(NatRefusal::BadPort("both ranges must be of one length".into()).into());
    }
    Ok(RuleWish {
        gateway: need("nat_gateway_id", fields.id("nat_gateway_id")?)?,
        eip: need("floating_ip_id", fields.id("floating_ip_id")?)?,
        target: target(fields)?,
        protocol,
        internal,
        external,
        description: description(fields)?,
    })
}

fn target(fields: &Fields) -> Result<NatTarget, Refusal> {
    match (fields.id("port_id")?, fields.address("private_ip")?) {
        (Some(port), None) => Ok(NatTarget::Port(port)),
        (None, Some(address)) => Ok(NatTarget::Address(address)),
        (None, None) => Err(NatRefusal::NoTarget.into()),
        (Some(_), Some(_)) => Err(NatRefusal::TwoTargets.into()),
    }
}

fn protocol(fields: &Fields) -> Result<NatProtocol, Refusal> {
    let word = need("protocol", fields.value("protocol"))?;
    let word = word.as_str().map_or_else(|| word.to_string(), str::to_ascii_lowercase);
    match word.as_str() {
        "tcp" | "6" => Ok(NatProtocol::Tcp),
        "udp" | "17" => Ok(NatProtocol::Udp),
        "any" | "0" => Ok(NatProtocol::Any),
        _ => Err(NatRefusal::BadProtocol.into()),
    }
}

/// `{side}_service_port`, or `{side}_service_port_range` beside no port or 0.
fn ports(fields: &Fields, side: &str) -> Result<Ports, Refusal> {
    let bad = |text: String| Refusal::from(NatRefusal::BadPort(text));
    let port = fields.int(&format!("{side}_service_port"), 0..=65535).map_err(|error| bad(error.to_string()))?;
    let range = fields.text(&format!("{side}_service_port_range"), 11)?.filter(|text| !text.is_empty());
    match (port.and_then(|port| u16::try_from(port).ok()), range) {
        (None | Some(0), Some(range)) => {
            let parsed = range.split_once('-').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
            match parsed {
                Some((first, last)) if 0 < first && first <= last => Ok(Ports { first, last }),
                _ => Err(bad(format!("'{range}' is not a range of ports"))),
            }
        }
        (Some(_), Some(_)) => Err(bad(format!("{side}: a port and a range"))),
        (Some(0), None) => Ok(Ports::ALL),
        (Some(port), None) => Ok(Ports::one(port)),
        (None, None) => Err(bad(format!("{side}_service_port is missing"))),
    }
}

fn description(fields: &Fields) -> Result<String, Refusal> {
    let text = fields.description()?.unwrap_or_default();
    if text.contains(['<', '>']) {
        return Err(Refusal::invalid("description", "it must not contain < or >"));
    }
    Ok(text)
}

fn spec(fields: &Fields) -> Result<Option<String>, Refusal> {
    let spec = fields.text("spec", 1)?;
    match spec.as_deref() {
        None | Some("1" | "2" | "3" | "4" | "5") => Ok(spec),
        Some(other) => Err(Refusal::invalid("spec", format!("'{other}' is not one of 1 to 5"))),
    }
}

fn shown_gateway(context: &Context, id: &str) -> Result<Value, Refusal> {
    context.cloud.nat_gateway(id)?;
    let row = context.cloud.nat_gateways.row(id);
    Ok(json!({"nat_gateway": row.map(|row| NatGateway::render(row, context))}))
}

fn shown_rule(context: &Context, id: &str) -> Result<Value, Refusal> {
    context.cloud.dnat_rule(id)?;
    let row = context.cloud.dnat_rules.row(id);
    Ok(json!({"dnat_rule": row.map(|row| DnatRule::render(row, context))}))
}

/// A page, which says nothing about the next one.
fn listed<T: Listed>(context: &Context, request: &Request, rows: list::Rows<'_, T>) -> Result<Answer, Refusal> {
    let rows = list::filtered(context, &request.query, rows, T::FILTERS);
    let marker = request.query.first("marker").unwrap_or_default();
    let limit = list::limit(&request.query)?.unwrap_or(usize::MAX);
    let page = rows.iter().filter(|(id, _)| *id > marker).take(limit);
    let page: Vec<Value> = page.map(|(_, row)| T::render(row, context)).collect();
    Ok(Answer::ok(json!({T::PLURAL: page})))
}

impl Listed for NatGateway {
    const PLURAL: &'static str = "nat_gateways";
    const FILTERS: &'static [&'static str] =
        &["id", "name", "description", "spec", "router_id", "internal_network_id", "status", "enterprise_project_id"];

    fn values(row: &Row<Self>, filter: &str, context: &Context) -> Vec<String> {
        vec![word(&Self::render(row, context)[filter])]
    }

    fn render(row: &Row<Self>, context: &Context) -> Value {
        let gateway = &row.value;
        json!({
            "id": gateway.id,
            "tenant_id": context.cloud.setup.project_id,
            "name": gateway.name,
            "description": gateway.description,
            "spec": gateway.spec,
            "router_id": gateway.router_id,
            "internal_network_id": gateway.internal_network_id,
            "status": gateway.status(context.now),
            "admin_state_up": true,
            "created_at": time(row.created),
            "enterprise_project_id": gateway.enterprise_project_id,
            "dnat_rules_limit": context.cloud.quotas.dnat_rule,
            "snat_rule_public_ip_limit": 20,
            "billing_info": "",
        })
    }
}

impl Listed for DnatRule {
    const PLURAL: &'static str = "dnat_rules";
    const FILTERS: &'static [&'static str] = &[
        "id",
        "nat_gateway_id",
        "port_id",
        "private_ip",
        "floating_ip_id",
        "floating_ip_address",
        "internal_service_port",
        "external_service_port",
        "protocol",
        "description",
        "status",
    ];

    fn values(row: &Row<Self>, filter: &str, context: &Context) -> Vec<String> {
        vec![word(&Self::render(row, context)[filter])]
    }

    fn render(row: &Row<Self>, context: &Context) -> Value {
        let rule = &row.value;
        let (port, address): (&str, Option<IpAddr>) = match &rule.target {
            NatTarget::Port(id) => (id, None),
            NatTarget::Address(address) => ("", Some(*address)),
        };
        let one = |ports: Ports| if ports.first == ports.last { ports.first } else { 0 };
        let range = |ports: Ports| match ports {
            Ports::ALL => String::new(),
            Ports { first, last } if first == last => String::new(),
            Ports { first, last } => format!("{first}-{last}"),
        };
        json!({
            "id": rule.id,
            "tenant_id": context.cloud.setup.project_id,
            "nat_gateway_id": rule.gateway,
            "port_id": port,
            "private_ip": wire::one(address).pop().unwrap_or_default(),
            "internal_service_port": one(rule.internal),
            "internal_service_port_range": range(rule.internal),
            "floating_ip_id": rule.eip,
            "floating_ip_address": context.cloud.eips.get(&rule.eip).map(|eip| eip.address),
            "external_service_port": one(rule.external),
            "external_service_port_range": range(rule.external),
            "protocol": rule.protocol,
            "description": rule.description,
            "status": rule.status(context.now),
            "admin_state_up": true,
            "created_at": time(row.created),
            "global_eip_id": "",
            "global_eip_address": "",
        })
    }
}

/// `2017-11-15 15:44:42.595173`
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

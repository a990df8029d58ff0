//! `/v2.0/floatingips`: the EIPs of the project as Neutron shows them, read only. The open cloud controller looks an
//! address up here.

use serde_json::{Value, json};

use super::answer::Answer;
use super::list;
use super::request::{Context, Request};
use super::wire;
use crate::state::{Bound, Eip, Refusal, Row};

/// Network of all public addresses.
const EXTERNAL: &str = "fe220000-0000-4000-8000-0000000000ff";
const FILTERS: [&str; 6] = ["id", "floating_ip_address", "fixed_ip_address", "port_id", "status", "tenant_id"];

pub fn floating_ips(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let query = &request.query;
    let passes = |ip: &Value| {
        FILTERS.iter().all(|key| query.first(key).is_none() || query.all(key).any(|wanted| ip[*key] == wanted))
    };
    let rows = context.cloud.eips.seen(context.now, context.lag);
    let marker = query.first("marker").unwrap_or_default();
    let shown = rows.iter().filter(|(id, _)| *id > marker).map(|(_, row)| render(row, context)).filter(passes);
    let page: Vec<Value> = shown.take(list::limit(query)?.unwrap_or(usize::MAX)).collect();
    Ok(Answer::ok(json!({"floatingips": page})))
}

pub fn floating_ip(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.eip(request.param(0))?;
    let row = context.cloud.eips.row(request.param(0));
    Ok(Answer::ok(json!({"floatingip": row.map(|row| render(row, context))})))
}

/// Neutron knows ports only: an address of a dedicated load balancer looks free.
fn render(row: &Row<Eip>, context: &Context) -> Value {
    let (eip, cloud) = (&row.value, &*context.cloud);
    let balancer = match &eip.bound {
        Some(Bound::Port(id)) => cloud.loadbalancers.get(id),
        _ => None,
    };
    json!({
        "id": eip.id,
        "floating_ip_address": eip.address,
        "floating_network_id": EXTERNAL,
        "fixed_ip_address": balancer.and_then(|lb| lb.vip_address),
        "port_id": balancer.and_then(|lb| lb.vip_port_id.clone()),
        "router_id": balancer.map(|_| cloud.setup.vpc.id.clone()),
        "status": if balancer.is_some() { "ACTIVE" } else { "DOWN" },
        "tenant_id": cloud.setup.project_id,
        "project_id": cloud.setup.project_id,
        "dns_name": "",
        "dns_domain": "",
        "created_at": wire::time(row.created),
        "updated_at": wire::time(row.updated),
    })
}

//! `/v3/{pid}/elb/listeners`.

use serde_json::{Value, json};

use super::answer::Answer;
use super::fields::{Fields, need};
use super::list::{self, Listed};
use super::request::{Context, Request};
use super::{ipgroups, wire};
use crate::state::{
    Certificate, CertificateType, Listener, ListenerPatch, NewListener, Protocol, Refusal, Row, SecurityPolicy,
};

/// The fields that the state checks by the listener's protocol and class, and those that are kept and shown only.
const EXTRA: [&str; 20] = [
    "client_timeout",
    "member_timeout",
    "insert_headers",
    "transparent_client_ip_enable",
    "http2_enable",
    "gzip_enable",
    "connection",
    "cps",
    "default_tls_container_ref",
    "client_ca_tls_container_ref",
    "sni_container_refs",
    "sni_match_algo",
    "tls_ciphers_policy",
    "security_policy_id",
    "enhance_l7policy_enable",
    "enable_member_retry",
    "proxy_protocol_enable",
    "nat64_enable",
    "protection_status",
    "protection_reason",
];

pub fn list(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let rows = context.cloud.listeners.seen(context.now, context.lag);
    Ok(Answer::ok(Value::Object(list::page::<Listener>(context, &request.query, rows)?)))
}

pub fn show(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    Ok(Answer::ok(shown(context, request.param(0))?))
}

pub fn create(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("listener")?;
    check_unmodelled(&fields)?;
    let protocol: Protocol = need("protocol", fields.parse("protocol")?)?;
    check_references(context, &fields)?;
    let new = NewListener {
        loadbalancer_id: need("loadbalancer_id", fields.id("loadbalancer_id")?)?,
        name: fields.name()?.unwrap_or_default(),
        description: fields.description()?.unwrap_or_default(),
        protocol,
        protocol_port: need(
            "protocol_port",
            fields.int("protocol_port", 0..=65535)?.and_then(|port| u16::try_from(port).ok()),
        )?,
        port_ranges: fields.parse("port_ranges")?.unwrap_or_default(),
        default_pool_id: fields.id("default_pool_id")?,
        keepalive_timeout: fields.int("keepalive_timeout", 0..=4000)?,
        tags: fields.tags()?,
        access: ipgroups::wished(&fields, None)?.flatten(),
        extra: fields.copy(&EXTRA),
    };
    let id = context.cloud.create_listener(context.now, new)?;
    Ok(Answer::created(shown(context, &id)?))
}

pub fn update(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("listener")?;
    check_unmodelled(&fields)?;
    if fields.value("port_ranges").is_some() {
        return Err(Refusal::invalid("port_ranges", "cannot be changed"));
    }
    check_references(context, &fields)?;
    let id = request.param(0);
    let patch = ListenerPatch {
        name: fields.name()?,
        description: fields.description()?,
        default_pool_id: if fields.has("default_pool_id") { Some(fields.id("default_pool_id")?) } else { None },
        keepalive_timeout: fields.int("keepalive_timeout", 0..=4000)?,
        access: ipgroups::wished(&fields, context.cloud.listener(id)?.access.as_ref())?,
        extra: fields.copy(&EXTRA),
    };
    context.cloud.update_listener(context.now, id, patch)?;
    Ok(Answer::ok(shown(context, id)?))
}

pub fn delete(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.delete_listener(context.now, request.param(0), false)?;
    Ok(Answer::nothing())
}

/// `DELETE …/force`: unbinds the default pool whatever is in it.
pub fn force_delete(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.delete_listener(context.now, request.param(0), true)?;
    Ok(Answer::nothing())
}

fn shown(context: &Context, id: &str) -> Result<Value, Refusal> {
    context.cloud.listener(id)?;
    Ok(json!({"listener": context.cloud.listeners.row(id).map(|row| Listener::render(row, context))}))
}

/// The certificates and the policy that a listener names are there.
fn check_references(context: &Context, fields: &Fields) -> Result<(), Refusal> {
    let of = |key, kind| match fields.id(key)? {
        Some(id) if context.cloud.find::<Certificate>(&id)?.kind != kind => {
            Err(Refusal::invalid(key, format!("certificate {id} is of another type")))
        }
        _ => Ok(()),
    };
    of("default_tls_container_ref", CertificateType::Server)?;
    of("client_ca_tls_container_ref", CertificateType::Client)?;
    let more = fields.texts("sni_container_refs")?.unwrap_or_default();
    if more.len() > 50 {
        return Err(Refusal::invalid("sni_container_refs", format!("{} certificates, at most 50", more.len())));
    }
    more.iter().try_for_each(|id| context.cloud.find::<Certificate>(id).map(drop))?;
    fields.id("security_policy_id")?.iter().try_for_each(|id| context.cloud.find::<SecurityPolicy>(id).map(drop))
}

/// Fields this cloud cannot honour must not be swallowed.
fn check_unmodelled(fields: &Fields) -> Result<(), Refusal> {
    if fields.flag("admin_state_up")? == Some(false) {
        return Err(Refusal::invalid("admin_state_up", "only true is supported"));
    }
    Ok(())
}

impl Listed for Listener {
    const PLURAL: &'static str = "listeners";
    const FILTERS: &'static [&'static str] = &[
        "id",
        "name",
        "description",
        "loadbalancer_id",
        "protocol",
        "protocol_port",
        "default_pool_id",
        "enterprise_project_id",
        "connection_limit",
    ];

    fn values(row: &Row<Self>, filter: &str, _: &Context) -> Vec<String> {
        let listener = &row.value;
        match filter {
            "id" => vec![listener.id.clone()],
            "name" => vec![listener.name.clone()],
            "description" => vec![listener.description.clone()],
            "loadbalancer_id" => vec![listener.loadbalancer_id.clone()],
            "protocol" => vec![listener.protocol.name().into()],
            "protocol_port" => vec![listener.protocol_port.to_string()],
            "default_pool_id" => wire::one(listener.default_pool_id.as_ref()),
            "enterprise_project_id" => vec!["0".into()],
            "connection_limit" => vec!["-1".into()],
            _ => Vec::new(),
        }
    }

    fn render(row: &Row<Self>, context: &Context) -> Value {
        let listener = &row.value;
        let http = listener.protocol.is_http();
        let mut value = json!({
            "id": listener.id,
            "name": listener.name,
            "description": listener.description,
            "project_id": context.cloud.setup.project_id,
            "admin_state_up": true,
            "protocol": listener.protocol,
            "protocol_port": listener.protocol_port,
            "port_ranges": (!listener.port_ranges.is_empty()).then_some(&listener.port_ranges),
            "loadbalancers": [{"id": listener.loadbalancer_id}],
            "default_pool_id": listener.default_pool_id,
            "connection_limit": -1,
            "keepalive_timeout": listener.keepalive_timeout,
            "client_timeout": if http { Some(60) } else { None },
            "member_timeout": if http { Some(60) } else { None },
            "insert_headers": {},
            "http2_enable": false,
            "default_tls_container_ref": null,
            "client_ca_tls_container_ref": null,
            "sni_container_refs": [],
            "sni_match_algo": "wildcard",
            "tls_ciphers_policy": null,
            "security_policy_id": null,
            "ipgroup": ipgroups::of(listener),
            "transparent_client_ip_enable": context.cloud.loadbalancer(&listener.loadbalancer_id).is_ok_and(|lb| lb.guaranteed),
            "proxy_protocol_enable": false,
            "enhance_l7policy_enable": false,
            "enable_member_retry": true,
            "gzip_enable": false,
            "nat64_enable": false,
            "quic_config": null,
            "connection": 0,
            "cps": 0,
            "tags": listener.tags,
            "enterprise_project_id": "0",
            "protection_status": "nonProtection",
            "protection_reason": "",
            "created_at": wire::time(row.created),
            "updated_at": wire::time(row.updated),
        });
        wire::overlay(&mut value, &listener.extra);
        value
    }
}

//! `/v3/{pid}/elb/healthmonitors`.

use serde_json::{Value, json};

use super::answer::Answer;
use super::fields::{Fields, need};
use super::list::{self, Listed};
use super::request::{Context, Request};
use super::wire;
use crate::state::{Codes, Monitor, MonitorPatch, NewMonitor, Refusal, Row};

pub fn list(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let rows = context.cloud.monitors.seen(context.now, context.lag);
    Ok(Answer::ok(Value::Object(list::page::<Monitor>(context, &request.query, rows)?)))
}

pub fn show(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    Ok(Answer::ok(shown(context, request.param(0))?))
}

pub fn create(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("healthmonitor")?;
    let new = NewMonitor {
        pool_id: need("pool_id", fields.id("pool_id")?)?,
        name: fields.name()?.unwrap_or_default(),
        kind: need("type", fields.parse("type")?)?,
        delay: need("delay", fields.int("delay", 1..=50)?)?,
        timeout: need("timeout", fields.int("timeout", 1..=50)?)?,
        max_retries: need("max_retries", fields.int("max_retries", 1..=10)?)?,
        max_retries_down: fields.int("max_retries_down", 1..=10)?,
        monitor_port: fields.port("monitor_port")?,
        expected_codes: codes(&fields)?,
        http_method: method(&fields)?,
        url_path: url_path(&fields)?,
        domain_name: fields.text("domain_name", 100)?,
        admin_state_up: fields.flag("admin_state_up")?.unwrap_or(true),
    };
    let id = context.cloud.create_monitor(context.now, new)?;
    Ok(Answer::created(shown(context, &id)?))
}

pub fn update(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("healthmonitor")?;
    let id = request.param(0);
    let patch = MonitorPatch {
        name: fields.name()?,
        kind: fields.parse("type")?,
        delay: fields.int("delay", 1..=50)?,
        timeout: fields.int("timeout", 1..=50)?,
        max_retries: fields.int("max_retries", 1..=10)?,
        max_retries_down: fields.int("max_retries_down", 1..=10)?,
        monitor_port: if fields.has("monitor_port") { Some(fields.port("monitor_port")?) } else { None },
        expected_codes: codes(&fields)?,
        http_method: method(&fields)?,
        url_path: url_path(&fields)?,
        domain_name: if fields.has("domain_name") { Some(fields.text("domain_name", 100)?) } else { None },
        admin_state_up: fields.flag("admin_state_up")?,
    };
    context.cloud.update_monitor(context.now, id, patch)?;
    Ok(Answer::ok(shown(context, id)?))
}

pub fn delete(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.delete_monitor(context.now, request.param(0))?;
    Ok(Answer::nothing())
}

fn shown(context: &Context, id: &str) -> Result<Value, Refusal> {
    context.cloud.monitor(id)?;
    Ok(json!({"healthmonitor": context.cloud.monitors.row(id).map(|row| Monitor::render(row, context))}))
}

fn codes(fields: &Fields) -> Result<Option<Codes>, Refusal> {
    let Some(text) = fields.text("expected_codes", 64)?.filter(|text| !text.is_empty()) else { return Ok(None) };
    Codes::parse(&text)
        .map(Some)
        .ok_or_else(|| Refusal::invalid("expected_codes", format!("'{text}' is not like 200 or 200,202 or 200-204")))
}

fn method(fields: &Fields) -> Result<Option<String>, Refusal> {
    let method = fields.text("http_method", 16)?;
    match method.as_deref() {
        None | Some("GET" | "HEAD" | "POST") => Ok(method),
        Some(other) => Err(Refusal::invalid("http_method", format!("'{other}' is not GET, HEAD or POST"))),
    }
}

fn url_path(fields: &Fields) -> Result<Option<String>, Refusal> {
    let path = fields.text("url_path", 80)?;
    if path.as_ref().is_some_and(|path| !path.starts_with('/')) {
        return Err(Refusal::invalid("url_path", "it must start with /"));
    }
    Ok(path)
}

impl Listed for Monitor {
    const PLURAL: &'static str = "healthmonitors";
    /// There is no filter by pool: pools name their monitor instead.
    const FILTERS: &'static [&'static str] = &[
        "id",
        "name",
        "type",
        "monitor_port",
        "domain_name",
        "delay",
        "timeout",
        "max_retries",
        "max_retries_down",
        "url_path",
        "http_method",
    ];

    fn values(row: &Row<Self>, filter: &str, _: &Context) -> Vec<String> {
        let monitor = &row.value;
        match filter {
            "id" => vec![monitor.id.clone()],
            "name" => vec![monitor.name.clone()],
            "type" => json!(monitor.kind).as_str().map(str::to_owned).into_iter().collect(),
            "monitor_port" => wire::one(monitor.monitor_port),
            "domain_name" => wire::one(monitor.domain_name.as_ref()),
            "delay" => vec![monitor.delay.to_string()],
            "timeout" => vec![monitor.timeout.to_string()],
            "max_retries" => vec![monitor.max_retries.to_string()],
            "max_retries_down" => vec![monitor.max_retries_down.to_string()],
            "url_path" => vec![monitor.url_path.clone()],
            "http_method" => vec![monitor.http_method.clone()],
            _ => Vec::new(),
        }
    }

    fn render(row: &Row<Self>, context: &Context) -> Value {
        let monitor = &row.value;
        json!({
            "id": monitor.id,
            "name": monitor.name,
            "project_id": context.cloud.setup.project_id,
            "pools": [{"id": monitor.pool_id}],
            "type": monitor.kind,
            "delay": monitor.delay,
            "timeout": monitor.timeout,
            "max_retries": monitor.max_retries,
            "max_retries_down": monitor.max_retries_down,
            "monitor_port": monitor.monitor_port,
            "expected_codes": monitor.expected_codes,
            "http_method": monitor.http_method,
            "url_path": monitor.url_path,
            "domain_name": monitor.domain_name,
            "admin_state_up": monitor.admin_state_up,
            "created_at": wire::time(row.created),
            "updated_at": wire::time(row.updated),
        })
    }
}

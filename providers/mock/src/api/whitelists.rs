//! `/v2/{pid}/elb/whitelists`: `{listener_id, enable_whitelist, whitelist: "ip,cidr"}`.

use serde_json::{Value, json};

use super::answer::Answer;
use super::crud::{self, Shown, shown};
use super::fields::{Fields, need};
use super::legacy::check_shared;
use super::list::Listed;
use super::request::{Context, Request};
use super::wire;
use crate::state::{IpEntry, Refusal, Row, Whitelist};

/// Without the `page_info` of v3.
pub fn list(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let mut answer = crud::list::<Whitelist>(context, request)?;
    answer.body.iter_mut().for_each(|body| wire::without(body, &["page_info"]));
    Ok(answer)
}

pub fn create(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("whitelist")?;
    let listener_id = need("listener_id", fields.id("listener_id")?)?;
    check_shared(context.cloud, &context.cloud.listener(&listener_id)?.loadbalancer_id)?;
    let new = Whitelist {
        id: String::new(),
        listener_id,
        enabled: fields.flag("enable_whitelist")?.unwrap_or(true),
        entries: entries(&fields)?.unwrap_or_default(),
    };
    let id = context.cloud.create_whitelist(context.now, new)?;
    shown::<Whitelist>(context, &id).map(Answer::created)
}

pub fn update(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("whitelist")?;
    let (enabled, entries) = (fields.flag("enable_whitelist")?, entries(&fields)?);
    context.cloud.update_whitelist(context.now, request.param(0), enabled, entries)?;
    shown::<Whitelist>(context, request.param(0)).map(Answer::ok)
}

pub fn delete(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.delete_whitelist(context.now, request.param(0))?;
    Ok(Answer::nothing())
}

/// Addresses with commas between them; `""` is nobody.
fn entries(fields: &Fields) -> Result<Option<Vec<IpEntry>>, Refusal> {
    let text = fields.text("whitelist", 20_000)?;
    let split = |text: String| {
        let ips = text.split(',').map(str::trim).filter(|ip| !ip.is_empty());
        ips.map(|ip| IpEntry { ip: ip.to_owned(), description: String::new() }).collect()
    };
    Ok(text.map(split))
}

impl Shown for Whitelist {
    const SINGULAR: &'static str = "whitelist";
}

impl Listed for Whitelist {
    const PLURAL: &'static str = "whitelists";
    const FILTERS: &'static [&'static str] = &["id", "listener_id", "enable_whitelist"];

    fn values(row: &Row<Self>, filter: &str, _: &Context) -> Vec<String> {
        match filter {
            "id" => vec![row.value.id.clone()],
            "listener_id" => vec![row.value.listener_id.clone()],
            "enable_whitelist" => vec![row.value.enabled.to_string()],
            _ => Vec::new(),
        }
    }

    fn render(row: &Row<Self>, context: &Context) -> Value {
        let ips: Vec<&str> = row.value.entries.iter().map(|entry| entry.ip.as_str()).collect();
        json!({
            "id": row.value.id,
            "tenant_id": context.cloud.setup.project_id,
            "listener_id": row.value.listener_id,
            "enable_whitelist": row.value.enabled,
            "whitelist": ips.join(","),
        })
    }
}

//! `/v3/{pid}/elb/ipgroups`, and what a listener says about the groups that it uses.

use serde_json::{Value, json};

use super::answer::Answer;
use super::crud::{Shown, shown};
use super::fields::{Fields, need};
use super::list::Listed;
use super::loadbalancers::enterprise_project;
use super::request::{Context, Request};
use super::wire;
use crate::state::{AccessControl, IpEntry, IpGroup, IpGroupPatch, Listener, Refusal, Row};

pub fn create(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("ipgroup")?;
    let new = IpGroup {
        id: String::new(),
        name: fields.name()?.unwrap_or_default(),
        description: fields.description()?.unwrap_or_default(),
        ip_list: need("ip_list", fields.parse::<Vec<IpEntry>>("ip_list")?)?,
        enterprise_project_id: enterprise_project(&fields)?,
    };
    let id = context.cloud.create_ipgroup(context.now, new)?;
    Ok(Answer::created(shown::<IpGroup>(context, &id)?))
}

pub fn update(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("ipgroup")?;
    let patch =
        IpGroupPatch { name: fields.name()?, description: fields.description()?, ip_list: fields.parse("ip_list")? };
    context.cloud.update_ipgroup(context.now, request.param(0), patch)?;
    shown::<IpGroup>(context, request.param(0)).map(Answer::ok)
}

/// `POST …/iplist/create-or-update`
pub fn add(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let entries = need("ip_list", request.object("ipgroup")?.parse::<Vec<IpEntry>>("ip_list")?)?;
    context.cloud.add_to_ipgroup(context.now, request.param(0), entries)?;
    shown::<IpGroup>(context, request.param(0)).map(Answer::ok)
}

/// `POST …/iplist/batch-delete`
pub fn remove(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let entries = need("ip_list", request.object("ipgroup")?.parse::<Vec<IpEntry>>("ip_list")?)?;
    let ips: Vec<String> = entries.into_iter().map(|entry| entry.ip).collect();
    context.cloud.remove_from_ipgroup(context.now, request.param(0), &ips)?;
    shown::<IpGroup>(context, request.param(0)).map(Answer::ok)
}

pub fn delete(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.delete_ipgroup(context.now, request.param(0))?;
    Ok(Answer::nothing())
}

/// `GET …/related-listeners`
pub fn listeners(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.find::<IpGroup>(request.param(0))?;
    let ids = context.cloud.listeners_of_ipgroup(request.param(0));
    Ok(Answer::ok(json!({"listeners": wire::references(&ids)})))
}

/// What a request says about a listener's groups: `None` for nothing, `Some(None)` for none at all.
pub fn wished(fields: &Fields, old: Option<&AccessControl>) -> Result<Option<Option<AccessControl>>, Refusal> {
    if !fields.has("ipgroup") {
        return Ok(None);
    }
    let Some(wish) = fields.object("ipgroup")? else {
        return Ok(Some(None));
    };
    let named = wish.text("ipgroup_id", 255)?.map(|ids| {
        let ids = ids.split(',').map(str::trim).filter(|id| !id.is_empty());
        ids.map(str::to_owned).collect::<Vec<String>>()
    });
    Ok(Some(Some(AccessControl {
        groups: need("ipgroup_id", named.or_else(|| old.map(|old| old.groups.clone())))?,
        enabled: wish.flag("enable_ipgroup")?.or(old.map(|old| old.enabled)).unwrap_or(true),
        kind: wish.parse("type")?.or(old.map(|old| old.kind)).unwrap_or_default(),
    })))
}

/// The `ipgroup` of a listener.
pub fn of(listener: &Listener) -> Value {
    let control = listener.access.as_ref();
    control.map_or(Value::Null, |control| {
        json!({
            "ipgroup_id": control.groups.join(","),
            "enable_ipgroup": control.enabled,
            "type": control.kind,
        })
    })
}

impl Shown for IpGroup {
    const SINGULAR: &'static str = "ipgroup";
}

impl Listed for IpGroup {
    const PLURAL: &'static str = "ipgroups";
    const FILTERS: &'static [&'static str] = &["id", "name", "description", "ip_list", "enterprise_project_id"];

    fn values(row: &Row<Self>, filter: &str, _: &Context) -> Vec<String> {
        let group = &row.value;
        match filter {
            "id" => vec![group.id.clone()],
            "name" => vec![group.name.clone()],
            "description" => vec![group.description.clone()],
            "enterprise_project_id" => vec![group.enterprise_project_id.clone()],
            "ip_list" => group.ip_list.iter().map(|entry| entry.ip.clone()).collect(),
            _ => Vec::new(),
        }
    }

    fn render(row: &Row<Self>, context: &Context) -> Value {
        let group = &row.value;
        let entry = |entry: &IpEntry| json!({"ip": entry.ip, "description": entry.description});
        json!({
            "id": group.id,
            "name": group.name,
            "description": group.description,
            "ip_list": group.ip_list.iter().map(entry).collect::<Vec<Value>>(),
            "project_id": context.cloud.setup.project_id,
            "enterprise_project_id": group.enterprise_project_id,
            "listeners": wire::references(&context.cloud.listeners_of_ipgroup(&group.id)),
            "created_at": wire::time(row.created),
            "updated_at": wire::time(row.updated),
        })
    }
}

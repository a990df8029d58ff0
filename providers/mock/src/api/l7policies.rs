//! `/v3/{pid}/elb/l7policies` and the rules below each.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::crud::{Shown, shown};
use super::fields::{Fields, need};
use super::list::{self, Listed};
use super::request::{Context, Request};
use super::wire;
use crate::state::{L7Action, L7Policy, L7Rule, L7RuleType, Refusal, Row};

/// Kept and echoed, nothing more.
const POLICY_EXTRA: [&str; 8] = [
    "name",
    "description",
    "position",
    "priority",
    "redirect_url_config",
    "redirect_pools_config",
    "redirect_pools_extend_config",
    "fixed_response_config",
];
const RULE_EXTRA: [&str; 5] = ["compare_type", "key", "value", "invert", "conditions"];

const COMPARISONS: [&str; 3] = ["EQUAL_TO", "REGEX", "STARTS_WITH"];

/// With its rules, if there are some in the body.
pub fn create(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("l7policy")?;
    let new = L7Policy {
        id: String::new(),
        listener_id: need("listener_id", fields.id("listener_id")?)?,
        action: need("action", fields.parse::<L7Action>("action")?)?,
        redirect_pool_id: fields.id("redirect_pool_id")?,
        redirect_listener_id: fields.id("redirect_listener_id")?,
        extra: policy_extra(&fields)?,
    };
    let rules = fields.value("rules").and_then(Value::as_array).cloned().unwrap_or_default();
    let rules = rules.iter().filter_map(Value::as_object).map(|map| new_rule(&Fields::new(map), ""));
    let rules = rules.collect::<Result<Vec<_>, _>>()?;
    let id = context.cloud.create_l7policy(context.now, new)?;
    for rule in rules {
        context.cloud.create_l7rule(context.now, L7Rule { policy_id: id.clone(), ..rule })?;
    }
    Ok(Answer::created(shown::<L7Policy>(context, &id)?))
}

pub fn update(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("l7policy")?;
    let (pool, listener) = (fields.id("redirect_pool_id")?, fields.id("redirect_listener_id")?);
    let extra = policy_extra(&fields)?;
    context.cloud.update_l7policy(context.now, request.param(0), pool, listener, extra)?;
    shown::<L7Policy>(context, request.param(0)).map(Answer::ok)
}

pub fn delete(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.delete_l7policy(context.now, request.param(0))?;
    Ok(Answer::nothing())
}

pub fn list_rules(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.find::<L7Policy>(request.param(0))?;
    let mut rows = context.cloud.l7rules.seen(context.now, context.lag);
    rows.retain(|(_, row)| row.value.policy_id == request.param(0));
    Ok(Answer::ok(Value::Object(list::page::<L7Rule>(context, &request.query, rows)?)))
}

pub fn show_rule(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.l7rule(request.param(0), request.param(1))?;
    shown::<L7Rule>(context, request.param(1)).map(Answer::ok)
}

pub fn create_rule(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let new = new_rule(&request.object("rule")?, request.param(0))?;
    let id = context.cloud.create_l7rule(context.now, new)?;
    Ok(Answer::created(shown::<L7Rule>(context, &id)?))
}

pub fn update_rule(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let extra = rule_extra(&request.object("rule")?)?;
    context.cloud.update_l7rule(context.now, request.param(0), request.param(1), extra)?;
    shown::<L7Rule>(context, request.param(1)).map(Answer::ok)
}

pub fn delete_rule(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.delete_l7rule(context.now, request.param(0), request.param(1))?;
    Ok(Answer::nothing())
}

fn new_rule(fields: &Fields, policy: &str) -> Result<L7Rule, Refusal> {
    need("compare_type", fields.value("compare_type"))?;
    Ok(L7Rule {
        id: String::new(),
        policy_id: policy.to_owned(),
        kind: need("type", fields.parse::<L7RuleType>("type")?)?,
        extra: rule_extra(fields)?,
    })
}

fn policy_extra(fields: &Fields) -> Result<Map<String, Value>, Refusal> {
    fields.name()?;
    fields.description()?;
    fields.int("position", 1..=100)?;
    fields.int("priority", 0..=10_000)?;
    Ok(fields.copy(&POLICY_EXTRA))
}

fn rule_extra(fields: &Fields) -> Result<Map<String, Value>, Refusal> {
    match fields.text("compare_type", 36)?.as_deref() {
        Some(other) if !COMPARISONS.contains(&other) => {
            Err(Refusal::invalid("compare_type", format!("'{other}' is not one of {COMPARISONS:?}")))
        }
        _ => Ok(fields.copy(&RULE_EXTRA)),
    }
}

impl Shown for L7Policy {
    const SINGULAR: &'static str = "l7policy";
}

impl Listed for L7Policy {
    const PLURAL: &'static str = "l7policies";
    const FILTERS: &'static [&'static str] =
        &["id", "name", "description", "listener_id", "action", "redirect_pool_id", "redirect_listener_id"];

    fn values(row: &Row<Self>, filter: &str, context: &Context) -> Vec<String> {
        wire::one(Self::render(row, context)[filter].as_str())
    }

    fn render(row: &Row<Self>, context: &Context) -> Value {
        let policy = &row.value;
        let mut value = json!({
            "id": policy.id,
            "name": "",
            "description": "",
            "listener_id": policy.listener_id,
            "action": policy.action,
            "position": 100,
            "priority": null,
            "redirect_pool_id": policy.redirect_pool_id,
            "redirect_listener_id": policy.redirect_listener_id,
            "redirect_url": null,
            "redirect_url_config": null,
            "redirect_pools_config": [],
            "redirect_pools_extend_config": null,
            "fixed_response_config": null,
            "rules": wire::references(&context.cloud.l7rules_of(&policy.id)),
            "provisioning_status": "ACTIVE",
            "admin_state_up": true,
            "project_id": context.cloud.setup.project_id,
            "enterprise_project_id": "0",
            "created_at": wire::time(row.created),
            "updated_at": wire::time(row.updated),
        });
        wire::overlay(&mut value, &policy.extra);
        value
    }
}

impl Shown for L7Rule {
    const SINGULAR: &'static str = "rule";
}

impl Listed for L7Rule {
    const PLURAL: &'static str = "rules";
    const FILTERS: &'static [&'static str] = &["id", "type", "compare_type", "value", "key"];

    fn values(row: &Row<Self>, filter: &str, context: &Context) -> Vec<String> {
        wire::one(Self::render(row, context)[filter].as_str())
    }

    fn render(row: &Row<Self>, context: &Context) -> Value {
        let mut value = json!({
            "id": row.value.id,
            "type": row.value.kind,
            "compare_type": "EQUAL_TO",
            "key": null,
            "value": "",
            "invert": false,
            "conditions": [],
            "provisioning_status": "ACTIVE",
            "admin_state_up": true,
            "project_id": context.cloud.setup.project_id,
            "created_at": wire::time(row.created),
            "updated_at": wire::time(row.updated),
        });
        wire::overlay(&mut value, &row.value.extra);
        value
    }
}

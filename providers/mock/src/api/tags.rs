//! Tags of load balancers: `/v3/{pid}/loadbalancers/{id}/tags` and the `/v2.0` twin that Terraform uses.

use serde_json::json;

use super::answer::Answer;
use super::fields::{Fields, need};
use super::request::{Context, Request};
use crate::state::Refusal;

pub fn show(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let lb = context.cloud.loadbalancer(request.param(0))?;
    Ok(Answer::ok(json!({"tags": lb.tags})))
}

/// `{"action": "create" | "delete", "tags": […]}`
pub fn action(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let map = request.body.as_object().ok_or(Refusal::Missing("action"))?;
    let fields = Fields::new(map);
    let delete = match need("action", fields.text("action", 16)?)?.as_str() {
        "create" => false,
        "delete" => true,
        other => return Err(Refusal::invalid("action", format!("'{other}' is not create or delete"))),
    };
    context.cloud.set_loadbalancer_tags(context.now, request.param(0), &fields.tags()?, delete)?;
    Ok(Answer::nothing())
}

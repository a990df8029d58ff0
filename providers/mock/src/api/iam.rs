//! The little of IAM that SDKs ask at start: which project belongs to the region.

use serde_json::json;

use super::answer::Answer;
use super::request::{Context, Request};
use crate::config::{DOMAIN_ID, DOMAIN_NAME};
use crate::state::Refusal;

/// SDKs take none as an error, and more than one too.
pub fn projects(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let setup = &context.cloud.setup;
    let wanted = request.query.first("name").is_none_or(|name| name == setup.region);
    let project = json!({
        "id": setup.project_id,
        "name": setup.region,
        "domain_id": DOMAIN_ID,
        "parent_id": DOMAIN_ID,
        "enabled": true,
        "is_domain": false,
        "description": "",
    });
    Ok(Answer::ok(json!({"projects": wanted.then_some(project).into_iter().collect::<Vec<_>>()})))
}

pub fn domains(_: &mut Context, _: &Request) -> Result<Answer, Refusal> {
    Ok(Answer::ok(json!({"domains": [{"id": DOMAIN_ID, "name": DOMAIN_NAME, "enabled": true, "description": ""}]})))
}

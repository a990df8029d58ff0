//! The part of IAM that clients ask at start: projects, domains, tokens, temporary keys.

use serde_json::{Value, json};

use super::answer::Answer;
use super::fields::{Fields, need};
use super::request::{Context, Request};
use crate::state::{Account, Refusal};

/// SDKs take none as an error, and more than one too.
pub fn projects(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let wanted = request.query.first("name").is_none_or(|name| name == context.cloud.setup.region);
    let project = project_json(context);
    Ok(Answer::ok(json!({"projects": wanted.then_some(project).into_iter().collect::<Vec<_>>()})))
}

pub fn project(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    if request.param(0) != context.cloud.setup.project_id {
        return Err(Refusal::not_found("Project", request.param(0)));
    }
    Ok(Answer::ok(json!({"project": project_json(context)})))
}

pub fn domains(context: &mut Context, _: &Request) -> Result<Answer, Refusal> {
    let account = &context.cloud.setup.account;
    Ok(Answer::ok(json!({"domains": [
        {"id": account.domain_id, "name": account.domain_name, "enabled": true, "description": ""},
    ]})))
}

pub fn user(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let account = &context.cloud.setup.account;
    if request.param(0) != account.user_id {
        return Err(Refusal::not_found("User", request.param(0)));
    }
    let Account { domain_id, user_id, user_name, .. } = account;
    Ok(Answer::ok(json!({"user": {"id": user_id, "name": user_name, "domain_id": domain_id, "enabled": true}})))
}

/// `GET /v5/caller-identity`
pub fn caller(context: &mut Context, _: &Request) -> Result<Answer, Refusal> {
    let Account { domain_id, user_id, user_name, .. } = &context.cloud.setup.account;
    let urn = format!("iam::{domain_id}:user:{user_name}");
    Ok(Answer::ok(json!({"account_id": domain_id, "principal_id": user_id, "principal_urn": urn})))
}

/// `POST /v3/auth/tokens` with a password, for a project or the domain; the token is in a header. Not signed.
pub fn create_token(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let auth = request.object("auth")?;
    let identity = need("identity", auth.object("identity")?)?;
    let methods = identity.texts("methods")?.unwrap_or_default();
    if methods != ["password"] {
        return Err(Refusal::invalid("methods", format!("{methods:?} is not [\"password\"]")));
    }
    let user = match identity.object("password")? {
        Some(password) => need("user", password.object("user")?)?,
        None => return Err(Refusal::Missing("password")),
    };
    let setup = &context.cloud.setup;
    if !is_user(&setup.account, &user)? {
        return Ok(unauthorized("The username or password is wrong."));
    }
    let project = auth.object("scope")?.map(|scope| scope.object("project")).transpose()?.flatten();
    if let Some(project) = &project {
        let named = |key: &str, value: &str| -> Result<bool, Refusal> {
            Ok(project.text(key, 64)?.is_none_or(|given| given == value))
        };
        if !named("name", &setup.region)? || !named("id", &setup.project_id)? {
            return Ok(unauthorized("The project of the scope could not be found."));
        }
    }
    let (token, expires_at) = context.cloud.issue_token(context.now);
    let setup = &context.cloud.setup;
    let account = &setup.account;
    let domain = json!({"id": account.domain_id, "name": account.domain_name});
    let mut body = json!({
        "methods": methods,
        "issued_at": context.now.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
        "expires_at": expires_at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
        "catalog": [],
        "roles": [{"id": "0", "name": "te_admin"}],
        "user": {"id": account.user_id, "name": account.user_name, "domain": domain, "password_expires_at": ""},
    });
    match project {
        Some(_) => body["project"] = json!({"id": setup.project_id, "name": setup.region, "domain": domain}),
        None => body["domain"] = domain,
    }
    let answer = Answer::created(json!({"token": body}));
    Ok(Answer { header: Some(("x-subject-token", token)), ..answer })
}

/// `POST /v3.0/OS-CREDENTIAL/securitytokens` with a token.
pub fn create_keys(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let auth = request.object("auth")?;
    let identity = need("identity", auth.object("identity")?)?;
    let methods = identity.texts("methods")?.unwrap_or_default();
    if methods != ["token"] {
        return Err(Refusal::invalid("methods", format!("{methods:?} is not [\"token\"]")));
    }
    let token = need("token", identity.object("token")?)?;
    let seconds = token.int("duration_seconds", 900..=86_400)?.unwrap_or(900);
    let id = need("id", token.text("id", 32_768)?)?;
    let key = context.cloud.issue_keys(context.now, &id, seconds)?;
    Ok(Answer::created(json!({"credential": {
        "access": key.access,
        "secret": key.secret,
        "securitytoken": key.security_token,
        "expires_at": key.expires_at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
    }})))
}

/// By name and domain, or by id.
fn is_user(account: &Account, user: &Fields) -> Result<bool, Refusal> {
    let domain = user.object("domain")?.map(|domain| domain.text("name", 64)).transpose()?.flatten();
    let named = match (user.text("id", 64)?, user.text("name", 64)?) {
        (Some(id), _) => id == account.user_id,
        (None, Some(name)) => name == account.user_name && domain.as_ref() == Some(&account.domain_name),
        (None, None) => return Err(Refusal::Missing("name")),
    };
    Ok(named && user.text("password", 255)?.as_ref() == Some(&account.password))
}

/// The shape of this one service.
fn unauthorized(message: &str) -> Answer {
    let body = json!({"error": {"code": 401, "message": message, "title": "Unauthorized"}});
    Answer { body: Some(body), ..Answer::error(401, "401", message) }
}

fn project_json(context: &Context) -> Value {
    let setup = &context.cloud.setup;
    let domain = &setup.account.domain_id;
    json!({
        "id": setup.project_id,
        "name": setup.region,
        "domain_id": domain,
        "parent_id": domain,
        "enabled": true,
        "is_domain": false,
        "description": "",
    })
}

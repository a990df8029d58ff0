//! `/v3/{pid}/elb/certificates` and `/v3/{pid}/elb/security-policies`.

use serde_json::{Value, json};

use super::answer::Answer;
use super::crud::{Shown, shown};
use super::fields::{Fields, need};
use super::list::Listed;
use super::loadbalancers::enterprise_project;
use super::request::{Context, Request};
use super::wire;
use crate::state::{Certificate, CertificatePatch, CertificateType, Refusal, Row, SecurityPolicy, SecurityPolicyPatch};

/// Longest PEM texts, in characters.
const CERTIFICATE: usize = 65_536;
const PRIVATE_KEY: usize = 8_192;

const PROTOCOLS: [&str; 4] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

/// What the region offers by itself: name, protocols, ciphers.
const SYSTEM_POLICIES: [(&str, &str, &str); 4] = [
    (
        "tls-1-0",
        "TLSv1.2 TLSv1.1 TLSv1",
        "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA:AES256-SHA",
    ),
    ("tls-1-1", "TLSv1.2 TLSv1.1", "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA:AES256-SHA"),
    ("tls-1-2", "TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256"),
    ("tls-1-2-strict", "TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384"),
];

pub fn create(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("certificate")?;
    let new = Certificate {
        id: String::new(),
        name: fields.name()?.unwrap_or_default(),
        description: fields.description()?.unwrap_or_default(),
        kind: fields.parse::<CertificateType>("type")?.unwrap_or_default(),
        domain: domain(&fields)?.unwrap_or_default(),
        certificate: need("certificate", fields.text("certificate", CERTIFICATE)?)?,
        private_key: fields.text("private_key", PRIVATE_KEY)?,
        enterprise_project_id: enterprise_project(&fields)?,
    };
    let id = context.cloud.create_certificate(context.now, new)?;
    Ok(Answer::created(shown::<Certificate>(context, &id)?))
}

pub fn update(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("certificate")?;
    let patch = CertificatePatch {
        name: fields.name()?,
        description: fields.description()?,
        domain: domain(&fields)?,
        certificate: fields.text("certificate", CERTIFICATE)?,
        private_key: fields.text("private_key", PRIVATE_KEY)?,
    };
    context.cloud.update_certificate(context.now, request.param(0), patch)?;
    shown::<Certificate>(context, request.param(0)).map(Answer::ok)
}

pub fn delete(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.delete_certificate(context.now, request.param(0))?;
    Ok(Answer::nothing())
}

pub fn create_policy(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("security_policy")?;
    let new = SecurityPolicy {
        id: String::new(),
        name: fields.name()?.unwrap_or_default(),
        description: fields.description()?.unwrap_or_default(),
        protocols: need("protocols", protocols(&fields)?)?,
        ciphers: need("ciphers", fields.texts("ciphers")?)?,
        enterprise_project_id: enterprise_project(&fields)?,
    };
    let id = context.cloud.create_security_policy(context.now, new)?;
    Ok(Answer::created(shown::<SecurityPolicy>(context, &id)?))
}

pub fn update_policy(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("security_policy")?;
    let patch = SecurityPolicyPatch {
        name: fields.name()?,
        description: fields.description()?,
        protocols: protocols(&fields)?,
        ciphers: fields.texts("ciphers")?,
    };
    context.cloud.update_security_policy(context.now, request.param(0), patch)?;
    shown::<SecurityPolicy>(context, request.param(0)).map(Answer::ok)
}

pub fn delete_policy(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    context.cloud.delete_security_policy(context.now, request.param(0))?;
    Ok(Answer::nothing())
}

pub fn system_policies(context: &mut Context, _: &Request) -> Result<Answer, Refusal> {
    let project = &context.cloud.setup.project_id;
    let policies = SYSTEM_POLICIES.map(|(name, protocols, ciphers)| {
        json!({"name": name, "protocols": protocols, "ciphers": ciphers, "project_id": project})
    });
    Ok(Answer::ok(json!({"system_security_policies": policies})))
}

fn domain(fields: &Fields) -> Result<Option<String>, Refusal> {
    let domain = fields.text("domain", 10_000)?;
    match domain.as_ref().map(|names| names.split(',').count()) {
        Some(count) if count > 100 => {
            Err(Refusal::invalid("domain", format!("{count} names, at most 100 are allowed")))
        }
        _ => Ok(domain),
    }
}

fn protocols(fields: &Fields) -> Result<Option<Vec<String>>, Refusal> {
    let protocols = fields.texts("protocols")?;
    match protocols.iter().flatten().find(|protocol| !PROTOCOLS.contains(&protocol.as_str())) {
        Some(other) => Err(Refusal::invalid("protocols", format!("'{other}' is not one of {PROTOCOLS:?}"))),
        None => Ok(protocols),
    }
}

impl Shown for Certificate {
    const SINGULAR: &'static str = "certificate";
}

impl Listed for Certificate {
    const PLURAL: &'static str = "certificates";
    const FILTERS: &'static [&'static str] = &["id", "name", "description", "type", "domain"];

    fn values(row: &Row<Self>, filter: &str, context: &Context) -> Vec<String> {
        wire::one(Self::render(row, context)[filter].as_str())
    }

    /// The private key never comes back.
    fn render(row: &Row<Self>, context: &Context) -> Value {
        let certificate = &row.value;
        json!({
            "id": certificate.id,
            "name": certificate.name,
            "description": certificate.description,
            "type": certificate.kind,
            "domain": certificate.domain,
            "certificate": certificate.certificate,
            "private_key": null,
            "admin_state_up": true,
            "project_id": context.cloud.setup.project_id,
            "enterprise_project_id": certificate.enterprise_project_id,
            "scm_certificate_id": "",
            "source": "",
            "protection_status": "nonProtection",
            "protection_reason": "",
            "created_at": wire::time(row.created),
            "updated_at": wire::time(row.updated),
        })
    }
}

impl Shown for SecurityPolicy {
    const SINGULAR: &'static str = "security_policy";
}

impl Listed for SecurityPolicy {
    const PLURAL: &'static str = "security_policies";
    const FILTERS: &'static [&'static str] = &["id", "name", "description"];

    fn values(row: &Row<Self>, filter: &str, context: &Context) -> Vec<String> {
        wire::one(Self::render(row, context)[filter].as_str())
    }

    fn render(row: &Row<Self>, context: &Context) -> Value {
        let policy = &row.value;
        json!({
            "id": policy.id,
            "name": policy.name,
            "description": policy.description,
            "protocols": policy.protocols,
            "ciphers": policy.ciphers,
            "listeners": wire::references(&context.cloud.listeners_referring_to(&policy.id)),
            "project_id": context.cloud.setup.project_id,
            "enterprise_project_id": policy.enterprise_project_id,
            "created_at": wire::time(row.created),
            "updated_at": wire::time(row.updated),
        })
    }
}

//! Certificates and security policies: what listeners that speak TLS refer to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::loadbalancer::set;
use super::{Cloud, Refusal, Stored, quota};

/// A certificate; `certificate` and `private_key` in PEM form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    pub id: String,
    pub name: String,
    pub description: String,
    pub kind: CertificateType,
    /// Names, separated by commas.
    pub domain: String,
    pub certificate: String,
    pub private_key: Option<String>,
    pub enterprise_project_id: String,
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateType {
    /// Shown to clients; has a private key.
    #[default]
    Server,
    /// An authority that clients are checked against.
    Client,
    /// With the national algorithms; kept, not used.
    ServerSm,
}

/// Changes; `None` leaves a field alone.
#[derive(Debug, Clone, Default)]
pub struct CertificatePatch {
    pub name: Option<String>,
    pub description: Option<String>,
    pub domain: Option<String>,
    pub certificate: Option<String>,
    pub private_key: Option<String>,
}

/// Which protocols and ciphers a listener offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecurityPolicy {
    pub id: String,
    pub name: String,
    pub description: String,
    pub protocols: Vec<String>,
    pub ciphers: Vec<String>,
    pub enterprise_project_id: String,
}

/// Changes; `None` leaves a field alone.
#[derive(Debug, Clone, Default)]
pub struct SecurityPolicyPatch {
    pub name: Option<String>,
    pub description: Option<String>,
    pub protocols: Option<Vec<String>>,
    pub ciphers: Option<Vec<String>>,
}

/// How PEM blocks begin.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";
const PRIVATE_KEY: &str = "PRIVATE KEY-----";

impl Cloud {
    /// `new` without its id, which is 32 digits here, without dashes.
    pub fn create_certificate(&mut self, now: Timestamp, new: Certificate) -> Result<String, Refusal> {
        quota::check("certificate", self.quotas.certificate, self.certificates.len(), 1)?;
        check(&new)?;
        let id = self.new_id().replace('-', "");
        self.certificates.insert(id.clone(), now, Certificate { id: id.clone(), ..new });
        self.touch();
        Ok(id)
    }

    pub fn update_certificate(&mut self, now: Timestamp, id: &str, patch: CertificatePatch) -> Result<(), Refusal> {
        let mut new = self.find::<Certificate>(id)?.clone();
        set(&mut new.name, patch.name);
        set(&mut new.description, patch.description);
        set(&mut new.domain, patch.domain);
        set(&mut new.certificate, patch.certificate);
        set(&mut new.private_key, patch.private_key.map(Some));
        check(&new)?;
        let changed = self.certificates.update(id, now, |certificate| *certificate = new);
        self.touch_if(changed);
        Ok(())
    }

    pub fn delete_certificate(&mut self, now: Timestamp, id: &str) -> Result<(), Refusal> {
        self.find::<Certificate>(id)?;
        self.check_unreferred(Certificate::KIND, id)?;
        self.certificates.remove(id, now);
        self.touch();
        Ok(())
    }

    /// `new` without its id.
    pub fn create_security_policy(&mut self, now: Timestamp, new: SecurityPolicy) -> Result<String, Refusal> {
        quota::check("security_policy", self.quotas.security_policy, self.security_policies.len(), 1)?;
        let id = self.new_id();
        self.security_policies.insert(id.clone(), now, SecurityPolicy { id: id.clone(), ..new });
        self.touch();
        Ok(id)
    }

    pub fn update_security_policy(
        &mut self,
        now: Timestamp,
        id: &str,
        patch: SecurityPolicyPatch,
    ) -> Result<(), Refusal> {
        self.find::<SecurityPolicy>(id)?;
        let changed = self.security_policies.update(id, now, |policy| {
            set(&mut policy.name, patch.name);
            set(&mut policy.description, patch.description);
            set(&mut policy.protocols, patch.protocols);
            set(&mut policy.ciphers, patch.ciphers);
        });
        self.touch_if(changed);
        Ok(())
    }

    pub fn delete_security_policy(&mut self, now: Timestamp, id: &str) -> Result<(), Refusal> {
        self.find::<SecurityPolicy>(id)?;
        self.check_unreferred(SecurityPolicy::KIND, id)?;
        self.security_policies.remove(id, now);
        self.touch();
        Ok(())
    }

    /// Listeners that name a certificate or a security policy.
    pub fn listeners_referring_to(&self, id: &str) -> Vec<String> {
        let referring = self.listeners.iter().filter(|(_, listener)| listener.refers_to(id));
        referring.map(|(listener, _)| listener.clone()).collect()
    }

    fn check_unreferred(&self, kind: &str, id: &str) -> Result<(), Refusal> {
        match self.listeners_referring_to(id).first() {
            Some(listener) => Err(Refusal::Conflict(format!("{kind} {id} is in use by listener {listener}"))),
            None => Ok(()),
        }
    }
}

fn check(certificate: &Certificate) -> Result<(), Refusal> {
    if !certificate.certificate.contains(CERTIFICATE) {
        return Err(Refusal::invalid("certificate", "it is not in PEM form"));
    }
    match &certificate.private_key {
        Some(key) if !key.contains(PRIVATE_KEY) => Err(Refusal::invalid("private_key", "it is not in PEM form")),
        None if certificate.kind != CertificateType::Client => Err(Refusal::Missing("private_key")),
        _ => Ok(()),
    }
}

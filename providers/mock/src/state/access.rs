//! Who the account is, and the tokens and temporary keys it was given.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Cloud, Refusal};

/// The account and its one user.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Account {
    pub domain_id: String,
    pub domain_name: String,
    pub user_id: String,
    pub user_name: String,
    pub password: String,
    pub token_lifetime: SignedDuration,
}

/// What has been handed out, with the time it ends.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Access {
    tokens: BTreeMap<String, Timestamp>,
    keys: BTreeMap<String, TemporaryKey>,
}

/// A key pair that counts only together with its security token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TemporaryKey {
    pub access: String,
    pub secret: String,
    pub security_token: String,
    pub expires_at: Timestamp,
}

impl Cloud {
    /// A token, and when it ends. What has ended before is forgotten.
    pub fn issue_token(&mut self, now: Timestamp) -> (String, Timestamp) {
        let expires_at = now + self.setup.account.token_lifetime;
        let token = format!("MII{}{}", self.new_id(), self.new_id()).replace('-', "");
        // Those that ended lately are remembered, to be called old and not unknown.
        self.access.tokens.retain(|_, end| *end > now - SignedDuration::from_hours(24));
        self.access.tokens.insert(token.clone(), expires_at);
        self.touch();
        (token, expires_at)
    }

    /// When a token ends, if it was ever given.
    pub fn token_end(&self, token: &str) -> Option<Timestamp> {
        self.access.tokens.get(token).copied()
    }

    /// A pair of keys for somebody who has a token.
    pub fn issue_keys(&mut self, now: Timestamp, token: &str, seconds: u32) -> Result<TemporaryKey, Refusal> {
        if self.token_end(token).is_none_or(|end| end <= now) {
            return Err(Refusal::invalid("token", "it is unknown or has expired"));
        }
        let mut random = || self.new_id().replace('-', "").to_uppercase();
        let access = format!("HST{}", &random()[..17]);
        let (secret, security_token) = (random(), format!("{}{}", random(), random()));
        let expires_at = now + SignedDuration::from_secs(seconds.into());
        let key = TemporaryKey { access, secret, security_token, expires_at };
        self.access.keys.retain(|_, key| key.expires_at > now - SignedDuration::from_hours(24));
        self.access.keys.insert(key.access.clone(), key.clone());
        self.touch();
        Ok(key)
    }

    pub fn temporary_key(&self, access: &str) -> Option<&TemporaryKey> {
        self.access.keys.get(access)
    }
}

//! What a caller proves itself with, and where it comes from. It is never logged.

mod files;

use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;

pub use files::FileCredentials;

/// What a caller proves itself with.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Keys that sign each call.
    Keys(Keys),
    /// A user, who gets a token from IAM; it goes with each call.
    User(User),
}

/// An access key and its secret.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Access key (AK).
    pub access_key: String,
    /// Secret key (SK).
    pub secret_key: SecretString,
    /// Token that goes with temporary keys.
    pub security_token: Option<SecretString>,
}

/// An IAM user.
#[derive(Clone, Debug)]
pub struct User {
    /// Name.
    pub name: String,
    /// Password.
    pub password: SecretString,
    /// Name of the account (domain) that the user belongs to.
    pub domain: String,
    /// Whose rights the user takes on, where it is not its own.
    pub agency: Option<Agency>,
}

/// An agency, by which another account lends its rights.
#[derive(Clone, Debug)]
pub struct Agency {
    /// Name.
    pub name: String,
    /// Name of the account that lends.
    pub domain: String,
}

/// Where credentials come from. Asked before each call, so that they may change; the same `Arc` for the same ones.
pub trait CredentialsSource: Send + Sync + 'static {
    /// The credentials of this moment.
    ///
    /// # Errors
    /// There are none.
    fn get(&self) -> Result<Arc<Credentials>, CredentialsError>;
}

/// There is nothing to prove ourselves with.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CredentialsError {
    /// A file cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file holds nothing.
    #[error("{} is empty", path.display())]
    Empty {
        /// Which.
        path: PathBuf,
    },
    /// Two kinds of credentials.
    #[error("{} holds both access-key and user: remove the files of one of the two", path.display())]
    Both {
        /// The folder.
        path: PathBuf,
    },
}

/// Credentials that never change.
#[derive(Clone, Debug)]
pub struct StaticCredentials(Arc<Credentials>);

impl StaticCredentials {
    /// A key pair.
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self::from(Credentials::Keys(Keys {
            access_key: access_key.into(),
            secret_key: SecretString::from(secret_key.into()),
            security_token: None,
        }))
    }
}

impl From<Credentials> for StaticCredentials {
    fn from(credentials: Credentials) -> Self {
        Self(Arc::new(credentials))
    }
}

impl CredentialsSource for StaticCredentials {
    fn get(&self) -> Result<Arc<Credentials>, CredentialsError> {
        Ok(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let user = User { name: "u".into(), password: "hunter2".to_owned().into(), domain: "d".into(), agency: None };
        for source in [StaticCredentials::new("AK1", "hunter2"), Credentials::User(user).into()] {
            assert!(!format!("{source:?}").contains("hunter2"));
        }
    }
}

//! Keys: where they come from. They are never logged.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use secrecy::{ExposeSecret, SecretString};

/// An access key and its secret.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Access key (AK).
    pub access_key: String,
    /// Secret key (SK).
    pub secret_key: SecretString,
    /// Token that goes with temporary keys.
    pub security_token: Option<SecretString>,
}

/// Where keys come from. Asked before each call, so that they may change.
pub trait CredentialsSource: Send + Sync + 'static {
    /// The keys of this moment.
    ///
    /// # Errors
    /// There are none.
    fn get(&self) -> Result<Arc<Credentials>, CredentialsError>;
}

/// There are no keys to sign with.
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
}

/// Keys that never change.
#[derive(Clone, Debug)]
pub struct StaticCredentials(Arc<Credentials>);

impl StaticCredentials {
    /// A key pair.
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self(Arc::new(Credentials {
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

/// Keys in files (a mounted secret), one value each, read again when one of them changes, comes or goes.
#[derive(Debug)]
pub struct FileCredentials {
    access_key: PathBuf,
    secret_key: PathBuf,
    security_token: Option<PathBuf>,
    last: Mutex<Option<(Stamp, Arc<Credentials>)>>,
}

/// Modification times of the files.
type Stamp = Vec<Option<SystemTime>>;

impl FileCredentials {
    /// Files with the access key, the secret key and, for temporary keys, the token. While the file of the token is
    /// absent or empty there is none.
    pub fn new(
        access_key: impl Into<PathBuf>,
        secret_key: impl Into<PathBuf>,
        security_token: Option<PathBuf>,
    ) -> Self {
        Self { access_key: access_key.into(), secret_key: secret_key.into(), security_token, last: Mutex::new(None) }
    }

    fn stamp(&self) -> Stamp {
        [Some(&self.access_key), Some(&self.secret_key), self.security_token.as_ref()]
            .into_iter()
            .flatten()
            .map(|path| fs::metadata(path).and_then(|m| m.modified()).ok())
            .collect()
    }

    fn read(&self) -> Result<Credentials, CredentialsError> {
        Ok(Credentials {
            access_key: value(&self.access_key)?.expose_secret().to_owned(),
            secret_key: value(&self.secret_key)?,
            security_token: self.security_token.as_deref().map_or(Ok(None), optional)?,
        })
    }
}

impl CredentialsSource for FileCredentials {
    fn get(&self) -> Result<Arc<Credentials>, CredentialsError> {
        let stamp = self.stamp();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, credentials)) = &*last
            && *of == stamp
        {
            return Ok(credentials.clone());
        }
        let credentials = Arc::new(self.read()?);
        *last = Some((stamp, credentials.clone()));
        Ok(credentials)
    }
}

fn value(path: &Path) -> Result<SecretString, CredentialsError> {
    let text = fs::read_to_string(path)
        .map_err(|error| CredentialsError::Unreadable { path: path.to_owned(), reason: error.to_string() })?;
    match text.trim() {
        "" => Err(CredentialsError::Empty { path: path.to_owned() }),
        text => Ok(SecretString::from(text.to_owned())),
    }
}

/// Nothing where there is no file, or nothing in it.
fn optional(path: &Path) -> Result<Option<SecretString>, CredentialsError> {
    match value(path) {
        Ok(value) => Ok(Some(value)),
        Err(CredentialsError::Empty { .. }) => Ok(None),
        Err(CredentialsError::Unreadable { .. }) if matches!(path.try_exists(), Ok(false)) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::time::Duration;

    fn write(path: &Path, text: &str, second: u64) {
        fs::write(path, text).unwrap();
        let file = fs::File::options().append(true).open(path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(second)).unwrap();
    }

    #[test]
    fn files_are_read_again_when_they_change() {
        let dir = std::env::temp_dir().join(format!("ferrolb-elb-keys-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let (ak, sk) = (dir.join("ak"), dir.join("sk"));
        let source = FileCredentials::new(&ak, &sk, None);
        assert!(matches!(source.get(), Err(CredentialsError::Unreadable { .. })));
        write(&ak, "AK1\n", 1);
        write(&sk, " \n", 1);
        assert!(matches!(source.get(), Err(CredentialsError::Empty { .. })));
        write(&sk, "one\n", 2);
        assert_eq!(source.get().unwrap().secret_key.expose_secret(), "one");
        write(&sk, "two", 3);
        let now = source.get().unwrap();
        assert_eq!(now.access_key, "AK1");
        assert_eq!(now.secret_key.expose_secret(), "two");
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_token_may_come_and_go_while_the_process_runs() {
        let dir = std::env::temp_dir().join(format!("ferrolb-elb-token-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let (ak, sk, token) = (dir.join("ak"), dir.join("sk"), dir.join("token"));
        write(&ak, "AK1", 1);
        write(&sk, "one", 1);
        let source = FileCredentials::new(&ak, &sk, Some(token.clone()));
        let shown = || source.get().unwrap().security_token.as_ref().map(|t| t.expose_secret().to_owned());
        assert_eq!(shown(), None);
        write(&token, "T1\n", 1);
        assert_eq!(shown().as_deref(), Some("T1"));
        write(&token, "T2", 2);
        assert_eq!(shown().as_deref(), Some("T2"));
        write(&token, "", 3);
        assert_eq!(shown(), None);
        fs::remove_file(&token).unwrap();
        assert_eq!(shown(), None);
        // There, and not to be read: no reason to go on without it.
        fs::create_dir(&token).unwrap();
        assert!(matches!(source.get(), Err(CredentialsError::Unreadable { .. })));
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let source = StaticCredentials::new("AK1", "hunter2");
        assert!(!format!("{source:?}").contains("hunter2"));
    }
}

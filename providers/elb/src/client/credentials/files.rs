//! Credentials in files, as a mounted Secret has them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use secrecy::{ExposeSecret, SecretString};

use super::{Agency, Credentials, CredentialsError, CredentialsSource, Keys, User};

/// What may be in the folder.
const FILES: [&str; 8] =
    ["access-key", "secret-key", "security-token", "user", "password", "domain", "agency", "agency-domain"];

/// A folder with one value a file, read again when one of them changes, comes or goes: `access-key` and `secret-key`,
/// with `security-token` for temporary keys; or `user`, `password` and `domain`, with `agency` and `agency-domain`
/// where another account lends its rights. What need not be there may be empty as well.
#[derive(Debug)]
pub struct FileCredentials {
    folder: PathBuf,
    last: Mutex<Option<(Stamp, Arc<Credentials>)>>,
}

/// Modification times and lengths of the files.
type Stamp = Vec<Option<(SystemTime, u64)>>;

impl FileCredentials {
    /// The files of a folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), last: Mutex::new(None) }
    }

    fn stamp(&self) -> Stamp {
        let stamp = |file: &&str| {
            let about = fs::metadata(self.folder.join(file)).ok()?;
            Some((about.modified().ok()?, about.len()))
        };
        FILES.iter().map(stamp).collect()
    }

    fn read(&self) -> Result<Credentials, CredentialsError> {
        let path = |file: &str| self.folder.join(file);
        let text = |file: &str| value(&path(file)).map(|text| text.expose_secret().to_owned());
        let optional_text = |file: &str| optional(&path(file)).map(|t| t.map(|t| t.expose_secret().to_owned()));
        let Some(name) = optional_text("user")? else {
            return Ok(Credentials::Keys(Keys {
                access_key: text("access-key")?,
                secret_key: value(&path("secret-key"))?,
                security_token: optional(&path("security-token"))?,
            }));
        };
        if optional_text("access-key")?.is_some() {
            return Err(CredentialsError::Both { path: self.folder.clone() });
        }
        let agency = match optional_text("agency")? {
            Some(name) => Some(Agency { name, domain: text("agency-domain")? }),
            None => None,
        };
        Ok(Credentials::User(User { name, password: value(&path("password"))?, domain: text("domain")?, agency }))
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

    /// A folder that goes with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("ferrolb-elb-{name}-{}", std::process::id()));
            fs::create_dir_all(&dir).unwrap();
            Self(dir)
        }

        fn write(&self, file: &str, text: &str, second: u64) {
            let path = self.0.join(file);
            fs::write(&path, text).unwrap();
            let file = fs::File::options().append(true).open(&path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(second)).unwrap();
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn keys(source: &FileCredentials) -> Keys {
        match &*source.get().unwrap() {
            Credentials::Keys(keys) => keys.clone(),
            Credentials::User(user) => panic!("{user:?}"),
        }
    }

    #[test]
    fn files_are_read_again_when_they_change() {
        let dir = Folder::new("keys");
        let source = FileCredentials::new(&dir.0);
        assert!(matches!(source.get(), Err(CredentialsError::Unreadable { .. })));
        dir.write("access-key", "AK1\n", 1);
        dir.write("secret-key", " \n", 1);
        assert!(matches!(source.get(), Err(CredentialsError::Empty { .. })));
        dir.write("secret-key", "one\n", 2);
        assert_eq!(keys(&source).secret_key.expose_secret(), "one");
        dir.write("secret-key", "two", 3);
        assert_eq!(keys(&source).access_key, "AK1");
        assert_eq!(keys(&source).secret_key.expose_secret(), "two");
        // What is the same is the very same.
        assert!(Arc::ptr_eq(&source.get().unwrap(), &source.get().unwrap()));
    }

    #[test]
    fn a_token_may_come_and_go_while_the_process_runs() {
        let dir = Folder::new("token");
        dir.write("access-key", "AK1", 1);
        dir.write("secret-key", "one", 1);
        let source = FileCredentials::new(&dir.0);
        let shown = || keys(&source).security_token.map(|t| t.expose_secret().to_owned());
        assert_eq!(shown(), None);
        dir.write("security-token", "T1\n", 1);
        assert_eq!(shown().as_deref(), Some("T1"));
        dir.write("security-token", "T2", 2);
        assert_eq!(shown().as_deref(), Some("T2"));
        dir.write("security-token", "", 3);
        assert_eq!(shown(), None);
        let token = dir.0.join("security-token");
        fs::remove_file(&token).unwrap();
        assert_eq!(shown(), None);
        // There, and not to be read: no reason to go on without it.
        fs::create_dir(&token).unwrap();
        assert!(matches!(source.get(), Err(CredentialsError::Unreadable { .. })));
    }

    #[test]
    fn a_user_takes_the_place_of_keys_and_both_are_too_much() {
        let dir = Folder::new("user");
        let source = FileCredentials::new(&dir.0);
        dir.write("user", "robot\n", 1);
        dir.write("password", "hunter2\n", 1);
        assert!(source.get().unwrap_err().to_string().contains("domain"));
        dir.write("domain", "acme\n", 1);
        let user = |source: &FileCredentials| match &*source.get().unwrap() {
            Credentials::User(user) => user.clone(),
            Credentials::Keys(keys) => panic!("{keys:?}"),
        };
        assert_eq!((user(&source).name.as_str(), user(&source).domain.as_str()), ("robot", "acme"));
        assert!(user(&source).agency.is_none());
        dir.write("agency", "lb-operator", 1);
        assert!(source.get().unwrap_err().to_string().contains("agency-domain"));
        dir.write("agency-domain", "customer", 1);
        assert_eq!(user(&source).agency.map(|a| (a.name, a.domain)), Some(("lb-operator".into(), "customer".into())));
        dir.write("access-key", "AK1", 1);
        assert!(matches!(source.get(), Err(CredentialsError::Both { .. })));
    }
}

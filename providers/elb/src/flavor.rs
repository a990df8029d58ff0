//! Flavor names → ids, looked up when first needed and remembered for the life of the process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ferrolb_provider::{Detail, ProviderError};

use crate::client::Client;
use crate::client::elb::FlavorJson;
use crate::keys::closest;
use crate::spec::Flavor;

/// Ids by name.
#[derive(Debug, Default)]
pub(crate) struct Flavors {
    ids: Mutex<BTreeMap<String, String>>,
    /// Whether the cloud was asked and need not be asked again for the name of an id.
    is_asked: AtomicBool,
}

impl Flavors {
    /// The id of a flavor, `None` for none. One call where the name is not known yet.
    pub(crate) async fn id(&self, client: &Client, flavor: Option<&Flavor>) -> Result<Option<String>, ProviderError> {
        let name = match flavor {
            Some(Flavor::Name(name)) => name,
            Some(Flavor::Id(id)) => return Ok(Some(id.clone())),
            None => return Ok(None),
        };
        if let Some(id) = self.known(name) {
            return Ok(Some(id));
        }
        let all = self.ask(client).await?;
        if let Some(id) = self.known(name) {
            return Ok(Some(id));
        }
        let hint = match closest(name, all.iter().map(|f| f.name.as_str())) {
            Some(near) => format!(", did you mean {near}?"),
            None => String::new(),
        };
        Err(ProviderError::Refused(Detail {
            call: "flavors".into(),
            message: format!("there is no flavor {name} here{hint}"),
            ..Detail::default()
        }))
    }

    /// The name of a flavor, `None` where it cannot be found out: at most one answer of the cloud per process.
    pub(crate) async fn name(&self, client: &Client, id: Option<&str>) -> Option<String> {
        let id = id.filter(|id| !id.is_empty())?;
        let known = self.name_of(id);
        if known.is_some() || self.is_asked.load(Ordering::Relaxed) {
            return known;
        }
        match self.ask(client).await {
            Ok(_) => self.name_of(id),
            Err(ProviderError::Refused(_) | ProviderError::Denied(_) | ProviderError::NotFound(_)) => {
                self.is_asked.store(true, Ordering::Relaxed);
                None
            }
            Err(_) => None,
        }
    }

    async fn ask(&self, client: &Client) -> Result<Vec<FlavorJson>, ProviderError> {
        let all = client.flavors().await?;
        self.ids().extend(all.iter().map(|f| (f.name.clone(), f.id.clone())));
        self.is_asked.store(true, Ordering::Relaxed);
        Ok(all)
    }

    fn known(&self, name: &str) -> Option<String> {
        self.ids().get(name).cloned()
    }

    fn name_of(&self, id: &str) -> Option<String> {
        self.ids().iter().find(|(_, known)| *known == id).map(|(name, _)| name.clone())
    }

    fn ids(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

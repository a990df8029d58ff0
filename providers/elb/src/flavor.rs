//! Flavor names → ids, looked up when first needed and remembered for the life of the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ferrolb_provider::{Detail, ProviderError};

use crate::client::Client;
use crate::keys::closest;

/// Ids by name.
#[derive(Debug, Default)]
pub(crate) struct Flavors(Mutex<BTreeMap<String, String>>);

impl Flavors {
    /// The id of a flavor, `None` for no name. One call where the name is not known yet.
    pub(crate) async fn id(&self, client: &Client, name: Option<&str>) -> Result<Option<String>, ProviderError> {
        let Some(name) = name else {
            return Ok(None);
        };
        if let Some(id) = self.known(name) {
            return Ok(Some(id));
        }
        let all = client.flavors().await?;
        {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.extend(all.iter().map(|f| (f.name.clone(), f.id.clone())));
        }
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

    fn known(&self, name: &str) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(name).cloned()
    }
}

//! Lists, page by page.

use std::collections::BTreeSet;

use ferrolb_provider::ProviderError;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::send::{Call, Client, Effect, unreadable};

/// Objects asked for at once.
const LIMIT: usize = 500;

impl Client {
    /// All objects of a list call; `key` is the field of the answer that holds them.
    pub(super) async fn list<T: DeserializeOwned>(&self, call: Call, key: &str) -> Result<Vec<T>, ProviderError> {
        let mut all = Vec::new();
        let mut markers = BTreeSet::new();
        let mut marker = None;
        loop {
            let mut page = call.clone();
            page.query.push(("limit".into(), LIMIT.to_string()));
            if let Some(marker) = marker.take() {
                page.query.push(("marker".into(), marker));
            }
            let mut answer = self.send(page).await?;
            let next = answer.pointer("/page_info/next_marker").and_then(Value::as_str).unwrap_or_default().to_owned();
            all.extend(self.field::<Vec<T>>(&call, &mut answer, key)?);
            // A marker that comes twice would go round for ever.
            if next.is_empty() || !markers.insert(next.clone()) {
                return Ok(all);
            }
            marker = Some(next);
        }
    }

    /// One object: the field `key` of a call's answer.
    pub(super) async fn object<T: DeserializeOwned>(&self, call: Call, key: &str) -> Result<T, ProviderError> {
        let mut answer = self.send(call.clone()).await?;
        self.field(&call, &mut answer, key)
    }

    /// A call whose answer tells nothing.
    pub(super) async fn done(&self, call: Call) -> Result<(), ProviderError> {
        self.send(call).await.map(drop)
    }

    fn field<T: DeserializeOwned>(&self, call: &Call, answer: &mut Value, key: &str) -> Result<T, ProviderError> {
        let name = || format!("{} {}", call.method, call.path);
        let request = answer.get("request_id").and_then(Value::as_str);
        let request = request.map(str::to_owned);
        let effect: Effect = call.effect;
        match answer.get_mut(key) {
            Some(value) => serde_json::from_value(value.take())
                .map_err(|error| unreadable(effect, name(), &error.to_string(), request)),
            None => {
                let why = format!("there is no `{key}` in it");
                Err(unreadable(effect, name(), &why, request))
            }
        }
    }
}

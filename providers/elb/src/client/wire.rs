//! What all wire structs share.

use serde::{Deserialize, Deserializer};

/// A field that the cloud leaves out, sends as `null`, or sends.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// `{"id": …}`
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Reference {
    pub(crate) id: String,
}

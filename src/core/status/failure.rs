//! Failed calls as a reason and words that stay the same while the failure lasts.

use std::collections::BTreeSet;

use ferrolb_provider::{Failure, ProviderError};

use super::message::{Joined, short};
use crate::Reason;

/// The failure that most needs somebody, and what to say about all of its kind; `None` without failures.
///
/// Where trying again is all it takes, the object is not named: which call it hits differs from pass to pass.
pub(super) fn worst(failures: &[Failure]) -> Option<(Reason, String)> {
    let reason = failures.iter().map(|f| reason(&f.error)).min()?;
    let of_kind = failures.iter().filter(|f| self::reason(&f.error) == reason);
    let details: BTreeSet<String> = of_kind.map(|f| details(f, reason)).collect();
    Some((reason, details.joined("; ")))
}

/// In the order of how much it needs somebody: the order of the table.
fn reason(error: &ProviderError) -> Reason {
    match error {
        ProviderError::Refused(_) => Reason::CloudRefused,
        ProviderError::Denied(_) => Reason::CloudDenied,
        ProviderError::Throttled { .. } => Reason::CloudThrottled,
        // What vanished is made anew by the next pass.
        ProviderError::NotFound(_) | ProviderError::Unavailable(_) => Reason::CloudUnavailable,
        ProviderError::Ambiguous(_) => Reason::CloudAmbiguous,
    }
}

fn details(failure: &Failure, reason: Reason) -> String {
    let detail = failure.error.detail();
    let mut said = detail.message.clone();
    if let Some(id) = detail.request_id.as_deref().filter(|id| !id.is_empty()) {
        said = said.replace(id, "…");
    }
    let mut words = Vec::new();
    if matches!(reason, Reason::CloudRefused | Reason::CloudAmbiguous) {
        match &failure.slot {
            Some(slot) => words.push(slot.to_string()),
            None => words.push(detail.call.clone()),
        }
    }
    words.extend(detail.code.clone());
    // For these the code says it all, and the rest may count or date the tries.
    if reason != Reason::CloudThrottled || detail.code.is_none() {
        words.push(short(&said));
    }
    words.retain(|w| !w.is_empty());
    words.join(": ")
}

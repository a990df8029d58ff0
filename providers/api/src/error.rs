//! What can go wrong with a call, and what to do about it; and what can be wrong with the user's input.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// Why a call to the cloud failed. The variant decides the retry, so choose it by what the cloud's error *code*
/// means, not by its HTTP status.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProviderError {
    /// The cloud understood and said no, and will say no again until something is changed: quota, conflict, a
    /// value it does not take.
    #[error("{0}")]
    Refused(Detail),
    /// The object is not there.
    #[error("{0}")]
    NotFound(Detail),
    /// Too many calls.
    #[error("{detail}")]
    Throttled {
        /// The cloud's own hint.
        after: Option<Duration>,
        /// What it said.
        detail: Detail,
    },
    /// The call may or may not have taken effect, now or a little later: no answer, or one that does not tell.
    #[error("{0}")]
    Ambiguous(Detail),
    /// Credentials missing, wrong or without the right.
    #[error("{0}")]
    Denied(Detail),
    /// The cloud could not, and surely did not: try again.
    #[error("{0}")]
    Unavailable(Detail),
}

/// What a failed call said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// What was tried: method and path, or the operation's name.
    pub call: String,
    /// What the cloud answered, or what happened instead of an answer.
    pub message: String,
    /// The cloud's error code.
    pub code: Option<String>,
    /// The cloud's id of the request, for its support.
    pub request_id: Option<String>,
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.call)?;
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

/// How soon a retry makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum RetryClass {
    /// After the settle time.
    Ambiguous,
    /// After the cloud's hint, else soon with doubling delay.
    Throttled,
    /// Soon, with doubling delay.
    Unavailable,
    /// Late: only a change by somebody helps, and we may not hear of it.
    Refused,
    /// Late: credentials must change.
    Denied,
}

impl ProviderError {
    /// Its retry class.
    pub fn class(&self) -> RetryClass {
        match self {
            // A vanished object is made anew by the next pass.
            Self::NotFound(_) | Self::Unavailable(_) => RetryClass::Unavailable,
            Self::Refused(_) => RetryClass::Refused,
            Self::Throttled { .. } => RetryClass::Throttled,
            Self::Ambiguous(_) => RetryClass::Ambiguous,
            Self::Denied(_) => RetryClass::Denied,
        }
    }

    /// What the call said.
    pub fn detail(&self) -> &Detail {
        match self {
            Self::Refused(detail)
            | Self::NotFound(detail)
            | Self::Throttled { detail, .. }
            | Self::Ambiguous(detail)
            | Self::Denied(detail)
            | Self::Unavailable(detail) => detail,
        }
    }
}

/// Something wrong in the user's input: where, what, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The option (annotation key) or field.
    pub option: String,
    /// Where in its value: a JSON path or a position. Empty: the whole.
    pub at: String,
    /// What is wrong, with the offending value.
    pub message: String,
    /// What would be valid, or the nearest known name.
    pub valid: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.option)?;
        if !self.at.is_empty() {
            write!(f, " at {}", self.at)?;
        }
        write!(f, ": {}", self.message)?;
        if !self.valid.is_empty() {
            write!(f, "; {}", self.valid)?;
        }
        Ok(())
    }
}

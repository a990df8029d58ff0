//! A plan of faults: which calls go wrong, and how. Seeded, so a run can be repeated.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

/// What shall go wrong.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultPlan {
    /// Seed of the dice that `probability` throws.
    pub seed: u64,
    /// How far lists lag behind: younger objects are missing, deleted ones still there. Reads of one object are exact.
    pub list_lag_ms: u32,
    /// The first rule that fires decides; all rules count the calls they match.
    pub rules: Vec<Rule>,
}

/// One fault and the calls it hits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which calls; absent means every call.
    #[serde(rename = "match", default)]
    pub on: Match,
    /// What happens to them.
    pub fault: Fault,
    /// At most so many times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

/// Conditions on a call; all that are given must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    /// HTTP method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Part of the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_contains: Option<String>,
    /// Not reads.
    pub writes_only: bool,
    /// Only the n-th call (from 1) of those that pass the conditions above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// Only this share of those that pass the conditions above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Applied, but the connection closes without an answer.
    LostAnswer,
    /// No answer now (closed connection, or 504 if so wished); applied later.
    LateApply {
        /// When it is applied.
        delay_ms: u64,
        /// Answer 504 instead of closing the connection.
        #[serde(default)]
        gateway_timeout: bool,
    },
    /// 429 `APIGW.0308`; not applied.
    Throttle {
        /// Value of a Retry-After header. The real gateway sends none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_s: Option<u64>,
    },
    /// Any error answer; not applied.
    Status {
        /// HTTP status.
        http: u16,
        /// Error code.
        code: String,
        /// Error message.
        #[serde(default)]
        message: String,
    },
    /// The connection closes; not applied.
    Drop,
    /// Applied at once, answered late.
    Delay {
        /// How late.
        ms: u64,
    },
    /// Waits before it is applied, until released. Never applied if the client goes away or the hold is dropped.
    HoldBefore,
    /// Applied, then waits with the answer until released.
    HoldAfter,
}

impl Fault {
    /// The name a log shows.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LostAnswer => "lost_answer",
            Self::LateApply { .. } => "late_apply",
            Self::Throttle { .. } => "throttle",
            Self::Status { .. } => "status",
            Self::Drop => "drop",
            Self::Delay { .. } => "delay",
            Self::HoldBefore => "hold_before",
            Self::HoldAfter => "hold_after",
        }
    }
}

/// A plan at work.
pub struct Faults {
    plan: FaultPlan,
    counts: Vec<Count>,
    dice: StdRng,
}

/// What a rule has met so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Count {
    pub matched: u64,
    pub fired: u32,
}

impl Faults {
    pub fn new(plan: FaultPlan) -> Self {
        Self { counts: vec![Count::default(); plan.rules.len()], dice: StdRng::seed_from_u64(plan.seed), plan }
    }

    pub fn plan(&self) -> &FaultPlan {
        &self.plan
    }

    pub fn counts(&self) -> &[Count] {
        &self.counts
    }

    /// The fate of a call. Must be asked exactly once per call.
    pub fn decide(&mut self, method: &str, path: &str, is_write: bool) -> Option<Fault> {
        let mut decided = None;
        for (rule, count) in self.plan.rules.iter().zip(&mut self.counts) {
            let on = &rule.on;
            let applies = on.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
                && on.path_contains.as_ref().is_none_or(|part| path.contains(part.as_str()))
                && (is_write || !on.writes_only);
            if !applies {
                continue;
            }
            count.matched += 1;
            // The dice are thrown for every match, so that one rule does not change the luck of another.
            let lucky = on.probability.is_none_or(|p| self.dice.random_bool(p.clamp(0.0, 1.0)));
            let fires = lucky
                && on.nth.is_none_or(|nth| nth == count.matched)
                && rule.times.is_none_or(|times| count.fired < times);
            if fires && decided.is_none() {
                count.fired += 1;
                decided = Some(rule.fault.clone());
            }
        }
        decided
    }
}

#[cfg(test)]
mod tests;

//! What one run is made of: seed, length, faults and users. Everything in it follows from the seed and can be taken
//! away piece by piece, which is how a failing plan is shrunk.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use crate::dice::Dice;
use crate::faults::{API_CALLS, CLOUD_CALLS};

macro_rules! faults {
    ($($name:ident: $words:literal;)*) => {
        /// A kind of fault, numbered as in the project's fault list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $(#[doc = $words] $name,)*
        }

        impl Fault {
            /// All that the simulator knows.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its number.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// What it is.
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)*
                }
            }
        }
    };
}

faults! {
    F1: "API: connection reset before the call is applied";
    F2: "API: applied, answer lost";
    F3: "API: 500 or 503";
    F4: "API: 429 with Retry-After";
    F5: "API: 409 on a write";
    F6: "API: 422 from a webhook";
    F7: "API: answer after 7 to 60 s";
    F8: "API: answer cut off in the middle of its JSON";
    F9: "API server restarts";
    F10: "API: etcd stalls for 30 s";
    F11: "API server away for minutes";
    F12: "API: 401 for a while";
    F13: "API: 403 for a while";
    F14: "API: lists in small pages, continue tokens expire";
    F15: "watch: stream cut after 1 to 120 s";
    F16: "watch: 410 in the stream";
    F17: "watch: HTTP 410 at its start";
    F18: "watch: silent stream for 10 min";
    F19: "watch: events in between are lost to compaction";
    F20: "watch: one kind delayed by up to 60 s";
    F21: "watch: begun at a server that lags: refused with 504, or all of it late";
    F22: "watch: only bookmarks for a while, events held back";
    F23: "watch: events come twice";
    F24: "process: killed, also before or after any write";
    F25: "process: stopped for 1 to 60 s, then goes on";
    F26: "process: a second replica and rolling restarts";
    F27: "process: killed while many calls are under way";
    F28: "process: wall clock wrong by up to an hour";
    F29: "cloud: 5xx";
    F30: "cloud: applied at once or late, answer lost";
    F31: "cloud: 429 and quota";
    F32: "cloud: lists lag behind";
    F33: "cloud: objects edited or deleted by hand";
    F34: "cloud: lists in small pages, which change between two of them";
    F35: "cloud: addresses stay pending";
    F36: "cloud: a create is repeated on the way, and the answer says that it exists";
    F37: "cloud: 401 for a while";
    F38: "cloud and users: bodies nested 10,000 deep";
    F39: "users: delete and create under the same name";
    F40: "users: type flips";
    F41: "users: class and annotation flips";
    F43: "users: finalizer or annotation reverted every 5 s";
    F44: "users: many Services at once";
    F45: "users: a namespace is deleted";
}

/// What a soak is made of besides calls that fail: kills, and lists that lag.
const SOAK: [Fault; 2] = [Fault::F24, Fault::F32];
/// Time enough for any number of pairs.
const SOAK_MINUTES: u64 = 1 << 20;

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Seed of all randomness.
    pub seed: u64,
    /// Simulated minutes; half of them with faults and users.
    pub minutes: u64,
    /// What may go wrong.
    pub faults: BTreeSet<Fault>,
    /// Taken away on purpose.
    pub without: BTreeSet<Fault>,
    /// Services that users play with at a time.
    pub services: u64,
    /// Taken from the seed's number of Services.
    pub only_services: Option<u64>,
    /// Create/delete pairs of a soak.
    pub pairs: Option<u64>,
}

impl Plan {
    /// The plan of a seed: a random choice of faults, so that rare ones are not always drowned by the others.
    pub fn of(seed: u64, minutes: u64, without: BTreeSet<Fault>, only_services: Option<u64>) -> Self {
        let mut dice = Dice::new(seed, "plan");
        let share = [0.0, 0.2, 0.5, 0.8, 1.0][dice.below(5) as usize];
        // Each by its own dice, so that a new kind of fault does not change the worlds of all seeds.
        let is_drawn = |fault: &Fault| Dice::new(seed, &format!("plan {}", fault.name())).chance(share);
        let drawn: BTreeSet<Fault> = Fault::ALL.iter().copied().filter(is_drawn).collect();
        let services = 1 + dice.below(8);
        let faults = drawn.difference(&without).copied().collect();
        Self { seed, minutes, faults, without, services: only_services.unwrap_or(services), only_services, pairs: None }
    }

    /// A plan without faults and users.
    pub fn calm(seed: u64) -> Self {
        Self::of(seed, 60, Fault::ALL.iter().copied().collect(), Some(0))
    }

    /// The same seed as a soak.
    pub fn soak(mut self, pairs: u64) -> Self {
        let all = SOAK.iter().chain(API_CALLS).chain(CLOUD_CALLS).copied();
        self.faults = all.filter(|fault| !self.without.contains(fault)).collect();
        (self.pairs, self.minutes) = (Some(pairs), SOAK_MINUTES);
        self
    }

    /// A plan without any trouble.
    pub fn quiet(seed: u64) -> Self {
        Self::of(seed, 60, Fault::ALL.iter().copied().collect(), Some(1))
    }

    /// How long there is trouble.
    pub fn chaos(&self) -> Duration {
        Duration::from_secs(self.minutes * 30)
    }

    /// How long it lasts.
    pub fn length(&self) -> Duration {
        Duration::from_secs(self.minutes * 60)
    }

    /// The arguments that make it again.
    pub fn arguments(&self) -> String {
        let mut text = format!("--seed {}", self.seed);
        if let Some(pairs) = self.pairs {
            // Writing to a String cannot fail.
            let _ = write!(text, " --pairs {pairs}");
        } else if self.minutes != 60 {
            let _ = write!(text, " --minutes {}", self.minutes);
        }
        if !self.without.is_empty() {
            let names: Vec<&str> = self.without.iter().map(|f| f.name()).collect();
            let _ = write!(text, " --without {}", names.join(","));
        }
        if let Some(services) = self.only_services {
            let _ = write!(text, " --services {services}");
        }
        text
    }
}

impl std::str::FromStr for Fault {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().copied().find(|f| f.name().eq_ignore_ascii_case(name));
        known.ok_or_else(|| format!("there is no fault {name:?}"))
    }
}

//! A row of the proof: one Service, the values that its key takes one after the other, and what must come of each.
//!
//! ```text
//!  key("kubernetes.io/elb.cps").dedicated("TCP:80")        the Service it is tried on
//!      .valid("100", sees("listener/cps", 100))            a value, and what the cloud then has
//!      .edge("1000000", sees("listener/cps", 1_000_000))
//!      .invalid("1000001", refused(&["1000001"]))          a condition says so, and nothing changed
//!      .removed(sees("listener/cps", 1_000_000))           kept, as the page promises
//! ```
//!
//! Paths begin at the first port of the Service: `listener`, `pool`, `monitor`, `members`, `rule`; at another one with
//! its name, `UDP:53/listener`; or at `balancer`, `eip`, `service`, `ours`. In values and in what is expected
//! `{certificate:a}` is the id of an object of the user's, which is made before the proof begins (see `world.rs`).

use serde_json::{Value, json};

const CLASS: &str = "kubernetes.io/elb.class";
const AUTOCREATE: &str = "kubernetes.io/elb.autocreate";
const ID: &str = "kubernetes.io/elb.id";
const GATEWAY: &str = "kubernetes.io/natgateway.id";
const DEDICATED: &str = r#"{"type":"inner","available_zone":["mock-1a"],"l4_flavor_name":"L4_flavor.elb.s1.small","l7_flavor_name":"L7_flavor.elb.s1.small"}"#;

/// One Service and what is done to it.
#[derive(Debug, Clone)]
pub struct Case {
    /// The key in question.
    pub key: String,
    /// Its ports: `TCP:80,UDP:53`.
    pub ports: &'static str,
    /// Annotations that it has from the beginning, and that stay.
    pub beside: Vec<(&'static str, &'static str)>,
    /// What its spec has besides.
    pub spec: Value,
    /// What is done, in order; the first creates it.
    pub steps: Vec<Step>,
}

/// One value, or none.
#[derive(Debug, Clone)]
pub struct Step {
    /// What is tried.
    pub kind: Kind,
    /// The key's value; `None`: it has none (any more).
    pub value: Option<String>,
    /// What comes of it.
    pub expect: Expect,
}

/// What a step tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What people write.
    Valid,
    /// What is just right, or right in another way.
    Edge,
    /// What is wrong, or cannot be had.
    Invalid,
    /// The key goes.
    Removed,
}

impl Told {
    /// The words that must stand there.
    pub fn words(&self) -> &[String] {
        match self {
            Self::Nothing => &[],
            Self::Warned(words) | Self::Refused(words) | Self::Unmet(words) | Self::Unready(words) => words,
        }
    }
}

/// What must be true after a step.
#[derive(Debug, Clone, Default)]
pub struct Expect {
    /// Paths and what is found there; of an object the named fields count, and null is as good as missing.
    pub facts: Vec<(&'static str, Value)>,
    /// What the user is told.
    pub told: Told,
}

/// What the user is told.
#[derive(Debug, Clone, Default)]
pub enum Told {
    /// Nothing: it works.
    #[default]
    Nothing,
    /// It works, and these words stand in a warning.
    Warned(Vec<String>),
    /// These words say what to correct, and nothing of the Service's has changed in the cloud.
    Refused(Vec<String>),
    /// These words say what differs from the cloud and cannot be changed there, and nothing has changed.
    Unmet(Vec<String>),
    /// These words are the cloud's, in the condition Ready.
    Unready(Vec<String>),
}

/// A Service to try `key` on; what load balancer it is to have is said next.
pub fn key(key: &str) -> Case {
    let key = key.to_owned();
    Case { key, ports: "TCP:80", beside: Vec::new(), spec: json!({}), steps: Vec::new() }
}

/// A path and what must be there.
pub fn sees(path: &'static str, value: impl Into<Value>) -> Expect {
    Expect::default().sees(path, value)
}

/// A warning with these words.
pub fn warned(words: &[&str]) -> Expect {
    Expect { told: Told::Warned(owned(words)), ..Expect::default() }
}

/// A refusal with these words.
pub fn refused(words: &[&str]) -> Expect {
    Expect { told: Told::Refused(owned(words)), ..Expect::default() }
}

/// The cloud refuses it with these words.
pub fn unready(words: &[&str]) -> Expect {
    Expect { told: Told::Unready(owned(words)), ..Expect::default() }
}

/// A wish that the cloud's objects cannot be changed to; the words are about these.
pub fn unmet(words: &[&str]) -> Expect {
    Expect { told: Told::Unmet(owned(words)), ..Expect::default() }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

impl Expect {
    /// One path more.
    pub fn sees(mut self, path: &'static str, value: impl Into<Value>) -> Self {
        self.facts.push((path, value.into()));
        self
    }

    /// And a warning with these words.
    pub fn warned(mut self, words: &[&str]) -> Self {
        self.told = Told::Warned(owned(words));
        self
    }
}

impl Case {
    /// On a shared load balancer of its own.
    pub fn shared(self, ports: &'static str) -> Self {
        self.ports(ports).beside(CLASS, "union").beside(AUTOCREATE, r#"{"type":"inner"}"#)
    }

    /// On a dedicated load balancer of its own, for TCP, UDP and HTTP.
    pub fn dedicated(self, ports: &'static str) -> Self {
        self.ports(ports).beside(CLASS, "performance").beside(AUTOCREATE, DEDICATED)
    }

    /// On a load balancer of the user's, such as `{shared:name}`.
    pub fn on(self, balancer: &'static str, ports: &'static str) -> Self {
        self.ports(ports).beside(ID, balancer)
    }

    /// On the NAT gateway.
    pub fn dnat(self, ports: &'static str) -> Self {
        self.ports(ports).beside(CLASS, "dnat").beside(GATEWAY, "{gateway:one}")
    }

    /// With these ports, and nothing said of a load balancer.
    pub fn ports(mut self, ports: &'static str) -> Self {
        self.ports = ports;
        self
    }

    /// With a further annotation, or another value of one.
    pub fn beside(mut self, key: &'static str, value: &'static str) -> Self {
        self.beside.retain(|(known, _)| *known != key);
        self.beside.push((key, value));
        self
    }

    /// With a field of its spec.
    pub fn spec(mut self, field: &'static str, value: impl Into<Value>) -> Self {
        self.spec[field] = value.into();
        self
    }

    /// What people write.
    pub fn valid(self, value: &str, expect: Expect) -> Self {
        self.step(Kind::Valid, Some(value), expect)
    }

    /// What is just right, or right in another way.
    pub fn edge(self, value: &str, expect: Expect) -> Self {
        self.step(Kind::Edge, Some(value), expect)
    }

    /// What is wrong, or cannot be had.
    pub fn invalid(self, value: &str, expect: Expect) -> Self {
        self.step(Kind::Invalid, Some(value), expect)
    }

    /// The key goes.
    pub fn removed(self, expect: Expect) -> Self {
        self.step(Kind::Removed, None, expect)
    }

    /// Without the key from the beginning.
    pub fn without(self, expect: Expect) -> Self {
        self.step(Kind::Edge, None, expect)
    }

    fn step(mut self, kind: Kind, value: Option<&str>, expect: Expect) -> Self {
        self.steps.push(Step { kind, value: value.map(str::to_owned), expect });
        self
    }
}

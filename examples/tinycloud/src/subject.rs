//! What the conformance kit is told about the two.

use std::time::Duration;

use ferrolb_provider::conformance::{Budgets, Call, Calls, Cloud, Facts, Fault, Object, Subject};
use ferrolb_provider::{Desired, Owner};
use serde_json::json;

use crate::provider::{Mark, TinyProvider};
use crate::server::{Request, TinyCloud};

/// How far from the ports of a Service those of a stranger are.
const FOREIGN: u16 = 10_000;

/// The example provider on its cloud.
pub struct TinySubject {
    http: reqwest::Client,
}

impl Default for TinySubject {
    fn default() -> Self {
        // reqwest wants a provider of cryptography even where nothing is encrypted; a second call is refused.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { http: reqwest::Client::new() }
    }
}

impl TinySubject {
    /// The HTTP client that all providers share.
    pub fn http(&self) -> reqwest::Client {
        self.http.clone()
    }
}

/// One cloud and who talks to it.
pub struct TinyWorld {
    /// The cloud.
    pub cloud: TinyCloud,
    http: reqwest::Client,
}

impl Subject for TinySubject {
    type Cloud = TinyWorld;

    fn facts(&self) -> Facts {
        let calls = |reads, writes| Calls { reads, writes };
        Facts {
            // More than 6 s for a late call and 3 s for a list that lags.
            settle: Duration::from_secs(10),
            faults: vec![Fault::Before, Fault::After, Fault::Late, Fault::Throttle],
            list_lag: true,
            age_resolution: Duration::ZERO,
            direct: true,
            concurrency: 4,
            // One list of each kind; the balancer, and its rule.
            budgets: Some(Budgets {
                create: calls(2, 2),
                steady: calls(2, 0),
                add_backend: calls(2, 1),
                release: calls(2, 2),
            }),
        }
    }

    async fn empty_cloud(&self) -> TinyWorld {
        TinyWorld { cloud: TinyCloud::start().await.expect("a free port"), http: self.http() }
    }

    fn wrong(&self, sample: &Desired) -> Vec<Desired> {
        let mut size = sample.clone();
        size.options.insert("tinycloud.example/size".to_owned(), "huge".to_owned());
        let mut protocol = sample.clone();
        protocol.ports[0].protocol = ferrolb_provider::Protocol::Sctp;
        vec![size, protocol]
    }

    fn adopting(&self, sample: &Desired, id: &str) -> Option<Desired> {
        let mut want = sample.clone();
        want.options.insert("tinycloud.example/balancer".to_owned(), id.to_owned());
        Some(want)
    }

    fn clashing(&self, sample: &Desired, id: &str) -> Option<Desired> {
        let mut want = self.adopting(sample, id)?;
        want.ports[0].port += FOREIGN;
        Some(want)
    }
}

impl Cloud for TinyWorld {
    type Provider = TinyProvider;

    fn provider(&self) -> TinyProvider {
        TinyProvider::new(&self.cloud.url, self.http.clone())
    }

    fn now(&self) -> Duration {
        self.cloud.state().now
    }

    async fn pause(&self, time: Duration) {
        self.cloud.state().pass(time);
    }

    async fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.cloud.state().calls)
    }

    async fn objects(&self, owner: &Owner) -> Vec<Object> {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let object = |value: &serde_json::Value| Object {
            kind: text(&value["kind"]),
            id: text(&value["id"]),
            ours: Mark::is_of(&text(&value["mark"]), owner),
            content: value.to_string(),
        };
        self.cloud.state().objects().map(object).collect()
    }

    async fn set_fault(&self, fault: Option<(usize, Fault)>) {
        self.cloud.state().fault = fault;
    }

    async fn set_lag(&self, on: bool) {
        self.cloud.state().lag = if on { Duration::from_secs(3) } else { Duration::ZERO };
    }

    async fn add_foreign(&self, like: &Desired) -> Option<String> {
        let mut state = self.cloud.state();
        let mut post = |path: &str, body| state.answer(&Request { method: "POST".into(), path: path.into(), body }).1;
        let balancer = post("balancer", json!({ "size": "small", "mark": "accounting, do not touch" }));
        for port in &like.ports {
            // Somewhere else than any sample's, for the user lends this balancer.
            let (protocol, port) = (port.protocol, port.port + FOREIGN);
            let rule =
                json!({ "balancer": balancer["id"], "protocol": protocol, "port": port, "targets": [], "mark": "" });
            post("rule", rule);
        }
        balancer["id"].as_str().map(str::to_owned)
    }
}

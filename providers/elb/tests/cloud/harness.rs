//! A cloud, an engine, and a Service that can be changed.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ferrolb_elb::{Credentials, Elb, ElbConfig, HttpTransport, Limits, StaticCredentials, SystemClock, Transport};
use ferrolb_mock::{
    ACCESS_KEY, Config, Handle, NODE_SUBNET_NEUTRON_ID, PROJECT_ID, SECRET_KEY, VIP_SUBNET_ID, VIP_SUBNET_NEUTRON_ID,
    VPC_ID, start,
};
use ferrolb_provider::{
    Backend, BackendKind, Desired, Engine, Family, Host, Outcome, Owner, Port, Protocol, TrafficPolicy,
};
use serde_json::{Value, json};

pub const CLASS: &str = "kubernetes.io/elb.class";
pub const ID: &str = "kubernetes.io/elb.id";
pub const ALLOW: (&str, &str) = (ferrolb_provider::ALLOW_INTERRUPTION, "true");
pub const AUTOCREATE: &str = "kubernetes.io/elb.autocreate";

pub const CCE_EXAMPLE: &str = r#"{"type":"public","bandwidth_name":"cce-bandwidth","bandwidth_chargemode":"bandwidth","bandwidth_size":5,"bandwidth_sharetype":"PER","eip_type":"5_bgp","name":"james"}"#;

/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Clock(Instant);

impl Host for Clock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
    fn may_write(&self) -> bool {
        true
    }
}

pub struct World {
    pub cloud: Handle,
    pub engine: Engine<Elb>,
    pub clock: Clock,
    pub http: reqwest::Client,
    settle: Duration,
    /// What a new process uses.
    provider: fn(&Handle) -> Elb,
}

pub fn provider(cloud: &Handle) -> Elb {
    provider_over(cloud, Arc::new(HttpTransport::new(HttpTransport::builder().build().unwrap())))
}

/// One that knows the NAT service, too.
fn provider_with_nat(cloud: &Handle) -> Elb {
    let config = ElbConfig { nat_endpoint: Some(cloud.endpoint()), ..config(cloud) };
    provider_of(config, Arc::new(HttpTransport::new(HttpTransport::builder().build().unwrap())))
}

/// The same over a network that may do something to the calls.
pub fn provider_over(cloud: &Handle, transport: Arc<dyn Transport>) -> Elb {
    provider_of(config(cloud), transport)
}

fn provider_of(config: ElbConfig, transport: Arc<dyn Transport>) -> Elb {
    Elb::new(
        config,
        transport,
        Arc::new(StaticCredentials::new(ACCESS_KEY, SECRET_KEY)),
        Arc::new(SystemClock::default()),
    )
}

fn config(cloud: &Handle) -> ElbConfig {
    let mut config = ElbConfig::new(cloud.endpoint(), PROJECT_ID, VPC_ID, VIP_SUBNET_NEUTRON_ID);
    config.member_subnet_id = NODE_SUBNET_NEUTRON_ID.into();
    config.pod_subnet_id = Some(NODE_SUBNET_NEUTRON_ID.into());
    config.network_ids = vec![VIP_SUBNET_ID.into()];
    config.deadline = Duration::from_secs(2);
    config.limits = Limits { per_second: 10_000.0, burst: 10_000.0 };
    config
}

impl World {
    pub async fn new() -> Self {
        Self::with(Config::default(), Duration::from_millis(50)).await
    }

    pub async fn with(config: Config, settle: Duration) -> Self {
        // reqwest wants a provider of cryptography even where nothing is encrypted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let cloud = start(config).await.unwrap();
        let engine = Engine::new(provider(&cloud), settle, Duration::ZERO);
        Self { cloud, engine, clock: Clock(Instant::now()), http: reqwest::Client::new(), settle, provider }
    }

    /// One whose provider reaches the cloud over `transport`.
    pub async fn over(transport: Arc<dyn Transport>) -> Self {
        let mut world = Self::new().await;
        let provider = provider_over(&world.cloud, transport);
        world.engine = Engine::new(provider, world.settle, Duration::ZERO);
        world
    }

    /// One whose provider knows the NAT service, too.
    pub async fn with_nat(config: Config) -> Self {
        let mut world = Self::with(config, Duration::from_millis(50)).await;
        world.provider = provider_with_nat;
        world.engine = Engine::new(provider_with_nat(&world.cloud), world.settle, Duration::ZERO);
        world
    }

    /// One whose provider signs in with these credentials.
    pub async fn signed_in(config: Config, credentials: Credentials) -> Self {
        let mut world = Self::with(config, Duration::from_millis(50)).await;
        let transport = Arc::new(HttpTransport::new(HttpTransport::builder().build().unwrap()));
        let config = ElbConfig { iam_endpoint: Some(world.cloud.endpoint()), ..self::config(&world.cloud) };
        let credentials = Arc::new(StaticCredentials::from(credentials));
        let provider = Elb::new(config, transport, credentials, Arc::new(SystemClock::default()));
        world.engine = Engine::new(provider, world.settle, Duration::ZERO);
        world
    }

    /// A new process: nothing is remembered.
    pub fn restart(&mut self) {
        let began = self.clock.now();
        self.engine = Engine::new((self.provider)(&self.cloud), self.settle, began);
    }

    pub async fn pass(&self, want: &Desired) -> Outcome {
        self.engine.reconcile(want, &self.clock).await
    }

    /// Passes until everything is as wished and known to be.
    pub async fn converge(&self, want: &Desired) -> Outcome {
        let begin = Instant::now();
        loop {
            let outcome = self.pass(want).await;
            if outcome.settled && outcome.look_again.is_none() {
                return outcome;
            }
            assert!(begin.elapsed() < PATIENCE, "does not settle: {outcome:#?}");
            self.rest(&outcome).await;
        }
    }

    /// Passes until nothing is to be waited for but others.
    pub async fn converge_or_conflict(&self, want: &Desired) -> Outcome {
        let begin = Instant::now();
        loop {
            let outcome = self.pass(want).await;
            if outcome.waits.is_empty() && outcome.failures.is_empty() && outcome.look_again.is_none() {
                return outcome;
            }
            assert!(begin.elapsed() < PATIENCE, "does not come to rest: {outcome:#?}");
            self.rest(&outcome).await;
        }
    }

    /// Passes until nothing is left.
    pub async fn release(&self, owner: &Owner) {
        let begin = Instant::now();
        loop {
            let outcome = self.engine.release(owner, &self.clock).await;
            if outcome.settled {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "does not go: {outcome:#?}");
            self.rest(&outcome).await;
        }
    }

    /// Until the moment that the engine names, if it names one.
    async fn rest(&self, outcome: &Outcome) {
        let until = outcome.waits.iter().filter_map(|w| w.until).chain(outcome.look_again).min();
        let wait = until.map_or(Duration::ZERO, |u| u.saturating_sub(self.clock.now()));
        tokio::time::sleep(wait.max(Duration::from_millis(20))).await;
    }

    /// How many objects of each kind there are: balancers, EIPs, listeners, pools, members, monitors.
    pub fn counts(&self) -> [u64; 6] {
        let counts = &self.cloud.ledger()["counts"];
        ["loadbalancers", "eips", "listeners", "pools", "members", "healthmonitors"]
            .map(|kind| counts[kind].as_u64().unwrap())
    }

    /// Calls since the last question: reads and writes.
    pub fn calls(&self) -> (u64, u64) {
        let totals = self.cloud.calls()["totals"].clone();
        self.cloud.reset_calls();
        (totals["reads"].as_u64().unwrap(), totals["writes"].as_u64().unwrap())
    }

    /// An unsigned call that nothing counts: the hand of somebody else.
    pub async fn by_hand(&self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("{}/_ferrolb/raw/{}", self.cloud.endpoint(), path.replace("PID", PROJECT_ID));
        let mut request = self.http.request(method.parse().unwrap(), url);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{method} {path}: {}", answer.text().await.unwrap());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default()
    }

    /// A dedicated load balancer of somebody else, with a listener and an EIP of theirs. Its id.
    pub async fn foreign(&self) -> String {
        let lb = self.by_hand(
            "POST",
            "v3/PID/elb/loadbalancers",
            json!({"loadbalancer": {
                "name": "theirs", "vpc_id": VPC_ID, "vip_subnet_cidr_id": VIP_SUBNET_NEUTRON_ID,
                "availability_zone_list": ["mock-1a"], "description": "production, do not touch",
                "publicip": {"network_type": "5_bgp", "bandwidth": {
                    "name": "theirs", "size": 5, "charge_mode": "traffic", "share_type": "PER"}}
            }}),
        );
        let id = lb.await["loadbalancer"]["id"].as_str().unwrap().to_owned();
        let listener = json!({"listener": {
            "loadbalancer_id": id, "protocol": "TCP", "protocol_port": 8443, "name": "theirs"
        }});
        self.by_hand("POST", "v3/PID/elb/listeners", listener).await;
        id
    }
}

pub fn owner() -> Owner {
    Owner {
        cluster: "11111111-1111-4111-8111-111111111111".into(),
        uid: "22222222-2222-4222-8222-222222222222".into(),
        namespace: "default".into(),
        name: "nginx".into(),
    }
}

pub fn backend(last: u8, node_port: u16) -> Backend {
    Backend {
        name: format!("node-{last}"),
        kind: BackendKind::Node,
        address: IpAddr::V4(Ipv4Addr::new(172, 16, 0, last)),
        port: node_port,
        weight: None,
        ready: true,
        serving: true,
        terminating: false,
    }
}

pub fn port(protocol: Protocol, port: u16, nodes: &[u8]) -> Port {
    Port {
        name: format!("{protocol}-{port}").to_lowercase(),
        protocol,
        port,
        direct: false,
        backends: nodes.iter().map(|n| backend(*n, 30000 + port)).collect(),
    }
}

/// The Service of the vendor's example, on three nodes.
pub fn service(options: &[(&str, &str)]) -> Desired {
    Desired {
        owner: owner(),
        families: vec![Family::V4],
        addresses: vec![],
        published: vec![],
        ports: vec![port(Protocol::Tcp, 80, &[1, 2, 3])],
        traffic_policy: TrafficPolicy::Cluster,
        health_check_node_port: None,
        source_ranges: vec![],
        affinity_seconds: None,
        options: options.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect::<BTreeMap<_, _>>(),
    }
}

pub fn union() -> Desired {
    service(&[(CLASS, "union"), (AUTOCREATE, CCE_EXAMPLE)])
}

pub fn performance() -> Desired {
    let autocreate =
        CCE_EXAMPLE.replace('}', r#","available_zone":["mock-1a"],"l4_flavor_name":"L4_flavor.elb.s1.small"}"#);
    service(&[(CLASS, "performance"), (AUTOCREATE, &autocreate)])
}

pub fn addresses(outcome: &Outcome) -> Vec<String> {
    let serving = outcome.serving.iter();
    serving.flat_map(|s| &s.addresses).map(|a| a.ip.to_string()).collect()
}

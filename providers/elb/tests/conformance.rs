//! The conformance kit on the mock cloud, without sockets and in virtual time: every fault at every call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferrolb_elb::{
    Clock, Elb, ElbConfig, Limits, Method, Request, Response, StaticCredentials, Transport, TransportError, mark,
};
use ferrolb_mock::{
    ACCESS_KEY, NAT_GATEWAY_ID, NODE_SUBNET_NEUTRON_ID, PROJECT_ID, SECRET_KEY, VIP_SUBNET_NEUTRON_ID, VPC_ID,
};
use ferrolb_provider::conformance::{self, Budgets, Call, Calls, Cloud, Facts, Fault, Object, Subject, Verdict};
use ferrolb_provider::{BoxFuture, Desired, Owner};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

const CLASS: &str = "kubernetes.io/elb.class";
const ID: &str = "kubernetes.io/elb.id";
const AUTOCREATE: &str = "kubernetes.io/elb.autocreate";
const EIP_AUTO_CREATE_OPTION: &str = "kubernetes.io/elb.eip-auto-create-option";

/// How long after a call was given up it may still be applied.
const LATE: Duration = Duration::from_secs(6);
/// How far lists lag behind.
const LAG: Duration = Duration::from_secs(3);
/// How far from the ports of a Service those of a stranger are.
const FOREIGN: u16 = 10_000;

#[tokio::test(start_paused = true)]
async fn shared_load_balancers() {
    conforms("union").await;
}

#[tokio::test(start_paused = true)]
async fn dedicated_load_balancers() {
    conforms("performance").await;
}

#[tokio::test(start_paused = true)]
async fn rules_of_a_nat_gateway() {
    conforms("dnat").await;
}

async fn conforms(class: &'static str) {
    let report = conformance::run(&ElbSubject { class, lies: false }).await;
    println!("{class}\n{report}");
    assert!(report.all_passed(), "{class}\n{report}");
    assert_eq!(report.count(Verdict::NotChecked), 0, "{class}\n{report}");
}

/// A late effect that passes for none is what the protocol cannot bear, so the kit must see it here too.
#[tokio::test(start_paused = true)]
async fn a_network_that_says_not_sent_and_sends_later_is_found() {
    let report = conformance::run_to_first_failure(&ElbSubject { class: "union", lies: true }).await;
    assert_eq!(report.failed(), ["creation: applied late"], "{report}");
}

struct ElbSubject {
    class: &'static str,
    /// See [`State::lies`].
    lies: bool,
}

impl Subject for ElbSubject {
    type Cloud = World;

    fn facts(&self) -> Facts {
        let calls = |reads, writes| Calls { reads, writes };
        Facts {
            settle: Duration::from_secs(10),
            faults: vec![Fault::Before, Fault::After, Fault::Late, Fault::Throttle],
            list_lag: true,
            // `created_at` has seconds.
            age_resolution: Duration::from_secs(2),
            // The others send it to nodes only.
            direct: self.class == "performance",
            concurrency: 1,
            budgets: Some(if self.class == "dnat" {
                BUDGETS_OF_DNAT
            } else {
                Budgets {
                    // All is made in one pass; that the EIP is ready, a second one sees. A dedicated one needs the id of
                    // its flavor, once per process.
                    // Only performance has source ranges, and with them a group of its own that each list asks for; of
                    // a shared one it is asked once whether there is one, and when it goes. So it is for EIPs of the user's.
                    create: if self.class == "union" { calls(12, 6) } else { calls(14, 7) },
                    steady: calls(if self.class == "union" { 6 } else { 7 }, 0),
                    add_backend: calls(if self.class == "union" { 6 } else { 7 }, 1),
                    release: calls(7, if self.class == "union" { 6 } else { 7 }),
                }
            }),
        }
    }

    async fn empty_cloud(&self) -> World {
        World::new(self.lies, self.class)
    }

    fn fit(&self, mut sample: Desired) -> Desired {
        if self.class == "dnat" {
            sample.options.extend(dnat(EIP_AUTO_CREATE_OPTION, r#"{"ip_type":"5_bgp","bandwidth_size":5}"#));
            return sample;
        }
        let mut autocreate = json!({
            "type": "public", "name": "web", "eip_type": "5_bgp", "bandwidth_name": "web",
            "bandwidth_chargemode": "bandwidth", "bandwidth_size": 5, "bandwidth_sharetype": "PER",
        });
        if self.class == "performance" {
            autocreate["available_zone"] = json!(["mock-1a"]);
            autocreate["l4_flavor_name"] = json!("L4_flavor.elb.s1.small");
            sample.source_ranges = "10.0.0.0/8".parse().into_iter().collect();
        }
        sample.options.insert(CLASS.to_owned(), self.class.to_owned());
        sample.options.insert(AUTOCREATE.to_owned(), autocreate.to_string());
        sample
    }

    fn wrong(&self, sample: &Desired) -> Vec<Desired> {
        let with = |key: &str, value: &str| {
            let mut want = sample.clone();
            want.options.insert(key.to_owned(), value.to_owned());
            want
        };
        if self.class == "dnat" {
            return vec![
                with(EIP_AUTO_CREATE_OPTION, r#"{"ip_type":"5_bgp""#),
                with(EIP_AUTO_CREATE_OPTION, r#"{"ip_type":"5_bgp","bandwidth_size":"much"}"#),
                with("kubernetes.io/natgateway.id", ""),
                with("ferrolb.io/ip-mode", "Both"),
            ];
        }
        vec![
            with(AUTOCREATE, r#"{"type":"public","#),
            with(AUTOCREATE, r#"{"type":"public","bandwidth_size":"much"}"#),
            with(CLASS, "huge"),
            with("kubernetes.io/elb.lb-algorithm", "BEST"),
        ]
    }

    fn adopting(&self, sample: &Desired, id: &str) -> Option<Desired> {
        let options = match self.class {
            "dnat" => dnat("kubernetes.io/elb.eip-id", id).into(),
            _ => [(ID.to_owned(), id.to_owned())].into(),
        };
        Some(Desired { options, ..sample.clone() })
    }

    fn clashing(&self, sample: &Desired, id: &str) -> Option<Desired> {
        let mut want = self.adopting(sample, id)?;
        want.ports[0].port += FOREIGN;
        Some(want)
    }
}

/// The calls of class `dnat`: two passes until the EIP is ready; each rule that is made or repointed asks for the
/// network interface of its node.
const BUDGETS_OF_DNAT: Budgets = Budgets {
    create: Calls { reads: 15, writes: 2 },
    steady: Calls { reads: 7, writes: 0 },
    add_backend: Calls { reads: 7, writes: 0 },
    release: Calls { reads: 7, writes: 2 },
};

/// The options of class `dnat`.
fn dnat(eip: &str, value: &str) -> [(String, String); 3] {
    [(CLASS, "dnat"), ("kubernetes.io/natgateway.id", NAT_GATEWAY_ID), (eip, value)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
}

/// A cloud, its time, and the network to it.
#[derive(Clone)]
struct World(Arc<Mutex<State>>);

struct State {
    began: Instant,
    cloud: ferrolb_mock::Cloud,
    calls: Vec<Call>,
    fault: Option<(usize, Fault)>,
    /// Given up and still under way, since when.
    late: Vec<(Duration, Request)>,
    /// Says of what is late that it was never sent.
    lies: bool,
    class: &'static str,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    fn new(lies: bool, class: &'static str) -> Self {
        let began = Instant::now();
        let clock = ferrolb_mock::Clock(Arc::new(move || utc(began.elapsed())));
        let config = ferrolb_mock::Config { clock, ..ferrolb_mock::Config::default() };
        let cloud = ferrolb_mock::Cloud::new(&config).expect("no state file, no error");
        let state = State { began, cloud, calls: Vec::new(), fault: None, late: Vec::new(), lies, class };
        Self(Arc::new(Mutex::new(state)))
    }
}

fn utc(now: Duration) -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("a year that there is") + now
}

impl State {
    /// A request that arrives at the cloud.
    fn arrive(&self, request: &Request) -> Response {
        let path = request.url.strip_prefix("http://mock").unwrap_or(&request.url);
        let answer = self.cloud.call(request.method.as_str(), path, &request.body);
        let body = answer.body.map(|b| b.to_string().into_bytes()).unwrap_or_default();
        Response { status: answer.status, headers: Vec::new(), body }
    }

    /// A call past the network: the hand of somebody else.
    fn by_hand(&self, path: &str, body: &Value) -> Value {
        self.post(&format!("/v3/{PROJECT_ID}/elb/{path}"), body)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.cloud.call("POST", path, body.to_string().as_bytes());
        assert!(answer.status < 300, "{path}: {answer:?}");
        answer.body.unwrap_or_default()
    }

    /// An EIP of somebody else, and their rules on it.
    fn foreign_rules(&self, like: &Desired) -> Option<String> {
        let eip = self.post(
            &format!("/v1/{PROJECT_ID}/publicips"),
            &json!({"publicip": {"type": "5_bgp", "alias": "theirs"},
                "bandwidth": {"name": "web", "size": 5, "share_type": "PER"}}),
        );
        let id = eip["publicip"]["id"].as_str()?.to_owned();
        let nic = self.cloud.call("GET", "/v2.0/ports?fixed_ips=ip_address%3D172.16.0.200", b"").body?;
        for port in &like.ports {
            // On other ports, for the user lends this EIP.
            let rule = json!({"dnat_rule": {
                "nat_gateway_id": NAT_GATEWAY_ID, "floating_ip_id": id, "port_id": nic["ports"][0]["id"],
                "protocol": port.protocol.to_string(), "external_service_port": port.port + FOREIGN,
                "internal_service_port": port.port + 1, "description": r#"{"cluster":"another"}"#
            }});
            self.post(&format!("/v2/{PROJECT_ID}/dnat_rules"), &rule);
        }
        Some(id)
    }
}

impl Transport for World {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let mut state = lock(&self.0);
        let path = request.url.split('?').next().unwrap_or_default().trim_start_matches("http://mock");
        let name = format!("{} {}", request.method, path.replace(PROJECT_ID, "PROJECT"));
        state.calls.push(Call { name, write: request.method != Method::Get });
        let fault = match state.fault.take() {
            Some((1, fault)) => Some(fault),
            later => {
                state.fault = later.map(|(n, fault)| (n - 1, fault));
                None
            }
        };
        let lost = || Err(TransportError::Lost("connection closed".to_owned()));
        let answer = match fault {
            None => Ok(state.arrive(&request)),
            Some(Fault::Before) => lost(),
            Some(Fault::After) => {
                state.arrive(&request);
                lost()
            }
            Some(Fault::Late) => {
                let at = state.began.elapsed() + LATE;
                state.late.push((at, request));
                if state.lies { Err(TransportError::NotSent("lie".to_owned())) } else { lost() }
            }
            Some(Fault::Throttle) => {
                let body =
                    json!({"error_code": "APIGW.0308", "error_msg": "The throttling threshold has been reached."});
                Ok(Response { status: 429, headers: Vec::new(), body: body.to_string().into_bytes() })
            }
        };
        Box::pin(async move { answer })
    }
}

impl Clock for World {
    fn utc(&self) -> Timestamp {
        utc(Cloud::now(self))
    }

    fn monotonic(&self) -> Duration {
        Cloud::now(self)
    }
}

impl Cloud for World {
    type Provider = Elb;

    fn provider(&self) -> Elb {
        let mut config = ElbConfig::new("http://mock", PROJECT_ID, VPC_ID, VIP_SUBNET_NEUTRON_ID);
        config.member_subnet_id = NODE_SUBNET_NEUTRON_ID.to_owned();
        config.pod_subnet_id = Some(NODE_SUBNET_NEUTRON_ID.to_owned());
        let class = lock(&self.0).class;
        config.nat_endpoint = (class == "dnat").then(|| "http://mock".to_owned());
        config.limits = Limits { per_second: 10_000.0, burst: 10_000.0 };
        let credentials = StaticCredentials::new(ACCESS_KEY, SECRET_KEY);
        Elb::new(config, Arc::new(self.clone()), Arc::new(credentials), Arc::new(self.clone()))
    }

    fn now(&self) -> Duration {
        lock(&self.0).began.elapsed()
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
        let mut state = lock(&self.0);
        let now = state.began.elapsed();
        let (due, late): (Vec<_>, Vec<_>) = std::mem::take(&mut state.late).into_iter().partition(|(at, _)| *at <= now);
        state.late = late;
        for (_, request) in &due {
            state.arrive(request);
        }
    }

    async fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut lock(&self.0).calls)
    }

    async fn objects(&self, owner: &Owner) -> Vec<Object> {
        let ledger = lock(&self.0).cloud.ledger();
        let of = |kind: &str| ledger[kind].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let marked = |o: &Value| mark::is_of(&text(&o["description"]), owner);
        let pools: Vec<Value> = of("pools").iter().filter(|p| marked(p)).map(|p| p["id"].clone()).collect();
        let ours = |kind: &str, o: &Value| match kind {
            "eips" => text(&o["alias"]) == mark::alias(owner),
            "members" => pools.contains(&o["pool_id"]),
            "healthmonitors" => pools.contains(&o["pools"][0]["id"]),
            _ => marked(o),
        };
        let mut objects = Vec::new();
        for kind in
            ["loadbalancers", "eips", "listeners", "pools", "members", "healthmonitors", "ipgroups", "dnatrules"]
        {
            for o in &of(kind) {
                let (kind, id, ours) = (kind.to_owned(), text(&o["id"]), ours(kind, o));
                // Ours may change; comparing it would be in vain.
                let content = if ours { String::new() } else { o.to_string() };
                objects.push(Object { kind, id, ours, content });
            }
        }
        objects
    }

    async fn set_fault(&self, fault: Option<(usize, Fault)>) {
        lock(&self.0).fault = fault;
    }

    async fn set_lag(&self, on: bool) {
        let milliseconds = if on { LAG.as_millis() } else { 0 };
        lock(&self.0).cloud.set_list_lag(milliseconds as u32);
    }

    async fn add_foreign(&self, like: &Desired) -> Option<String> {
        let state = lock(&self.0);
        if state.class == "dnat" {
            return state.foreign_rules(like);
        }
        let lb = state.by_hand(
            "loadbalancers",
            &json!({"loadbalancer": {
                "name": "web", "vpc_id": VPC_ID, "vip_subnet_cidr_id": VIP_SUBNET_NEUTRON_ID,
                "availability_zone_list": ["mock-1a"], "description": "production, do not touch",
                "publicip": {"network_type": "5_bgp", "bandwidth": {
                    "name": "web", "size": 5, "charge_mode": "traffic", "share_type": "PER"}}
            }}),
        );
        let id = lb["loadbalancer"]["id"].as_str()?.to_owned();
        for port in &like.ports {
            // On other ports, for the user lends this balancer.
            let listener = state.by_hand(
                "listeners",
                &json!({"listener": {
                    "loadbalancer_id": id, "protocol": port.protocol.to_string(),
                    "protocol_port": port.port + FOREIGN, "name": port.name
                }}),
            );
            state.by_hand(
                "pools",
                &json!({"pool": {
                    "listener_id": listener["listener"]["id"], "protocol": port.protocol.to_string(),
                    "lb_algorithm": "ROUND_ROBIN", "name": port.name
                }}),
            );
        }
        Some(id)
    }
}

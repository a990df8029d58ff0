//! A cloud that has no calls for several members at once.

use std::sync::{Arc, Mutex};

use ferrolb_elb::{HttpTransport, Method, Request, Response, Transport, TransportError};
use ferrolb_provider::{BoxFuture, Health, Protocol};

use crate::harness::{World, addresses, backend, owner, port, union};

/// Knows no `batch-…` of members and no list of those of several pools, and counts what is asked of it.
struct NoBatches {
    network: HttpTransport,
    batches: Mutex<usize>,
    lists: Mutex<usize>,
    singles: Mutex<Vec<Method>>,
    /// Status and body of an answer to a path that there is not.
    status: u16,
    says: &'static str,
    /// Answers to creations of single members that get lost, though they were carried out.
    lost: Mutex<usize>,
    /// Each single call arrives twice, and the second answer is the one that is heard.
    twice: bool,
}

impl NoBatches {
    fn new(says: &'static str, lost: usize, twice: bool) -> Arc<Self> {
        // reqwest wants a provider of cryptography even where nothing is encrypted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Arc::new(Self {
            network: HttpTransport::new(HttpTransport::builder().build().unwrap()),
            batches: Mutex::new(0),
            lists: Mutex::new(0),
            singles: Mutex::new(Vec::new()),
            status: 404,
            says,
            lost: Mutex::new(lost),
            twice,
        })
    }

    /// How many single calls there were since the last question, by method.
    fn singles(&self) -> [usize; 3] {
        let calls = std::mem::take(&mut *self.singles.lock().unwrap());
        [Method::Post, Method::Put, Method::Delete].map(|m| calls.iter().filter(|c| **c == m).count())
    }
}

impl Transport for NoBatches {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        if request.url.contains("/members/batch-") {
            *self.batches.lock().unwrap() += 1;
            let body = self.says.as_bytes().to_vec();
            let status = self.status;
            return Box::pin(async move { Ok(Response { status, headers: Vec::new(), body }) });
        }
        if request.url.contains("/elb/members?") {
            *self.lists.lock().unwrap() += 1;
            let body = self.says.as_bytes().to_vec();
            return Box::pin(async { Ok(Response { status: 404, headers: Vec::new(), body }) });
        }
        let is_single = request.method != Method::Get && request.url.contains("/members");
        if is_single {
            self.singles.lock().unwrap().push(request.method);
        }
        let mut lost = self.lost.lock().unwrap();
        let is_lost = is_single && request.method == Method::Post && *lost > 0;
        *lost -= usize::from(is_lost);
        Box::pin(async move {
            if is_single && self.twice {
                let _ = self.network.send(request.clone()).await;
            }
            let answer = self.network.send(request).await;
            if is_lost { Err(TransportError::Lost("reset".into())) } else { answer }
        })
    }
}

const GATEWAY: &str = r#"{"error_code":"APIG.0101","error_msg":"The API does not exist","request_id":"r-1"}"#;

#[tokio::test]
async fn members_go_one_by_one_and_the_cloud_is_asked_for_a_batch_once() {
    for says in [GATEWAY, &GATEWAY.replace("APIG", "APIGW").leak()[..]] {
        let network = NoBatches::new(says, 0, false);
        let world = World::over(network.clone()).await;
        let mut want = union();
        world.engine.first_seen(&want.owner);
        let outcome = world.pass(&want).await;
        // In the very pass that finds out.
        assert!(outcome.failures.is_empty(), "{outcome:#?}");
        assert_eq!(world.counts(), [1, 1, 1, 1, 3, 1]);
        let outcome = world.converge(&want).await;
        assert_eq!(outcome.serving.as_ref().unwrap().health, Some(Health { healthy: 3, total: 3 }));
        assert_eq!(addresses(&outcome).len(), 2);
        assert_eq!(network.singles(), [3, 0, 0]);

        // One goes, two come, one weighs more.
        want.ports[0].backends = [2, 3, 4, 5].map(|n| backend(n, 30080)).to_vec();
        want.ports[0].backends[0].weight = Some(7);
        let outcome = world.pass(&want).await;
        assert!(outcome.failures.is_empty(), "{outcome:#?}");
        assert_eq!(network.singles(), [2, 1, 1]);
        world.converge(&want).await;
        assert_eq!(network.singles(), [0, 0, 0]);
        let ledger = world.cloud.ledger();
        let weights = ledger["members"].as_array().unwrap().iter().map(|m| m["weight"].as_u64().unwrap());
        assert_eq!(weights.sum::<u64>(), 10);

        world.release(&owner()).await;
        assert_eq!(world.counts(), [0; 6]);
        assert_eq!(*network.batches.lock().unwrap(), 1);
    }
}

#[tokio::test]
async fn a_proxy_that_says_so_without_a_code_is_understood_as_well() {
    for (status, says) in [(404, "<html>404 Not Found</html>"), (405, "")] {
        let mut network = NoBatches::new(says, 0, false);
        Arc::get_mut(&mut network).unwrap().status = status;
        let world = World::over(network.clone()).await;
        let want = union();
        world.engine.first_seen(&want.owner);
        let outcome = world.pass(&want).await;
        assert!(outcome.failures.is_empty(), "{status}: {outcome:#?}");
        assert_eq!((world.counts()[4], *network.batches.lock().unwrap()), (3, 1));
    }
}

#[tokio::test]
async fn what_an_earlier_call_did_is_no_failure() {
    // Added already, or gone already, as far as each call can tell.
    let network = NoBatches::new(GATEWAY, 0, true);
    let world = World::over(network.clone()).await;
    let mut want = union();
    world.engine.first_seen(&want.owner);
    let outcome = world.pass(&want).await;
    assert!(outcome.failures.is_empty(), "{outcome:#?}");
    assert_eq!(world.counts(), [1, 1, 1, 1, 3, 1]);
    world.converge(&want).await;
    network.singles();
    want.ports[0].backends.remove(0);
    let outcome = world.pass(&want).await;
    assert!(outcome.failures.is_empty(), "{outcome:#?}");
    assert_eq!(network.singles(), [0, 0, 1]);
    assert_eq!(world.counts()[4], 2);
}

#[tokio::test]
async fn a_step_that_stops_half_way_is_gone_on_with() {
    let network = NoBatches::new(GATEWAY, 1, false);
    let world = World::over(network.clone()).await;
    let want = union();
    world.engine.first_seen(&want.owner);
    let outcome = world.pass(&want).await;
    let text = outcome.failures[0].error.to_string();
    assert!(text.contains("0 of 3 members tried, the next pass goes on"), "{text}");
    world.converge(&want).await;
    // The one whose answer was lost was made, and is not made again.
    assert_eq!(network.singles(), [3, 0, 0]);
    assert_eq!(world.counts(), [1, 1, 1, 1, 3, 1]);
}

#[tokio::test]
async fn a_pool_that_is_gone_is_no_reason_to_give_batches_up() {
    let network = NoBatches::new(r#"{"error_code":"ELB.8904","error_msg":"not found"}"#, 0, false);
    let world = World::over(network.clone()).await;
    world.engine.first_seen(&owner());
    let outcome = world.pass(&union()).await;
    assert!(!outcome.failures.is_empty());
    assert_eq!(network.singles(), [0, 0, 0]);
}

#[tokio::test]
async fn members_of_several_pools_are_listed_together_where_the_cloud_can() {
    let mut want = union();
    want.ports.push(port(Protocol::Udp, 53, &[1, 2]));
    want.ports.push(port(Protocol::Tcp, 443, &[3]));
    let reads = async |world: &World| {
        world.converge(&want).await;
        world.calls();
        let outcome = world.pass(&want).await;
        assert!(outcome.settled && outcome.writes == 0, "{outcome:#?}");
        world.calls().0
    };
    // Balancers, EIPs, listeners, pools, monitors, members.
    assert_eq!(reads(&World::new().await).await, 6);
    let network = NoBatches::new(GATEWAY, 0, false);
    assert_eq!(reads(&World::over(network.clone()).await).await, 8);
    assert_eq!(*network.lists.lock().unwrap(), 1, "asked for once");
}

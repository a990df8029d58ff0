//! Several candidates and one server, paused time.
#![allow(clippy::unwrap_used)]

use http::{Request, Response};
use kube::client::Body;
use serde_json::{Value, json};

use super::*;

/// A server that holds one Lease, refuses a stale version, and can be cut off.
#[derive(Default)]
struct Server {
    lease: Option<Value>,
    version: u64,
    down: bool,
}

fn clients(server: &Arc<Mutex<Server>>) -> Clients {
    let server = server.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let server = server.clone();
        async move {
            let method = request.method().clone();
            let body = request.into_body().collect_bytes().await.unwrap();
            let down = server.lock().unwrap().down;
            if down {
                std::future::pending::<()>().await;
            }
            let (status, body) = server.lock().unwrap().answer(method.as_str(), &body);
            Ok::<_, std::convert::Infallible>(
                Response::builder().status(status).body(Body::from(body.into_bytes())).unwrap(),
            )
        }
    });
    Clients::over(kube::Client::new(service, "default"))
}

impl Server {
    fn answer(&mut self, method: &str, body: &[u8]) -> (u16, String) {
        let refusal = |code: u16, reason: &str| {
            let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code,
                "reason": reason, "message": reason});
            (code, status.to_string())
        };
        if method == "GET" {
            return self.lease.as_ref().map_or(refusal(404, "NotFound"), |l| (200, l.to_string()));
        }
        let mut lease: Value = serde_json::from_slice(body).unwrap();
        let held = self.lease.as_ref().map(|l| l["metadata"]["resourceVersion"].clone());
        match (method, held) {
            ("POST", Some(_)) => return refusal(409, "AlreadyExists"),
            ("PUT", held) if held != Some(lease["metadata"]["resourceVersion"].clone()) => {
                return refusal(409, "Conflict");
            }
            _ => {}
        }
        self.version += 1;
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.lease = Some(lease.clone());
        (200, lease.to_string())
    }
}

fn candidate(server: &Arc<Mutex<Server>>, clock: &Clock, identity: &str) -> Election {
    let config = Config {
        namespace: "default".into(),
        name: "ferrolb".into(),
        identity: identity.into(),
        duration: Duration::from_secs(20),
    };
    Election::new(&clients(server), config, clock.clone())
}

#[tokio::test(start_paused = true)]
async fn one_wins_and_the_other_waits_until_it_is_given_back() {
    let (server, clock, stop) = (Arc::default(), Clock::system(1), CancellationToken::new());
    let (mut a, mut b) = (candidate(&server, &clock, "a"), candidate(&server, &clock, "b"));
    assert!(a.win(&stop).await);
    assert!(a.permit().covers(clock.now()));
    assert!(tokio::time::timeout(Duration::from_secs(12), b.win(&stop)).await.is_err(), "a leads");
    assert!(a.attempt().await.unwrap());
    a.release().await;
    assert!(!a.permit().covers(clock.now()), "what is given back is not used any more");
    let asked = clock.now();
    assert!(b.win(&stop).await);
    assert!(clock.now() - asked < Duration::from_secs(5), "nobody waits for a lease that was given back");
}

#[tokio::test(start_paused = true)]
async fn the_write_deadline_ends_before_another_can_take_over() {
    let (server, clock, stop) = (Arc::default(), Clock::system(1), CancellationToken::new());
    let (mut a, mut b) = (candidate(&server, &clock, "a"), candidate(&server, &clock, "b"));
    assert!(a.win(&stop).await);
    let permit = a.permit();
    // From here on a is silent, as a paused process is.
    let mut lost_at = None;
    let taken_at = loop {
        if b.attempt().await.unwrap() {
            break clock.now();
        }
        if lost_at.is_none() && !permit.covers(clock.now()) {
            lost_at = Some(clock.now());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let lost_at = lost_at.expect("a's permit ran out before b took over");
    assert!(taken_at - lost_at >= Duration::from_secs(3), "lost at {lost_at:?}, taken at {taken_at:?}");
    assert!(taken_at <= Duration::from_secs(24), "taken over within the lease and a fifth: {taken_at:?}");
    assert!(!a.attempt().await.unwrap(), "the old leader sees that another leads");
}

#[tokio::test(start_paused = true)]
async fn a_leader_cut_off_from_the_server_gives_up_by_itself() {
    let (server, clock, stop): (Arc<Mutex<Server>>, _, _) =
        (Arc::default(), Clock::system(1), CancellationToken::new());
    let mut a = candidate(&server, &clock, "a");
    assert!(a.win(&stop).await);
    server.lock().unwrap().down = true;
    assert!(!a.keep(&stop).await, "keep ends when the deadline has passed");
    assert!(clock.now() <= Duration::from_secs(26), "{:?}", clock.now());
    assert!(!a.permit().covers(clock.now()));
}

/// A leader that was frozen while it stopped gave back the lease of the one that had taken over.
#[tokio::test(start_paused = true)]
async fn the_lease_of_another_is_not_given_back() {
    let (server, clock, stop): (Arc<Mutex<Server>>, _, _) =
        (Arc::default(), Clock::system(1), CancellationToken::new());
    let (mut a, mut b) = (candidate(&server, &clock, "a"), candidate(&server, &clock, "b"));
    assert!(a.win(&stop).await);
    assert!(b.win(&stop).await, "a is silent");
    assert!(!a.attempt().await.unwrap(), "a sees it");
    a.release().await;
    let holder = server.lock().unwrap().lease.as_ref().unwrap()["spec"]["holderIdentity"].clone();
    assert_eq!(holder, "b");
}

//! One writer and a server that refuses what is conditional on an older version, paused time.
#![allow(clippy::unwrap_used)]

use http::{Request, Response};
use kube::client::Body;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::kube::events;

/// The server's copy of the Service, and how often it was asked to change it.
#[derive(Default)]
struct Server {
    version: u64,
    patches: usize,
}

fn writer(server: &Arc<Mutex<Server>>) -> Writer {
    let server = server.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let server = server.clone();
        async move {
            let body = request.into_body().collect_bytes().await.unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap();
            let mut server = server.lock().unwrap();
            server.patches += 1;
            let current = server.version.to_string();
            let is_old = body["metadata"]["resourceVersion"] != current.as_str();
            let (code, answer) = match is_old {
                true => (
                    409,
                    json!({"kind": "Status", "status": "Failure", "code": 409, "reason": "Conflict",
                    "message": "the object has been modified"}),
                ),
                false => (200, json!(copy(server.version))),
            };
            let answer = Body::from(answer.to_string().into_bytes());
            Ok::<_, std::convert::Infallible>(Response::builder().status(code).body(answer).unwrap())
        }
    });
    let clients = Clients::over(Client::new(service, "default"));
    let clock = Clock::new(1, jiff::Timestamp::now);
    let sink = events::start(&clients, "test".into(), clock.clone(), CancellationToken::new());
    Writer::new(&clients, sink, clock, Metrics::register())
}

fn copy(version: u64) -> Service {
    serde_json::from_value(json!({
        "metadata": {"name": "web", "namespace": "default", "uid": "u", "resourceVersion": version.to_string()},
        "spec": {"type": "ClusterIP"},
    }))
    .unwrap()
}

/// The copy of a silent watch is believed again after 150 s. A release that found nothing to say wrote nothing, so that
/// nobody told it that its Service had long been wanted again (simulator, seed 216).
#[tokio::test(start_paused = true)]
async fn what_is_concluded_from_a_copy_that_is_behind_is_asked_of_the_server_even_with_nothing_to_say() {
    let server = Arc::new(Mutex::new(Server { version: 9, patches: 0 }));
    let writer = writer(&server);
    let (old, nothing) = (Arc::new(copy(5)), Report::default());
    assert!(matches!(writer.report(&old, &nothing).await.unwrap(), Written::Now(_)));
    assert_eq!((server.lock().unwrap().patches, writer.is_behind(&old)), (0, false), "nobody knows better");

    assert!(matches!(writer.claim(&old, "elb").await.unwrap(), Written::Outdated));
    assert!(writer.is_behind(&old) && writer.is_stale(&old));
    tokio::time::advance(BEHIND_AT_MOST).await;
    assert!(writer.is_behind(&old) && !writer.is_stale(&old));
    assert!(matches!(writer.report(&old, &nothing).await.unwrap(), Written::Outdated));
    assert_eq!(server.lock().unwrap().patches, 2);

    let fresh = Arc::new(copy(9));
    assert!(matches!(writer.report(&fresh, &nothing).await.unwrap(), Written::Now(_)));
    assert_eq!((server.lock().unwrap().patches, writer.is_behind(&fresh)), (2, false));
}

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use ferrolb_elb::{Credentials, Elb, ElbConfig, Keys, Observer, StaticCredentials, SystemClock, Transport, User};
use ferrolb_provider::{BoxFuture, Owner, Provider};
use tower::ServiceExt;

use super::*;

/// No part of any of them may show up anywhere.
const SECRETS: [&str; 4] = ["hunter2-secret-key", "hunter2-security-token", "hunter2-password", "hunter2-token"];

fn call(service: Option<&str>, path: &str) -> CallRecord {
    CallRecord {
        service: service.map(Arc::from),
        at: "2026-11-20T21:01:47.123Z".parse().unwrap(),
        attempt: 1,
        method: "GET",
        path: path.to_owned(),
        status: Some(200),
        result: "ok",
        code: None,
        request_id: Some("req-1".to_owned()),
        is_write: false,
        waited: Duration::ZERO,
        took: Duration::from_millis(12),
    }
}

fn paths(record: &FlightRecord, service: &str) -> Vec<String> {
    record.of(Some(service)).into_iter().map(|call| call.path).collect()
}

async fn get_page(record: &Arc<FlightRecord>, uri: &str, accept: &str) -> String {
    let request = Request::builder().uri(uri).header("accept", accept).body(Body::empty()).unwrap();
    let answer = router(record.clone()).oneshot(request).await.unwrap();
    assert!(answer.status().is_success(), "{uri}: {}", answer.status());
    let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[test]
fn of_each_service_the_last_calls_are_kept() {
    let record = FlightRecord::new(3);
    for n in 0..10 {
        record.note(call(Some("ns/a"), &format!("/{n}")));
    }
    record.note(call(Some("ns/b"), "/b"));
    assert_eq!(paths(&record, "ns/a"), ["/7", "/8", "/9"]);
    assert_eq!(paths(&record, "ns/b"), ["/b"]);
    assert!(paths(&record, "ns/c").is_empty() && record.of(None).is_empty());
    let none = FlightRecord::new(0);
    none.note(call(None, "/"));
    assert!(none.of(None).is_empty());
}

#[test]
fn when_there_are_too_many_the_quietest_service_is_forgotten() {
    let record = FlightRecord { all: 10, ..FlightRecord::new(4) };
    for n in 0..1000 {
        record.note(call(Some(&format!("ns/{n}")), "/once"));
        record.note(call(Some("ns/busy"), &format!("/{n}")));
    }
    assert_eq!(paths(&record, "ns/busy"), ["/996", "/997", "/998", "/999"]);
    assert_eq!(paths(&record, "ns/999").len(), 1);
    assert!(paths(&record, "ns/1").is_empty());
    let kept: usize = record.services().values().sum();
    assert!(kept <= 10 && kept == record.lock().count, "{kept}");
}

#[tokio::test]
async fn people_get_a_table_and_programs_get_json() {
    let record = Arc::new(FlightRecord::new(5));
    record.note(call(None, "/v3/auth/tokens"));
    let failed = CallRecord {
        status: None,
        result: "ambiguous",
        request_id: None,
        method: "POST",
        attempt: 2,
        waited: Duration::from_millis(1500),
        ..call(Some("ns/web"), "/v3/p/elb/pools")
    };
    record.note(failed);
    let text = get_page(&record, "/debug/calls?service=ns/web", "*/*").await;
    let expected = "\
TIME                      TRY  STATUS  RESULT     CODE  WAITED  TOOK  REQUEST ID  METHOD  PATH
2026-11-20T21:01:47.123Z  2    -       ambiguous  -     1500ms  12ms  -           POST    /v3/p/elb/pools
";
    assert_eq!(text, expected);
    let text = get_page(&record, "/debug/calls", "text/html").await;
    assert!(text.contains("/v3/auth/tokens") && text.contains("\n1      ns/web\n"), "{text}");
    assert_eq!(get_page(&record, "/debug/calls?service=ns/none", "").await, "no calls\n");
    let json = get_page(&record, "/debug/calls?service=ns%2Fweb", "application/json").await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["calls"][0]["waited_ms"], 1500);
    assert_eq!(json["calls"][0]["result"], "ambiguous");
    let json: serde_json::Value =
        serde_json::from_str(&get_page(&record, "/debug/calls", "application/json").await).unwrap();
    assert_eq!(json["services"]["ns/web"], 1);
}

/// A cloud that gives a token, then repeats in each answer, header and error whatever it was sent.
struct Echo;

impl Transport for Echo {
    fn send(
        &self,
        request: ferrolb_elb::Request,
    ) -> BoxFuture<'_, Result<ferrolb_elb::Response, ferrolb_elb::TransportError>> {
        let said = format!("{request:?}");
        let sign_in = request.url.ends_with("/v3/auth/tokens");
        let mut headers = request.headers;
        headers.push(("x-subject-token".into(), "hunter2-token".into()));
        headers.push(("x-request-id".into(), "req-1".into()));
        let body = json!({"token": {}, "error_code": "ELB.9899", "error_msg": said, "request_id": "req-2"});
        let status = if sign_in { 201 } else { 400 };
        Box::pin(async move { Ok(ferrolb_elb::Response { status, headers, body: body.to_string().into_bytes() }) })
    }
}

struct Noting(Arc<FlightRecord>);

impl Observer for Noting {
    fn called(&self, record: CallRecord) {
        self.0.note(record);
    }
}

#[tokio::test]
async fn no_secret_is_in_it() {
    let secret = |n: usize| SECRETS[n].to_owned();
    let keys = Keys { access_key: "AK1".into(), secret_key: secret(0).into(), security_token: Some(secret(1).into()) };
    let user = User { name: "robot".into(), password: secret(2).into(), domain: "acme".into(), agency: None };
    let owner = Owner { cluster: "c".into(), uid: "u".into(), namespace: "ns".into(), name: "web".into() };
    let record = Arc::new(FlightRecord::new(50));
    for credentials in [Credentials::Keys(keys), Credentials::User(user)] {
        let mut config = ElbConfig::new("http://cloud.test", "p", "vpc", "subnet");
        config.iam_endpoint = Some("http://iam.test".into());
        let credentials = Arc::new(StaticCredentials::from(credentials));
        let elb = Elb::new(config, Arc::new(Echo), credentials, Arc::new(SystemClock::default()));
        let elb = elb.observed_by(Arc::new(Noting(record.clone())));
        assert!(elb.list(&owner, &[]).await.is_err());
    }
    let mut pages = Vec::new();
    for service in ["", "?service=ns/web"] {
        for accept in ["*/*", "application/json"] {
            pages.push(get_page(&record, &format!("/debug/calls{service}"), accept).await);
        }
    }
    assert!(pages[0].contains("POST    /v3/auth/tokens"), "{}", pages[0]);
    // Which of its lists came first is left to chance; the others were given up.
    assert!(pages[2].contains("ELB.9899") && pages[2].contains("GET     /v3/p/e"), "{}", pages[2]);
    for page in &pages {
        assert!(SECRETS.iter().all(|secret| !page.contains(secret)), "{page}");
        assert!(!page.contains("Signature") && !page.contains("hunter2"), "{page}");
    }
}

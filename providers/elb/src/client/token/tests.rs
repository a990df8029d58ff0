#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicUsize, Ordering};

use ferrolb_provider::BoxFuture;

use super::*;
use crate::client::credentials::{Agency, CredentialsError, CredentialsSource};
use crate::client::elb::Filter;
use crate::client::{Client, Clock, Request, Transport, TransportError};
use crate::config::ElbConfig;

/// IAM and the service behind one door: takes only the last token that it gave.
#[derive(Default)]
struct Cloud {
    sign_ins: AtomicUsize,
    /// Bodies of sign-ins, and the tokens that came with them.
    asked: Mutex<Vec<(Value, Option<String>)>>,
    /// Answers of IAM that are no tokens, as long as there are some.
    troubles: Mutex<Vec<(u16, &'static str)>>,
    /// Tokens that are turned away though they are the last.
    turned_away: Mutex<Vec<String>>,
    calls: AtomicUsize,
}

impl Cloud {
    fn sign_ins(&self) -> usize {
        self.sign_ins.load(Ordering::SeqCst)
    }

    fn answer(&self, request: &Request) -> Response {
        let header = |name: &str| request.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        let shown = header("x-auth-token");
        if !request.url.ends_with("/v3/auth/tokens") {
            assert_eq!(header("authorization"), None);
            self.calls.fetch_add(1, Ordering::SeqCst);
            let last = format!("token-{}", self.sign_ins());
            let is_good = shown.as_ref() == Some(&last) && !self.turned_away.lock().unwrap().contains(&last);
            let (status, body) = if is_good {
                (200, r#"{"pools":[]}"#)
            } else {
                (401, r#"{"error_code":"APIG.0307","error_msg":"old"}"#)
            };
            return Response { status, body: body.into(), ..Response::default() };
        }
        self.asked.lock().unwrap().push((serde_json::from_slice(&request.body).unwrap(), shown));
        if let Some((status, body)) = self.troubles.lock().unwrap().pop() {
            return Response { status, body: body.into(), ..Response::default() };
        }
        let number = self.sign_ins.fetch_add(1, Ordering::SeqCst) + 1;
        let body =
            r#"{"token":{"issued_at":"2026-11-20T10:00:00.000000Z","expires_at":"2026-11-20T10:10:00.000000Z"}}"#;
        Response {
            status: 201,
            headers: vec![("x-subject-token".into(), format!("token-{number}"))],
            body: body.into(),
        }
    }
}

struct Wire(Arc<Cloud>);

impl Transport for Wire {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok(self.0.answer(&request))
        })
    }
}

/// tokio's clock, which tests pause; the wall clock is wrong, and does no harm.
struct Paused(tokio::time::Instant);

impl Clock for Paused {
    fn utc(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Credentials that somebody changes.
struct Changing(Mutex<Arc<Credentials>>);

impl CredentialsSource for Changing {
    fn get(&self) -> Result<Arc<Credentials>, CredentialsError> {
        Ok(self.0.lock().unwrap().clone())
    }
}

fn user(agency: Option<Agency>) -> Arc<Credentials> {
    let password = SecretString::from("hunter2".to_owned());
    Arc::new(Credentials::User(User { name: "robot".into(), password, domain: "acme".into(), agency }))
}

fn client(agency: Option<Agency>) -> (Client, Arc<Cloud>, Arc<Changing>) {
    let cloud = Arc::<Cloud>::default();
    let credentials = Arc::new(Changing(Mutex::new(user(agency))));
    let clock = Arc::new(Paused(tokio::time::Instant::now()));
    let mut config = ElbConfig::new("http://cloud.test", "p", "vpc", "subnet");
    config.iam_endpoint = Some("http://iam.test".into());
    config.limits.burst = 1000.0;
    (Client::new(&config, Arc::new(Wire(cloud.clone())), credentials.clone(), clock), cloud, credentials)
}

async fn seconds(n: u64) {
    tokio::time::sleep(Duration::from_secs(n)).await;
}

#[tokio::test(start_paused = true)]
async fn many_calls_at_once_sign_in_once() {
    let (client, cloud, _) = client(None);
    let results = futures::future::join_all((0..50).map(|_| client.pools(Filter::new()))).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!((cloud.sign_ins(), cloud.calls.load(Ordering::SeqCst)), (1, 50));
    let asked = cloud.asked.lock().unwrap();
    assert_eq!(asked[0].0.pointer("/auth/identity/password/user/domain/name").unwrap(), "acme");
    assert_eq!(asked[0].0.pointer("/auth/scope/project/id").unwrap(), "p");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_it_ends_and_nobody_waits_for_that() {
    let (client, cloud, _) = client(None);
    client.pools(Filter::new()).await.unwrap();
    seconds(539).await;
    client.pools(Filter::new()).await.unwrap();
    assert_eq!(cloud.sign_ins(), 1);
    seconds(2).await;
    // IAM is down: the old one will do.
    cloud.troubles.lock().unwrap().extend([(503, "{}"); 3]);
    for _ in 0..3 {
        client.pools(Filter::new()).await.unwrap();
        seconds(6).await;
    }
    assert_eq!(cloud.sign_ins(), 1);
    client.pools(Filter::new()).await.unwrap();
    assert_eq!(cloud.sign_ins(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_turned_away_is_exchanged_once() {
    let (client, cloud, _) = client(None);
    client.pools(Filter::new()).await.unwrap();
    seconds(60).await;
    cloud.turned_away.lock().unwrap().push("token-1".into());
    let results = futures::future::join_all((0..20).map(|_| client.pools(Filter::new()))).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!((cloud.sign_ins(), cloud.calls.load(Ordering::SeqCst)), (2, 41));
    // One that is turned away at once has another fault than its age.
    cloud.turned_away.lock().unwrap().push("token-2".into());
    let error = client.pools(Filter::new()).await.unwrap_err();
    assert!(matches!(error, ProviderError::Denied(_)), "{error}");
    assert_eq!((cloud.sign_ins(), cloud.calls.load(Ordering::SeqCst)), (2, 42));
    // Nor is a third one asked for when the second does not help.
    seconds(60).await;
    cloud.turned_away.lock().unwrap().push("token-3".into());
    assert!(client.pools(Filter::new()).await.is_err());
    assert_eq!((cloud.sign_ins(), cloud.calls.load(Ordering::SeqCst)), (3, 44));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_not_tried_again_until_it_changes() {
    let (client, cloud, credentials) = client(None);
    let wrong = r#"{"error":{"code":401,"message":"The username or password is wrong.","title":"Unauthorized"}}"#;
    cloud.troubles.lock().unwrap().push((401, wrong));
    for _ in 0..20 {
        let error = client.pools(Filter::new()).await.unwrap_err();
        assert!(matches!(error, ProviderError::Denied(_)), "{error}");
        assert!(error.to_string().contains("password is wrong"), "{error}");
        seconds(10).await;
    }
    assert_eq!(cloud.asked.lock().unwrap().len(), 1);
    *credentials.0.lock().unwrap() = user(None);
    client.pools(Filter::new()).await.unwrap();
    assert_eq!(cloud.calls.load(Ordering::SeqCst), 1, "what has no token is not sent");
}

#[tokio::test(start_paused = true)]
async fn what_iam_could_not_answer_was_not_sent_and_is_tried_soon() {
    let (client, cloud, _) = client(None);
    cloud.troubles.lock().unwrap().push((503, "{}"));
    let error = client.pools(Filter::new()).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
    seconds(5).await;
    client.pools(Filter::new()).await.unwrap();
    assert_eq!(cloud.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn an_agency_is_taken_on_with_the_users_own_token() {
    let agency = Agency { name: "lb-operator".into(), domain: "customer".into() };
    let (client, cloud, _) = client(Some(agency));
    client.pools(Filter::new()).await.unwrap();
    let asked = cloud.asked.lock().unwrap();
    assert_eq!(asked[0].0.pointer("/auth/scope/domain/name").unwrap(), "acme");
    assert_eq!(asked[0].1, None);
    let role = json!({"domain_name": "customer", "xrole_name": "lb-operator"});
    assert_eq!(asked[1].0.pointer("/auth/identity/assume_role").unwrap(), &role);
    assert_eq!(asked[1].0.pointer("/auth/scope/project/id").unwrap(), "p");
    assert_eq!(asked[1].1.as_deref(), Some("token-1"));
}

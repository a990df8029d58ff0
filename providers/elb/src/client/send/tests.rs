#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::sync::Mutex;

use ferrolb_provider::BoxFuture;

use super::*;
use crate::client::StaticCredentials;
use crate::client::elb::{Filter, by};
use crate::config::Limits;

/// Answers from a list, and remembers what it was asked.
struct Script {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<Request>>,
}

enum Answer {
    Say(u16, &'static str),
    Fail(TransportError),
    Never,
}

impl Transport for Script {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        self.asked.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front().unwrap();
        Box::pin(async move {
            match answer {
                Answer::Say(status, body) => {
                    Ok(Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() })
                }
                Answer::Fail(error) => Err(error),
                Answer::Never => std::future::pending().await,
            }
        })
    }
}

/// Follows tokio's clock, which tests pause; `jump` adds what passes while a process is stopped.
struct TestClock {
    start: tokio::time::Instant,
    jump: Mutex<Duration>,
}

impl Clock for TestClock {
    fn utc(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed() + *self.jump.lock().unwrap()
    }
}

/// Keys that take their time, as a stopped process does.
struct SlowKeys(Arc<TestClock>, Duration);

impl CredentialsSource for SlowKeys {
    fn get(&self) -> Result<Arc<crate::Credentials>, crate::CredentialsError> {
        *self.0.jump.lock().unwrap() += self.1;
        StaticCredentials::new("ak", "sk").get()
    }
}

fn config() -> ElbConfig {
    ElbConfig {
        limits: Limits { per_second: 1.0, burst: 3.0 },
        ..ElbConfig::new("http://cloud.test/base/", "p", "vpc", "subnet")
    }
}

fn client(answers: Vec<Answer>, held_up: Duration) -> (Client, Arc<Script>) {
    let script = Arc::new(Script { answers: Mutex::new(answers.into()), asked: Mutex::new(Vec::new()) });
    let clock = Arc::new(TestClock { start: tokio::time::Instant::now(), jump: Mutex::new(Duration::ZERO) });
    let keys = Arc::new(SlowKeys(clock.clone(), held_up));
    (Client::new(&config(), script.clone(), keys, clock), script)
}

fn create() -> Call {
    let mut call =
        Call::write(Service::Elb, Method::Post, "/v3/p/elb/pools".into(), Some(serde_json::json!({"pool": {}})));
    call.effect = Effect::Once;
    call
}

#[tokio::test(start_paused = true)]
async fn a_call_is_signed_and_goes_where_the_endpoint_says() {
    let (client, script) = client(vec![Answer::Say(200, r#"{"pools":[]}"#)], Duration::ZERO);
    client.pools(by("description", "a b")).await.unwrap();
    let asked = script.asked.lock().unwrap();
    assert_eq!(asked[0].url, "http://cloud.test/base/v3/p/elb/pools?description=a%20b&limit=500");
    let names: Vec<&str> = asked[0].headers.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, ["x-project-id", "x-sdk-date", "authorization"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_is_read_to_its_last_page() {
    let (client, script) = client(
        vec![
            Answer::Say(200, r#"{"flavors":[{"id":"1","name":"a"}],"page_info":{"next_marker":"1"}}"#),
            Answer::Say(200, r#"{"flavors":[{"id":"2","name":"b"}],"page_info":{"next_marker":"2"}}"#),
            Answer::Say(200, r#"{"flavors":[{"id":"3","name":"c"}],"page_info":{"next_marker":null}}"#),
        ],
        Duration::ZERO,
    );
    let names: Vec<String> = client.flavors().await.unwrap().into_iter().map(|f| f.name).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let asked = script.asked.lock().unwrap();
    assert!(asked[2].url.ends_with("?limit=500&marker=2"), "{}", asked[2].url);
}

#[tokio::test(start_paused = true)]
async fn a_marker_that_comes_back_ends_the_list() {
    let page = r#"{"flavors":[{"id":"1","name":"a"}],"page_info":{"next_marker":"1"}}"#;
    let (client, _) = client(vec![Answer::Say(200, page), Answer::Say(200, page)], Duration::ZERO);
    assert_eq!(client.flavors().await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_answered_may_have_happened_and_what_was_not_sent_did_not() {
    let lost = || Answer::Fail(TransportError::Lost("reset".into()));
    let cases = [
        (lost(), true),
        (Answer::Never, true),
        (Answer::Say(201, "{}"), true),
        (Answer::Say(201, "not json"), true),
        (Answer::Fail(TransportError::NotSent("refused".into())), false),
    ];
    for (answer, may_have_happened) in cases {
        let (client, _) = client(vec![answer], Duration::ZERO);
        let error = client.object::<Value>(create(), "pool").await.unwrap_err();
        assert_eq!(matches!(error, ProviderError::Ambiguous(_)), may_have_happened, "{error}");
        assert_eq!(matches!(error, ProviderError::Unavailable(_)), !may_have_happened, "{error}");
    }
    // The same for a read is only a nuisance.
    let (client, _) = client(vec![lost()], Duration::ZERO);
    let error = client.pools(Filter::new()).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_deadline_counts_from_the_start_of_the_step() {
    let (client, _) = client(vec![Answer::Never, Answer::Never], Duration::ZERO);
    let step = client.for_step();
    let began = tokio::time::Instant::now();
    assert!(step.send(create()).await.is_err());
    assert_eq!(began.elapsed(), Duration::from_secs(10));
    // Nothing is left for a second call of the step, so it is not sent.
    let error = step.send(create()).await.unwrap_err();
    assert_eq!(began.elapsed(), Duration::from_secs(10));
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_stopped_does_not_send() {
    let (client, script) = client(vec![], Duration::from_secs(8));
    let error = client.send(create()).await.unwrap_err();
    assert!(error.to_string().contains("not sent"), "{error}");
    assert!(script.asked.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn our_own_limit_delays_writes_and_in_the_end_says_whose_limit_it_is() {
    let say = || Answer::Say(200, r#"{"pool":{}}"#);
    let (client, script) = client((0..8).map(|_| say()).collect(), Duration::ZERO);
    let step = client.for_step();
    let began = tokio::time::Instant::now();
    let results = futures::future::join_all((0..12).map(|_| step.send(create()))).await;
    // Three at once, one per second for the next five, and no patience beyond half the deadline.
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 8);
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    assert_eq!(script.asked.lock().unwrap().len(), 8);
    for error in results.into_iter().filter_map(Result::err) {
        assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
        assert!(error.to_string().contains("our own rate limit (1 calls/s)"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_waits_for_its_turn_and_then_has_its_whole_deadline() {
    let say = || Answer::Say(200, r#"{"pools":[]}"#);
    let mut answers: Vec<Answer> = (0..40).map(|_| say()).collect();
    answers.push(Answer::Never);
    let (client, script) = client(answers, Duration::ZERO);
    let began = tokio::time::Instant::now();
    let results = futures::future::join_all((0..41).map(|_| client.pools(Filter::new()))).await;
    assert_eq!(script.asked.lock().unwrap().len(), 41);
    assert!(results[..40].iter().all(Result::is_ok));
    // The last one is sent after 38 s, and given up 10 s later.
    let error = results[40].as_ref().unwrap_err();
    assert!(error.to_string().contains("no answer within 10000 ms"), "{error}");
    assert_eq!(began.elapsed().as_secs(), 48);
}

#[tokio::test(start_paused = true)]
async fn after_too_many_calls_all_pause_and_nobody_tries_in_vain() {
    let body = r#"{"error_code":"APIGW.0308","error_msg":"policy user over ratelimit"}"#;
    let mut answers = vec![Answer::Say(429, body)];
    answers.extend((0..2).map(|_| Answer::Say(200, r#"{"pools":[]}"#)));
    let (client, script) = client(answers, Duration::ZERO);
    let began = tokio::time::Instant::now();
    assert!(client.pools(Filter::new()).await.is_err());
    // One second without a hint, and one call a second afterwards.
    client.pools(Filter::new()).await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    client.shared.limiter.pause(client.now(), Duration::from_secs(9));
    let error = client.for_step().send(create()).await.unwrap_err();
    let ProviderError::Throttled { after, detail } = &error else { panic!("{error}") };
    assert_eq!((*after, detail.code.as_deref()), (Some(Duration::from_secs(9)), Some("APIGW.0308")));
    assert_eq!(script.asked.lock().unwrap().len(), 2, "it was not sent");
}

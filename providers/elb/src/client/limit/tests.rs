#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use tokio::time::{Instant, timeout};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn limits() -> Limits {
    Limits { per_second: 10.0, burst: 3.0 }
}

/// One whose burst is used up at second 1.
fn drained() -> TokenBucket {
    let mut bucket = TokenBucket::new(limits());
    for _ in 0..3 {
        assert_eq!(bucket.take(SECOND), Ok(()));
    }
    bucket
}

/// tokio's clock, which tests pause.
struct Paused(Instant);

impl Clock for Paused {
    fn utc(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

#[test]
fn a_burst_goes_at_once_and_the_rest_in_line() {
    let mut bucket = TokenBucket::new(limits());
    let waits: Vec<_> = (0..5).map(|_| bucket.reserve(SECOND, SECOND)).collect();
    let ms = |n| Ok(Duration::from_millis(n));
    assert_eq!(waits, [ms(0), ms(0), ms(0), ms(100), ms(200)]);
}

#[test]
fn the_bucket_refills_and_does_not_overflow() {
    let mut bucket = drained();
    let later = SECOND + Duration::from_millis(100);
    assert_eq!(bucket.take(later), Ok(()));
    assert_eq!(bucket.take(later), Err(Duration::from_millis(100)));
    let free = (0..10).take_while(|_| bucket.take(100 * SECOND).is_ok()).count();
    assert_eq!(free, 3);
    bucket.give_back();
    let free = (0..10).take_while(|_| bucket.take(100 * SECOND).is_ok()).count();
    assert_eq!(free, 1);
    for _ in 0..10 {
        bucket.give_back();
    }
    let free = (0..10).take_while(|_| bucket.take(100 * SECOND).is_ok()).count();
    assert_eq!(free, 3);
}

#[test]
fn impatience_takes_no_token() {
    let mut bucket = drained();
    let wait = Duration::from_millis(100);
    for _ in 0..5 {
        assert_eq!(bucket.reserve(SECOND, Duration::from_millis(50)), Err(wait));
        assert_eq!(bucket.take(SECOND), Err(wait));
    }
    assert_eq!(bucket.reserve(SECOND, SECOND), Ok(wait));
}

#[test]
fn a_clock_that_stands_still_or_goes_back_gives_nothing() {
    let mut bucket = drained();
    assert!(bucket.take(Duration::ZERO).is_err());
    assert!(bucket.reserve(Duration::ZERO, SECOND).is_ok_and(|w| w > Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_leaves_the_place_to_the_next() {
    let clock = Paused(Instant::now());
    let limiter = Limiter::new(limits());
    for _ in 0..3 {
        assert_eq!(limiter.read(&clock).await, Duration::ZERO);
    }
    let short = Duration::from_millis(10);
    let reads = (0..100).map(|_| timeout(short, limiter.read(&clock)));
    assert!(futures::future::join_all(reads).await.iter().all(Result::is_err));
    let writes = (0..5).map(|_| timeout(short, limiter.write(&clock, SECOND)));
    assert!(futures::future::join_all(writes).await.iter().all(Result::is_err));
    // None of the 105 cost a token: the first one comes a tenth of a second after the burst.
    limiter.read(&clock).await;
    assert_eq!(clock.monotonic(), Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn reads_wait_in_line_and_a_write_goes_before_them() {
    let clock = Arc::new(Paused(Instant::now()));
    let limiter = Arc::new(Limiter::new(limits()));
    for _ in 0..3 {
        limiter.read(&*clock).await;
    }
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for n in 0..100 {
        let (limiter, clock, order) = (limiter.clone(), clock.clone(), order.clone());
        tasks.push(tokio::spawn(async move {
            limiter.read(&*clock).await;
            order.lock().unwrap().push(n);
        }));
        tokio::task::yield_now().await;
    }
    let began = clock.monotonic();
    assert!(limiter.write(&*clock, SECOND).await.is_ok());
    assert!(clock.monotonic() - began <= Duration::from_millis(110), "{:?}", clock.monotonic());
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), (0..100).collect::<Vec<_>>());
    let whole = clock.monotonic();
    assert!(whole >= Duration::from_millis(10_090) && whole < Duration::from_millis(10_300), "{whole:?}");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_would_come_too_late_hears_it_at_once() {
    let clock = Paused(Instant::now());
    let limiter = Limiter::new(limits());
    let writes = (0..20).map(|_| limiter.write(&clock, SECOND));
    let sent = futures::future::join_all(writes).await.into_iter().filter(Result::is_ok).count();
    // Three at once, ten within the second.
    assert_eq!((sent, clock.monotonic()), (13, SECOND));
}

#[tokio::test(start_paused = true)]
async fn when_the_cloud_has_enough_everybody_pauses_and_goes_on_in_line() {
    let clock = Paused(Instant::now());
    let limiter = Limiter::new(limits());
    limiter.pause(clock.monotonic(), 2 * SECOND);
    assert_eq!(limiter.write(&clock, SECOND).await, Err(TooLate { pause: Some(2 * SECOND) }), "and that at once");
    assert_eq!(clock.monotonic(), Duration::ZERO);
    let waits = futures::future::join_all((0..3).map(|_| limiter.read(&clock))).await;
    // No burst afterwards.
    assert_eq!(waits, [2100, 2200, 2300].map(Duration::from_millis));
    assert_eq!(limiter.write(&clock, SECOND).await, Ok(Duration::from_millis(100)));
    // Whatever the cloud asks for, others are not stopped for a day.
    limiter.pause(clock.monotonic(), 86_400 * SECOND);
    assert_eq!(limiter.read(&clock).await, Duration::from_millis(30_100));
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_back_those_too_who_had_their_turn_already() {
    let clock = Paused(Instant::now());
    let limiter = Limiter::new(limits());
    for _ in 0..3 {
        limiter.read(&clock).await;
    }
    let patient = async { (limiter.write(&clock, 5 * SECOND).await, clock.monotonic()) };
    let impatient = async { (limiter.write(&clock, SECOND).await, clock.monotonic()) };
    let cloud = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        limiter.pause(clock.monotonic(), 2 * SECOND);
    };
    let (patient, impatient, ()) = tokio::join!(patient, impatient, cloud);
    assert_eq!(patient, (Ok(Duration::from_millis(2050)), Duration::from_millis(2050)));
    let pause = Some(Duration::from_millis(1850));
    assert_eq!(impatient, (Err(TooLate { pause }), Duration::from_millis(200)));
}

#[test]
fn of_many_long_waits_one_a_minute_is_worth_a_word() {
    let limiter = Limiter::new(limits());
    let said = |waited, now| limiter.is_worth_a_word(SECOND * waited, SECOND * now);
    assert_eq!([said(2, 0), said(3, 1), said(9, 2), said(9, 60), said(9, 61)], [false, true, false, false, true]);
}

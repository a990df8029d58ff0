//! Events on Services, without flooding anybody.
//!
//! A sender never waits: a full queue drops and counts. One text about one object is sent once in ten minutes, and an
//! object may send a burst of ten and one a minute after that.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ferrolb_core::Severity;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::kube::client::Clients;

const QUEUE: usize = 1000;
const REPEAT_AFTER: Duration = Duration::from_secs(600);
const BURST: f64 = 10.0;
const PER_SECOND: f64 = 1.0 / 60.0;
/// Objects remembered; past that the memory starts afresh, which at worst repeats an event.
const REMEMBERED: usize = 10_000;

/// One event to be written.
#[derive(Clone, Debug)]
pub struct Note {
    /// The object it is about.
    pub about: ObjectReference,
    /// Normal or Warning.
    pub severity: Severity,
    /// A CamelCase word.
    pub reason: String,
    /// The sentence.
    pub message: String,
}

/// Where events are handed in.
#[derive(Clone)]
pub struct Sink {
    queue: mpsc::Sender<Note>,
    dropped: Arc<AtomicU64>,
}

impl Sink {
    /// Hands in an event; never waits.
    pub fn send(&self, note: Note) {
        if self.queue.try_send(note).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Events dropped so far because the queue was full or their sender too busy.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// Starts the writer; it ends when the last [`Sink`] is gone or at `stop`.
pub fn start(clients: &Clients, instance: String, clock: Clock, stop: CancellationToken) -> Sink {
    let client = clients.client.clone();
    let (queue, mut notes) = mpsc::channel(QUEUE);
    let dropped = Arc::new(AtomicU64::new(0));
    let sink = Sink { queue, dropped: dropped.clone() };
    tokio::spawn(async move {
        let mut gate = Gate::default();
        loop {
            let note = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                note = notes.recv() => note,
            };
            let Some(note) = note else { return };
            if !gate.lets_through(&note, clock.now()) {
                dropped.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            write(&client, &instance, &clock, note).await;
        }
    });
    sink
}

#[derive(Default)]
struct Gate {
    objects: BTreeMap<String, Budget>,
}

struct Budget {
    tokens: f64,
    filled: Duration,
    said: BTreeMap<(String, String), Duration>,
}

impl Gate {
    fn lets_through(&mut self, note: &Note, now: Duration) -> bool {
        if self.objects.len() > REMEMBERED {
            self.objects.clear();
        }
        let uid = note.about.uid.clone().unwrap_or_default();
        let budget =
            self.objects.entry(uid).or_insert_with(|| Budget { tokens: BURST, filled: now, said: BTreeMap::new() });
        budget.tokens = (budget.tokens + (now - budget.filled).as_secs_f64() * PER_SECOND).min(BURST);
        budget.filled = now;
        budget.said.retain(|_, at| now < *at + REPEAT_AFTER);
        let text = (note.reason.clone(), note.message.clone());
        if budget.tokens < 1.0 || budget.said.contains_key(&text) {
            return false;
        }
        budget.tokens -= 1.0;
        budget.said.insert(text, now);
        true
    }
}

async fn write(client: &Client, instance: &str, clock: &Clock, note: Note) {
    let event = event(note, instance, clock.wall());
    let namespace = event.metadata.namespace.clone().unwrap_or_default();
    let api = Api::<Event>::namespaced(client.clone(), &namespace);
    // An event is a courtesy: its loss is logged and nothing else.
    match tokio::time::timeout(Duration::from_secs(10), api.create(&PostParams::default(), &event)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, reason = event.reason, "event not written"),
        Err(_) => tracing::warn!(reason = event.reason, "event not written: no answer within 10 s"),
    }
}

fn event(note: Note, instance: &str, now: Timestamp) -> Event {
    let namespace = note.about.namespace.clone().unwrap_or_else(|| "default".to_owned());
    let name = note.about.name.clone().unwrap_or_default();
    Event {
        metadata: ObjectMeta {
            // The moment makes it unique, as in client-go. A generateName of `NAME.` is refused for its last character.
            name: Some(format!("{name}.{:x}", now.as_nanosecond())),
            namespace: Some(namespace),
            ..ObjectMeta::default()
        },
        action: Some("Reconcile".to_owned()),
        event_time: Some(MicroTime(now)),
        note: Some(note.message.chars().take(1000).collect()),
        reason: Some(note.reason),
        regarding: Some(note.about),
        reporting_controller: Some("ferrolb".to_owned()),
        reporting_instance: Some(instance.to_owned()),
        type_: Some(note.severity.as_str().to_owned()),
        ..Event::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(message: &str) -> Note {
        let about = ObjectReference { uid: Some("u".into()), ..ObjectReference::default() };
        Note { about, severity: Severity::Warning, reason: "R".into(), message: message.into() }
    }

    /// The API server (1.36) refuses a generateName that ends in a dot, so no event was ever written.
    #[test]
    fn an_event_has_a_name_that_the_api_server_takes() {
        let mut note = note("m");
        note.about.name = Some("web".into());
        let made = event(note, "i", Timestamp::UNIX_EPOCH + Duration::from_nanos(255));
        assert_eq!(made.metadata.name.as_deref(), Some("web.ff"));
        assert_eq!(made.metadata.generate_name, None);
    }

    #[test]
    fn one_text_passes_once_in_ten_minutes() {
        let mut gate = Gate::default();
        assert!(gate.lets_through(&note("a"), Duration::ZERO));
        assert!(!gate.lets_through(&note("a"), Duration::from_secs(599)));
        assert!(gate.lets_through(&note("b"), Duration::from_secs(599)));
        assert!(gate.lets_through(&note("a"), Duration::from_secs(601)));
    }

    #[test]
    fn an_object_has_a_burst_and_then_one_a_minute() {
        let mut gate = Gate::default();
        let passed = (0..50).filter(|i| gate.lets_through(&note(&i.to_string()), Duration::ZERO)).count();
        assert_eq!(passed, 10);
        assert!(!gate.lets_through(&note("x"), Duration::from_secs(59)));
        assert!(gate.lets_through(&note("y"), Duration::from_secs(61)));
    }
}

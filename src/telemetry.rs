//! Logs and metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tracing_subscriber::EnvFilter;

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging to standard error. `filter` is a tracing directive such as `info` or `ferrolb=debug`.
///
/// # Errors
/// The filter cannot be read.
pub fn log(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}

/// Labels of a reconcile.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ResultLabel {
    /// `settled`, `waiting`, `failed`, `refused`, `released`, `error`, `panic`.
    pub result: &'static str,
}

/// Labels of a watch.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct KindLabel {
    /// The Kubernetes kind.
    pub kind: &'static str,
}

/// Labels of a provider.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ProviderLabel {
    /// Its name.
    pub provider: String,
}

/// Labels of a call to the cloud.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct CallLabel {
    /// `read` or `write`.
    pub effect: &'static str,
    /// `ok`, or the class of the error: `refused`, `not_found`, `throttled`, `ambiguous`, `denied`, `unavailable`.
    pub result: &'static str,
}

/// Labels of a wait for the rate limit.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct EffectLabel {
    /// `read` or `write`.
    pub effect: &'static str,
}

/// Every metric, registered once; names, help and units stand in [`Metrics::register`].
#[derive(Clone)]
pub struct Metrics {
    /// All of them, to be served.
    pub registry: Arc<Registry>,
    /// Passes by result.
    pub reconciles: Family<ResultLabel, Counter>,
    /// Duration of passes.
    pub reconcile_seconds: Family<ResultLabel, Histogram, fn() -> Histogram>,
    /// Keys that wait, including delayed ones.
    pub queue_waiting: Gauge<i64, AtomicI64>,
    /// Keys worked on.
    pub queue_running: Gauge<i64, AtomicI64>,
    /// 1 while this process leads.
    pub leading: Gauge<i64, AtomicI64>,
    /// Age of the last sign of life of each watch.
    pub watch_age: Family<KindLabel, Gauge<i64, AtomicI64>>,
    /// Writes to the API server.
    pub api_writes: Counter<u64, AtomicU64>,
    /// Write calls to the cloud by provider.
    pub cloud_writes: Family<ProviderLabel, Counter>,
    /// How long calls to the cloud took.
    pub cloud_calls: Family<CallLabel, Histogram, fn() -> Histogram>,
    /// How long calls to the cloud waited for our own rate limit.
    pub cloud_waits: Family<EffectLabel, Histogram, fn() -> Histogram>,
    /// Orphans released by the sweep.
    pub orphans: Family<ProviderLabel, Counter>,
    /// Events not written.
    pub events_dropped: Gauge<i64, AtomicI64>,
}

impl Metrics {
    /// New metrics in a registry of their own.
    pub fn register() -> Self {
        let mut metrics = Self {
            registry: Arc::default(),
            reconcile_seconds: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.005, 2.0, 14))),
            reconciles: Family::default(),
            queue_waiting: Gauge::default(),
            queue_running: Gauge::default(),
            leading: Gauge::default(),
            watch_age: Family::default(),
            api_writes: Counter::default(),
            cloud_writes: Family::default(),
            cloud_calls: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.01, 2.0, 11))),
            cloud_waits: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.01, 2.0, 14))),
            orphans: Family::default(),
            events_dropped: Gauge::default(),
        };
        let m = &metrics;
        let mut r = Registry::with_prefix("ferrolb");
        r.register("reconciles", "Passes over a Service, by result", m.reconciles.clone());
        r.register_with_unit("reconcile_duration", "Duration of a pass", Unit::Seconds, m.reconcile_seconds.clone());
        r.register("queue_waiting", "Services that wait for a pass, delayed ones included", m.queue_waiting.clone());
        r.register("queue_running", "Services being worked on", m.queue_running.clone());
        r.register("leading", "1 while this process holds the lease", m.leading.clone());
        r.register_with_unit(
            "watch_age",
            "Time since each watch was last known to be connected; alert above 150",
            Unit::Seconds,
            m.watch_age.clone(),
        );
        r.register("api_writes", "Writes to the API server, leases and events not counted", m.api_writes.clone());
        r.register("cloud_writes", "Write calls to the cloud", m.cloud_writes.clone());
        r.register_with_unit(
            "cloud_call_duration",
            "Duration of calls to the cloud, without the wait before",
            Unit::Seconds,
            m.cloud_calls.clone(),
        );
        r.register_with_unit(
            "cloud_call_wait",
            "How long calls to the cloud waited for our own rate limit, or for a pause that the cloud asked for",
            Unit::Seconds,
            m.cloud_waits.clone(),
        );
        r.register("orphans_released", "Owners without a Service whose objects were deleted", m.orphans.clone());
        r.register(
            "events_dropped",
            "Events not written: repeated, over the rate, or queue full",
            m.events_dropped.clone(),
        );
        metrics.registry = Arc::new(r);
        metrics
    }
}

/// All metrics in the form that Prometheus reads.
///
/// # Errors
/// There are none that are known of.
pub fn encode(registry: &Registry) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry)?;
    Ok(text)
}

/// The metrics for the documentation.
pub fn markdown() -> String {
    let metrics = Metrics::register();
    // A family without members is left out.
    let (kind, provider) = (KindLabel { kind: "" }, ProviderLabel { provider: String::new() });
    drop(metrics.reconciles.get_or_create(&ResultLabel { result: "" }));
    drop(metrics.reconcile_seconds.get_or_create(&ResultLabel { result: "" }));
    drop(metrics.watch_age.get_or_create(&kind));
    drop(metrics.cloud_writes.get_or_create(&provider));
    drop(metrics.orphans.get_or_create(&provider));
    drop(metrics.cloud_calls.get_or_create(&CallLabel { effect: "", result: "" }));
    drop(metrics.cloud_waits.get_or_create(&EffectLabel { effect: "" }));
    let text = encode(&metrics.registry).unwrap_or_default();
    let mut page = String::from(
        "# Metrics\n\nGenerated from `src/telemetry.rs`. Served at `/metrics` of the admin port.\n\n| Metric | Type | Labels | What it is |\n|---|---|---|---|\n",
    );
    let about = |word: &str, name: &str| {
        let begin = format!("# {word} {name} ");
        text.lines().find_map(|line| line.strip_prefix(&begin).map(str::to_owned)).unwrap_or_default()
    };
    for name in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()) {
        let sample = text.lines().find(|line| !line.starts_with('#') && line.starts_with(name)).unwrap_or_default();
        let labels = sample.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map_or("", |(labels, _)| labels);
        let labels =
            labels.split(',').filter_map(|pair| pair.split('=').next()).filter(|l| !l.is_empty() && *l != "le");
        let labels = labels.map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        let kind = about("TYPE", name);
        let total = if kind == "counter" { "_total" } else { "" };
        let help = about("HELP", name);
        page.push_str(&format!("| `{name}{total}` | {kind} | {labels} | {help} |\n"));
    }
    page
}

//! `ferrolb controller`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::{ArgAction, Args, ValueEnum};
use ferrolb_core::Settings;
use ferrolb_provider::{Driver, Engine};
use tokio_util::sync::CancellationToken;

use crate::cli::cloud::{self, ElbFlags, MockFlags};
use crate::cli::command::{LogFlags, seconds, stop_signal};
use crate::clock::Clock;
use crate::controller::run::{self, Options};
use crate::flight::{self, FlightRecord};
use crate::kube::client::{self, Target};
use crate::kube::lease;
use crate::serve::AdminPort;
use crate::telemetry::Metrics;

/// Flags of `ferrolb controller`.
#[derive(Args, Debug)]
pub struct Flags {
    /// Backend to run; Services with the class ferrolb.io/PROVIDER are served by it
    #[arg(long, env = "FERROLB_PROVIDER", value_name = "PROVIDER")]
    provider: Provider,
    /// Serve Services without a class as well
    #[arg(long, env = "FERROLB_DEFAULT")]
    default: bool,
    /// Tells this cluster from others in the marks on cloud objects [default: UID of the namespace kube-system]
    #[arg(long, env = "FERROLB_CLUSTER_ID", value_name = "ID")]
    cluster_id: Option<String>,

    /// Kubeconfig file [default: KUBECONFIG, the pod's service account, ~/.kube/config]
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    kubeconfig: Option<PathBuf>,
    /// Context in it [default: the current one]
    #[arg(long, value_name = "NAME", help_heading = "Cluster")]
    context: Option<String>,
    /// Work only while holding a lease; off only where no second controller can run
    #[arg(long, env = "FERROLB_LEADER_ELECT", default_value_t = true, action = ArgAction::Set, help_heading = "Cluster")]
    leader_elect: bool,
    /// Name of the lease
    #[arg(long, env = "FERROLB_LEASE_NAME", value_name = "NAME", default_value = "ferrolb", help_heading = "Cluster")]
    lease_name: String,
    /// Namespace of the lease [default: that of the kubeconfig's context or of the pod]
    #[arg(long, env = "FERROLB_LEASE_NAMESPACE", value_name = "NAMESPACE", help_heading = "Cluster")]
    lease_namespace: Option<String>,
    /// How long a dead leader's lease holds; at least twice --call-seconds
    #[arg(long, env = "FERROLB_LEASE_SECONDS", value_name = "SECONDS", default_value = "20", value_parser = seconds, help_heading = "Cluster")]
    lease_seconds: Duration,

    /// How long after a lost answer or a start nothing is created; must exceed the time in which the cloud may still
    /// carry out a call that was given up
    #[arg(long, env = "FERROLB_SETTLE_SECONDS", value_name = "SECONDS", default_value = "30", value_parser = seconds, help_heading = "Pace")]
    settle_seconds: Duration,
    /// How often a Service without changes is compared with the cloud
    #[arg(long, env = "FERROLB_RESYNC_SECONDS", value_name = "SECONDS", default_value = "600", value_parser = seconds, help_heading = "Pace")]
    resync_seconds: Duration,
    /// How often objects whose Service is gone are looked for
    #[arg(long, env = "FERROLB_SWEEP_SECONDS", value_name = "SECONDS", default_value = "600", value_parser = seconds, help_heading = "Pace")]
    sweep_seconds: Duration,
    /// The longest that one cloud call may take
    #[arg(long, env = "FERROLB_CALL_SECONDS", value_name = "SECONDS", default_value = "10", value_parser = seconds, help_heading = "Pace")]
    call_seconds: Duration,
    /// Services worked on at a time
    #[arg(long, env = "FERROLB_CONCURRENCY", value_name = "N", default_value_t = 32, help_heading = "Pace")]
    concurrency: usize,

    /// Where /healthz, /readyz, /metrics and /debug/calls are served
    #[arg(long, env = "FERROLB_ADMIN_ADDRESS", value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    admin_address: SocketAddr,
    /// Calls to the cloud remembered of each Service, for /debug/calls
    #[arg(long, env = "FERROLB_CALLS_KEPT", value_name = "N", default_value_t = 50)]
    calls_kept: usize,
    #[command(flatten)]
    pub(super) log: LogFlags,
    #[command(flatten)]
    elb: ElbFlags,
    #[command(flatten)]
    mock: MockFlags,
}

/// A backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Provider {
    /// The Huawei-style cloud: ELB v3 and EIP
    Elb,
    /// A mock of that cloud with a real data plane, in this process or at --mock-endpoint
    Mock,
}

/// Runs the controller until it is asked to stop.
///
/// # Errors
/// Flags that do not fit together, no way to the cluster, or a lost lease.
pub async fn run(flags: Flags) -> anyhow::Result<()> {
    ensure!(flags.concurrency > 0, "--concurrency must be at least 1");
    ensure!(
        !flags.leader_elect || flags.lease_seconds >= flags.call_seconds * 2,
        "--lease-seconds must be at least twice --call-seconds, or a leader could hardly ever begin a call"
    );
    for (flag, value) in
        [("resync", flags.resync_seconds), ("sweep", flags.sweep_seconds), ("call", flags.call_seconds)]
    {
        ensure!(value >= Duration::from_secs(1), "--{flag}-seconds must be at least 1");
    }
    if flags.settle_seconds <= flags.call_seconds {
        tracing::warn!(
            "--settle-seconds should exceed --call-seconds, or a call that was given up may still take effect"
        );
    }
    let stop = CancellationToken::new();
    tokio::spawn({
        let stop = stop.clone();
        async move {
            match stop_signal().await {
                Ok(()) => tracing::info!("asked to stop; ending the passes under way"),
                Err(error) => tracing::error!(%error, "cannot listen for signals"),
            }
            stop.cancel();
        }
    });

    let clock = Clock::system(u64::from(std::process::id()));
    let target = Target { kubeconfig: flags.kubeconfig.clone(), context: flags.context.clone() };
    let clients = client::connect(&target).await?;
    let cluster = match flags.cluster_id.clone() {
        Some(id) => id,
        None => tokio::time::timeout(Duration::from_secs(30), clients.cluster_id())
            .await
            .context("no answer from the API server within 30 s")??,
    };
    let (name, elb) = match flags.provider {
        Provider::Elb => ("elb", cloud::elb(&flags.elb, flags.call_seconds, &clock)?),
        Provider::Mock => ("mock", cloud::mock(&flags.mock, flags.call_seconds, &clock).await?),
    };
    let (metrics, flights) = (Metrics::register(), Arc::new(FlightRecord::new(flags.calls_kept)));
    let provider = elb.provider.observed_by(Arc::new(cloud::Watch::new(metrics.clone(), flights.clone())));
    let settle = flags.settle_seconds;
    let registry = move |began| {
        let engine: Arc<dyn Driver> = Arc::new(Engine::new(provider, settle, began));
        BTreeMap::from([(name.to_owned(), engine)])
    };
    let identity = identity(&clock);
    let options = Options {
        settings: Settings {
            cluster,
            providers: BTreeSet::from([name.to_owned()]),
            default_provider: flags.default.then(|| name.to_owned()),
        },
        lease: flags.leader_elect.then(|| lease::Config {
            namespace: flags.lease_namespace.clone().unwrap_or_else(|| clients.namespace.clone()),
            name: flags.lease_name.clone(),
            identity: identity.clone(),
            duration: flags.lease_seconds,
        }),
        identity,
        concurrency: flags.concurrency,
        call_deadline: flags.call_seconds,
        resync: flags.resync_seconds,
        sweep: flags.sweep_seconds,
        admin: Some(AdminPort { address: flags.admin_address, debug: flight::router(flights) }),
        metrics,
    };
    let result = run::run(clients, clock, options, Box::new(registry), stop).await;
    if let Some(mock) = elb.mock {
        mock.shutdown().await;
    }
    result
}

/// One per process: pod or host name, process id, start.
fn identity(clock: &Clock) -> String {
    let host = std::env::var("POD_NAME").or_else(|_| std::fs::read_to_string("/proc/sys/kernel/hostname"));
    let host = host.unwrap_or_else(|_| "ferrolb".to_owned());
    format!("{}_{}_{}", host.trim(), std::process::id(), clock.wall().as_millisecond())
}
